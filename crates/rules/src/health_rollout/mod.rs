//! HLT: whether it starts, stays up, says so truthfully and can be taken back.

pub(crate) mod actions;
pub(crate) mod ansible_variables;
mod dead_path;
mod default_path_fails;
mod dependency_without_health_check;
mod endless_patience;
mod fixed_sleep;
mod health_check_cannot_pass;
mod missing_names;
mod no_restart_policy;
mod probe;
mod program_results;
mod provided_variable;
mod removed_snippet;
mod service_without_health_check;
mod settings_folder;
mod stopped_before_update;
mod undersized_guest;
mod update_without_way_back;
mod variable_not_provided;
mod verification_cannot_fail;
mod waiting;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &health_check_cannot_pass::RULE,
    &dependency_without_health_check::RULE,
    &variable_not_provided::RULE,
    &fixed_sleep::RULE,
    &verification_cannot_fail::RULE,
    &update_without_way_back::RULE,
    &service_without_health_check::RULE,
    &no_restart_policy::RULE,
    &removed_snippet::RULE,
    &stopped_before_update::RULE,
    &dead_path::RULE,
    &undersized_guest::RULE,
    &default_path_fails::RULE,
];
