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
    /// Of the whole list: [`DeleteFirewallRule`] with it takes away what was read, or nothing.
    #[serde(default)]
    pub digest: Option<String>,
}

/// A set of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IpSet {
    /// Its name, without the `+` that rules put before it.
    pub name: String,
    /// A remark.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A member of a set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IpSetMember {
    /// An address, a network or the name of one.
    pub cidr: String,
    /// Whether it is taken out of the set instead.
    #[serde(default, deserialize_with = "flag")]
    pub nomatch: bool,
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

    /// Sets of addresses of a guest.
    GetIpSets = Get "/nodes/{node}/{kind}/{vmid}/firewall/ipset" -> Vec<IpSet> {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
    }

    /// Makes a set.
    CreateIpSet = Post "/nodes/{node}/{kind}/{vmid}/firewall/ipset" -> () {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        name: String = "name",
        comment: Option<String> = "comment",
    }

    /// Takes a set away. One with members is kept unless forced.
    DeleteIpSet = Delete "/nodes/{node}/{kind}/{vmid}/firewall/ipset/{name}" -> () {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        name: String = "name",
        force: Option<bool> = "force",
    }

    /// Members of a set.
    GetIpSet = Get "/nodes/{node}/{kind}/{vmid}/firewall/ipset/{name}" -> Vec<IpSetMember> {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        name: String = "name",
    }

    /// Adds an address or a network to a set.
    AddToIpSet = Post "/nodes/{node}/{kind}/{vmid}/firewall/ipset/{name}" -> () {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        name: String = "name",
        cidr: String = "cidr",
        comment: Option<String> = "comment",
        nomatch: Option<bool> = "nomatch",
    }

    /// Takes an address or a network out of a set.
    RemoveFromIpSet = Delete "/nodes/{node}/{kind}/{vmid}/firewall/ipset/{name}/{cidr}" -> () {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        name: String = "name",
        cidr: String = "cidr",
    }
}
