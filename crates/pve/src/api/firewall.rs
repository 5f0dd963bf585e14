//! The firewall of the datacenter and of guests.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::request::requests;
use crate::Vmid;
use crate::api::GuestKind;
use crate::values::{flag, number};

/// A rule.
#[derive(Clone, Debug, Deserialize)]
pub struct FirewallRule {
    /// Its place, from 0.
    #[serde(deserialize_with = "number")]
    pub pos: u64,
    /// `in`, `out`, `forward` or `group`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `ACCEPT`, `DROP`, `REJECT` or the name of a group.
    pub action: String,
    /// Whether it counts.
    #[serde(default, deserialize_with = "flag")]
    pub enable: bool,
    /// Protocol.
    #[serde(default)]
    pub proto: Option<String>,
    /// Ports.
    #[serde(default)]
    pub dport: Option<String>,
    /// From where.
    #[serde(default)]
    pub source: Option<String>,
    /// A remark.
    #[serde(default)]
    pub comment: Option<String>,
}

requests! {
    /// Switches of the datacenter. While `enable` is 0, rules of guests do nothing.
    GetClusterFirewallOptions = Get "/cluster/firewall/options" -> Map<String, Value> {}

    /// Changes switches of the datacenter. Switching it on can lock everybody out of the nodes.
    #[derive(Default)]
    UpdateClusterFirewallOptions = Put "/cluster/firewall/options" -> () {
        enable: Option<u32> = "enable",
        policy_in: Option<String> = "policy_in",
        policy_out: Option<String> = "policy_out",
        digest: Option<String> = "digest",
    }

    /// Switches of a guest.
    GetFirewallOptions = Get "/nodes/{node}/{kind}/{vmid}/firewall/options" -> Map<String, Value> {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
    }

    /// Changes switches of a guest.
    UpdateFirewallOptions = Put "/nodes/{node}/{kind}/{vmid}/firewall/options" -> () {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        enable: Option<bool> = "enable",
        policy_in: Option<String> = "policy_in",
        policy_out: Option<String> = "policy_out",
        digest: Option<String> = "digest",
    }

    /// Rules of a guest.
    GetFirewallRules = Get "/nodes/{node}/{kind}/{vmid}/firewall/rules" -> Vec<FirewallRule> {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
    }

    /// Adds a rule, on top unless `pos` says otherwise. Without `enable` it does nothing.
    CreateFirewallRule = Post "/nodes/{node}/{kind}/{vmid}/firewall/rules" -> () {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        direction: String = "type",
        action: String = "action",
        enable: Option<u32> = "enable",
        proto: Option<String> = "proto",
        dport: Option<String> = "dport",
        source: Option<String> = "source",
        comment: Option<String> = "comment",
        pos: Option<u32> = "pos",
    }

    /// Takes a rule away.
    DeleteFirewallRule = Delete "/nodes/{node}/{kind}/{vmid}/firewall/rules/{pos}" -> () {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        pos: u32 = "pos",
        digest: Option<String> = "digest",
    }
}
