//! CMP: Compose runtime hardening.

mod development_mode;
mod development_server;
mod host_path_in_container;
mod privileged_service;
mod root_in_container;
mod service_without_limits;
mod unhardened_service;
mod writable_application_code;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &privileged_service::RULE,
    &host_path_in_container::RULE,
    &unhardened_service::RULE,
    &root_in_container::RULE,
    &service_without_limits::RULE,
    &development_mode::RULE,
    &writable_application_code::RULE,
];
