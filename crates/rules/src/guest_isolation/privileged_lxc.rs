//! Root of the guest is root of the node.

use plimsoll_model::guests::Maker;
use plimsoll_model::{Facts, Stack};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-001",
    name: "privileged-lxc",
    title: "LXC guest is privileged: its root is the node's root",
    theme: Theme::GuestIsolation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, Container Toolkit, Privileged Containers",
        url: "https://pve.proxmox.com/pve-docs/chapter-pct.html#_security_considerations",
    }],
    doc: include_str!("privileged_lxc.md"),
    check,
};

/// The most services that are named as reachable.
const SERVICES: usize = 12;

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for guest in facts.guests.real() {
        let Some(place) = guest.privileged() else { continue };
        let finding = findings.add(place, "this guest is made privileged: uid 0 in it is uid 0 on the node");
        finding.label("no user namespace between the guest and the node");
        if guest.place != place && guest.maker != Maker::Config {
            finding.related(guest.place, "the guest is made here");
        }
        let services = facts.stacks.deployed().flat_map(Stack::services);
        for service in services.filter(|service| !service.ports.is_empty()).take(SERVICES) {
            finding.related(
                service.place,
                format!("`{}` runs in it and is reachable from outside", service.name),
            );
        }
        finding
            .note("who breaks out of a service, or of the Docker daemon, is root on the hypervisor and on every other guest")
            .help("make the guest anew with `--unprivileged 1` and restore its data, or use a VM");
    }
}
