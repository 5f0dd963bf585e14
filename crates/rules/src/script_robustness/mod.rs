//! SCR: script robustness.

mod addresses;
mod assumed_node_resource;
mod connection_error_as_answer;
mod creation_without_resume;
mod fatal_search;
mod guest_arguments;
mod guest_assumptions;
mod hidden_failure;
mod invalid_argument;
mod nested_quoting;
mod no_deploy_lock;
mod program_that_cannot_run;
mod repeated_changes;
mod template_names;
mod test_without_cleanup;
mod unchecked_steps;
mod unread_keys;
mod wrong_assumption;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &unchecked_steps::RULE,
    &hidden_failure::RULE,
    &connection_error_as_answer::RULE,
    &creation_without_resume::RULE,
    &assumed_node_resource::RULE,
    &invalid_argument::RULE,
    &nested_quoting::RULE,
    &program_that_cannot_run::RULE,
    &fatal_search::RULE,
    &no_deploy_lock::RULE,
    &repeated_changes::RULE,
    &wrong_assumption::RULE,
    &test_without_cleanup::RULE,
];
