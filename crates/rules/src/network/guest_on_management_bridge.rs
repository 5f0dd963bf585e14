//! The guest shares the network of the node's management.

use plimsoll_model::Facts;

use super::nic;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-006",
    name: "guest-on-management-bridge",
    title: "Guest sits in the network of the node's management",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, Network Configuration",
        url: "https://pve.proxmox.com/pve-docs/chapter-sysadmin.html#sysadmin_network_configuration",
    }],
    doc: include_str!("guest_on_management_bridge.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let untagged = nic::nics(facts).filter(|(_, nic)| {
        let tagged = ["tag", "vlan_id", "trunks"]
            .iter()
            .any(|key| nic.get(key).is_some_and(|value| !matches!(value, "" | "0" | "-1")));
        nic.get("bridge") == Some("vmbr0") && !tagged
    });
    let places = untagged.map(|(setting, _)| (setting, "on `vmbr0` without a VLAN tag".to_owned())).collect();
    nic::by_file(
        places,
        findings,
        "this interface is untagged on `vmbr0`, the bridge that the node itself uses",
        |finding| {
            finding
            .note("who takes over the guest reaches the node's interface on port 8006, its SSH and the whole local network")
            .help("give the guest a VLAN of its own with `tag=`, or a bridge that the node has no address on");
        },
    );
}
