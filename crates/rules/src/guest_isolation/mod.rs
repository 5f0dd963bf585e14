//! ISO: LXC and VM configuration.

mod emptied_capability_drop;
mod privileged_lxc;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[&privileged_lxc::RULE, &emptied_capability_drop::RULE];
