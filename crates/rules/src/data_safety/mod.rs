//! DAT: data safety.

mod backup_on_the_same_disk;
mod code_before_migrations;
mod deploy_without_backup;
mod destructive_start;
mod migration_to_another_database;
mod partial_backup;
mod recursive_change_across_mounts;
mod schema_created_twice;
mod shared_project_name;
mod swallowed_migration_failure;
mod unguarded_destruction;
mod unnoticed_backup_failure;
mod volume_at_the_wrong_path;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &destructive_start::RULE,
    &migration_to_another_database::RULE,
    &swallowed_migration_failure::RULE,
    &deploy_without_backup::RULE,
    &partial_backup::RULE,
    &unnoticed_backup_failure::RULE,
    &backup_on_the_same_disk::RULE,
    &volume_at_the_wrong_path::RULE,
    &unguarded_destruction::RULE,
    &recursive_change_across_mounts::RULE,
    &shared_project_name::RULE,
    &schema_created_twice::RULE,
    &code_before_migrations::RULE,
];
