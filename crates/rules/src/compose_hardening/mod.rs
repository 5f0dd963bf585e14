//! CMP: Compose runtime hardening.

mod development_mode;
mod development_server;
mod development_stack_shipped;
mod hidden_image;
mod host_path_in_container;
mod lost_security_headers;
mod overruled_setting;
mod privileged_service;
mod root_in_container;
mod service_without_limits;
mod unconfined_service;
mod unhardened_service;
mod writable_application_code;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &privileged_service::RULE,
    &host_path_in_container::RULE,
    &unconfined_service::RULE,
    &unhardened_service::RULE,
    &root_in_container::RULE,
    &service_without_limits::RULE,
    &hidden_image::RULE,
    &development_mode::RULE,
    &overruled_setting::RULE,
    &development_stack_shipped::RULE,
    &writable_application_code::RULE,
    &lost_security_headers::RULE,
];
