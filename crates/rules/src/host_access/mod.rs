//! HST: access to the hypervisor.

mod guest_command_on_node;
mod lines;
mod password_on_command_line;
mod root_deploy_on_node;
mod unchecked_host_key;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &root_deploy_on_node::RULE,
    &unchecked_host_key::RULE,
    &password_on_command_line::RULE,
    &guest_command_on_node::RULE,
];
