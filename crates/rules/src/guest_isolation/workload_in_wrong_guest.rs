//! A VM would suit this app better than an LXC guest.

use plimsoll_model::Facts;
use plimsoll_model::guests::GuestKind;

use super::docker;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-014",
    name: "workload-in-wrong-guest",
    title: "A VM would suit this app better than an LXC guest",
    theme: Theme::GuestIsolation,
    severity: Severity::Medium,
    confidence: Confidence::Low,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, Container Toolkit",
        url: "https://pve.proxmox.com/pve-docs/chapter-pct.html",
    }],
    doc: include_str!("workload_in_wrong_guest.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for guest in facts.guests.real().filter(|guest| guest.kind == GuestKind::Lxc && guest.created) {
        let Some(docker) = docker::installed_in(facts, guest) else { continue };
        let mut reasons = vec![(docker, "Docker runs in it".to_owned())];
        if let Some(place) = guest.privileged() {
            reasons.push((place, "it is privileged".to_owned()));
        }
        let published = facts.stacks.deployed_services().find(|(_, service)| !service.ports.is_empty());
        if let Some((_, service)) = published {
            reasons.push((service.place, format!("`{}` is reachable from outside", service.name)));
        }
        let powerful = facts.stacks.deployed_services().find(|(_, service)| {
            service.privileged.as_ref().is_some_and(|privileged| privileged.value)
                || !service.cap_add.is_empty()
        });
        if let Some((_, service)) = powerful {
            reasons.push((service.place, format!("`{}` has powers over the kernel", service.name)));
        }
        if reasons.len() < 3 {
            continue;
        }
        let finding = findings.add(guest.place, "this app would be better off in a VM");
        finding.label("shares its kernel with the node");
        for (place, reason) in reasons {
            finding.related(place, reason);
        }
        finding.help("make a VM from a cloud image and run the same Compose project in it");
    }
}
