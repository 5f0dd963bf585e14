//! Containers without fences.

use plimsoll_model::Facts;
use plimsoll_model::guests::Guest;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-001",
    name: "privileged-service",
    title: "Container is privileged",
    theme: Theme::ComposeHardening,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: true,
    fix: FixKind::None,
    references: &[Reference {
        title: "OWASP, Docker Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("privileged_service.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (_, service) in facts.stacks.deployed_services() {
        let Some(privileged) = service.privileged.as_ref().filter(|privileged| privileged.value) else {
            continue;
        };
        let finding = findings.add(privileged.place, format!("`{}` is privileged", service.name));
        finding.label("all capabilities, all devices, no seccomp and no AppArmor");
        if let Some(port) = service.ports.first() {
            finding.related(port.place, "and reachable from outside");
        }
        if let Some(place) = facts.guests.real().find_map(Guest::privileged) {
            finding.related(place, "in a guest whose root is the node's root");
        }
        finding
            .note("whoever takes this service over has root on the guest")
            .help("remove it and give only the device or capability that the service needs");
    }
}
