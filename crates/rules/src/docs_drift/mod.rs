//! DOC: documentation and drift.

mod dead_configuration;
mod documented_command_missing;
mod documented_default_differs;
mod documented_isolation_differs;
mod harmful_recipe;
mod published_but_documented_internal;
mod version_drift;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &documented_isolation_differs::RULE,
    &published_but_documented_internal::RULE,
    &documented_command_missing::RULE,
    &documented_default_differs::RULE,
    &dead_configuration::RULE,
    &harmful_recipe::RULE,
    &version_drift::RULE,
];
