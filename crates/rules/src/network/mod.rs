//! NET: what is reachable, by whom and how.

mod data_service_without_authentication;
mod dhcp_address;
mod flat_network;
mod guest_on_management_bridge;
mod nic;
mod nic_without_firewall;
mod plain_http;
mod port_beside_proxy;
mod published_data_service;

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
    &flat_network::RULE,
];
