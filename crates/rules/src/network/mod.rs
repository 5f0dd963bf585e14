//! NET: what is reachable, by whom and how.

mod data_service_without_authentication;
mod dhcp_address;
mod flat_network;
mod frontend;
mod guest_on_management_bridge;
mod loopback;
mod nic;
mod nic_without_firewall;
mod origin_mismatch;
mod plain_http;
mod port_beside_proxy;
mod published_data_service;
mod reachable_debug_route;
mod route_to_nowhere;
mod ufw_with_docker;
mod unreachable_api_address;
mod wrong_cors_origins;

use crate::Rule;

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &published_data_service::RULE,
    &data_service_without_authentication::RULE,
    &port_beside_proxy::RULE,
    &plain_http::RULE,
    &nic_without_firewall::RULE,
    &guest_on_management_bridge::RULE,
    &dhcp_address::RULE,
    &reachable_debug_route::RULE,
    &wrong_cors_origins::RULE,
    &unreachable_api_address::RULE,
    &flat_network::RULE,
    &ufw_with_docker::RULE,
    &route_to_nowhere::RULE,
    &origin_mismatch::RULE,
];
