//! ISO: LXC and VM configuration.

mod emptied_capability_drop;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[&emptied_capability_drop::RULE];
