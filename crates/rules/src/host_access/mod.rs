//! HST: access to the hypervisor.

mod guest_command_on_node;
mod lines;
mod password_on_command_line;
mod patient_ssh;
mod root_deploy_on_node;
mod unchecked_host_key;
mod value_in_node_shell;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &root_deploy_on_node::RULE,
    &unchecked_host_key::RULE,
    &password_on_command_line::RULE,
    &guest_command_on_node::RULE,
    &value_in_node_shell::RULE,
    &patient_ssh::RULE,
];
