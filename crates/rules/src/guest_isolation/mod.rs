//! ISO: LXC and VM configuration.

mod broad_device_rule;
mod device_rule_mismatch;
mod devices;
mod docker;
mod docker_without_nesting;
mod emptied_capability_drop;
mod feature_without_effect;
mod host_disk_in_guest;
mod idmap;
mod missing_node_support;
mod nesting_on_privileged_guest;
mod privileged_lxc;
mod raw;
mod shared_with_node;
mod unconfined_apparmor;
mod variables;
mod workload_in_wrong_guest;
mod world_accessible_device;

use crate::Rule;

pub(crate) use docker::installed_in as docker_installed_in;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &privileged_lxc::RULE,
    &unconfined_apparmor::RULE,
    &emptied_capability_drop::RULE,
    &nesting_on_privileged_guest::RULE,
    &feature_without_effect::RULE,
    &docker_without_nesting::RULE,
    &device_rule_mismatch::RULE,
    &broad_device_rule::RULE,
    &host_disk_in_guest::RULE,
    &world_accessible_device::RULE,
    &shared_with_node::RULE,
    &missing_node_support::RULE,
    &workload_in_wrong_guest::RULE,
];
