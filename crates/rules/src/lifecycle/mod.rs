//! LIF: lifecycle and observability.

mod engine;
mod engine_without_live_restore;
mod fixed_container_name;
mod hook_on_wrong_unit;
mod images_never_pruned;
mod missing_operations;
mod no_monitoring;
mod no_secret_scanner;
mod no_unattended_upgrades;
mod operations;
mod unattended_latest;
mod unbounded_logs;
mod untested_deployment;
mod workflows;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &unbounded_logs::RULE,
    &unattended_latest::RULE,
    &no_unattended_upgrades::RULE,
    &missing_operations::RULE,
    &untested_deployment::RULE,
    &no_monitoring::RULE,
    &no_secret_scanner::RULE,
    &images_never_pruned::RULE,
    &engine_without_live_restore::RULE,
    &fixed_container_name::RULE,
    &hook_on_wrong_unit::RULE,
];
