//! No firewall rule of the node can apply to the guest.

use plimsoll_model::Facts;

use super::nic;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-005",
    name: "nic-without-firewall",
    title: "Guest's network interface is outside the Proxmox firewall",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Proxmox VE, Firewall",
        url: "https://pve.proxmox.com/pve-docs/chapter-pve-firewall.html",
    }],
    doc: include_str!("nic_without_firewall.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let outside = nic::nics(facts).filter(|(_, nic)| {
        let value = nic.get("firewall");
        !nic.is_on("firewall") && !value.is_some_and(|value| value.contains(['$', '{']))
    });
    let places = outside
        .map(|(setting, nic)| {
            let label = match nic.get("firewall") {
                Some(_) => "the firewall is switched off here",
                None => "no `firewall=1` here",
            };
            (setting, label.to_owned())
        })
        .collect();
    nic::by_file(places, findings, "no rule of the Proxmox firewall applies to this interface", |finding| {
        finding
            .note("rules of the datacenter, the node and the guest are ignored for it, also those added in an emergency")
            .help("add `firewall=1` to the interface and give the guest rules that let in what it serves");
    });
}
