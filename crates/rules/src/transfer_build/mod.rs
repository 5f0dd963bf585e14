//! BLD: transfer and build.

mod archive_with_everything;
mod build_without_tls_check;
mod builds;
mod built_for_another_runtime;
mod built_on_guest;
mod copy_without_ignore_file;
pub(crate) mod development;
mod dockerfile_written_by_script;
mod ended_support;
mod file_missing_from_context;
mod foreign_actions;
mod ignored_lock_file;
mod installs;
mod mutable_image_tag;
mod never_installed;
mod old_files_survive;
mod pinned;
mod program_not_in_image;
mod provider_versions;
mod recommended_packages;
mod releases;
mod remote_script_as_root;
mod shipped_image_not_run;
mod unchecked_download;
mod unversioned_working_tree;
mod unwritten_dockerfile;
mod wrong_package_source;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &program_not_in_image::RULE,
    &file_missing_from_context::RULE,
    &dockerfile_written_by_script::RULE,
    &built_for_another_runtime::RULE,
    &ignored_lock_file::RULE,
    &build_without_tls_check::RULE,
    &remote_script_as_root::RULE,
    &unchecked_download::RULE,
    &mutable_image_tag::RULE,
    &built_on_guest::RULE,
    &shipped_image_not_run::RULE,
    &unversioned_working_tree::RULE,
    &old_files_survive::RULE,
    &archive_with_everything::RULE,
    &recommended_packages::RULE,
    &copy_without_ignore_file::RULE,
    &wrong_package_source::RULE,
    &never_installed::RULE,
    &ended_support::RULE,
];
