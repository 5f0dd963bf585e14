//! HST: access to the hypervisor.

mod guest_command_on_node;
mod lines;
mod login_without_password;
mod node_changed_by_deployment;
mod node_rights_too_wide;
mod password_on_command_line;
mod password_only_guest;
mod patient_ssh;
mod root_by_group;
mod root_deploy_on_node;
mod task_on_wrong_machine;
mod unchecked_host_key;
mod unprotected_deploy_key;
mod unverified_node_tls;
mod value_in_node_shell;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &root_deploy_on_node::RULE,
    &unchecked_host_key::RULE,
    &password_on_command_line::RULE,
    &unverified_node_tls::RULE,
    &node_rights_too_wide::RULE,
    &guest_command_on_node::RULE,
    &value_in_node_shell::RULE,
    &patient_ssh::RULE,
    &login_without_password::RULE,
    &node_changed_by_deployment::RULE,
    &root_by_group::RULE,
    &unprotected_deploy_key::RULE,
    &password_only_guest::RULE,
    &task_on_wrong_machine::RULE,
];
