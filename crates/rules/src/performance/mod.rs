//! PRF: performance.

mod cache_without_ceiling;
mod debug_output_in_production;
mod docker_on_zfs;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] =
    &[&debug_output_in_production::RULE, &cache_without_ceiling::RULE, &docker_on_zfs::RULE];
