//! A container whose list of dropped capabilities was emptied.

use plimsoll_model::Facts;

use super::raw;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-003",
    name: "emptied-capability-drop",
    title: "Container keeps capabilities over the whole machine",
    theme: Theme::GuestIsolation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "lxc.container.conf(5), section Capabilities",
        url: "https://linuxcontainers.org/lxc/manpages/man5/lxc.container.conf.5.html",
    }],
    doc: include_str!("emptied_capability_drop.md"),
    check,
};

/// What Proxmox takes away from every container's root (`lxc.cap.drop` of its common configuration).
const DANGEROUS: &[&str] = &["sys_module", "sys_rawio", "sys_time", "mac_admin", "mac_override"];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for line in raw::lines(facts) {
        let (message, label) = match line.key.as_str() {
            "lxc.cap.drop" if line.value.is_empty() => (
                "`lxc.cap.drop` is emptied".to_owned(),
                "an empty value clears all that was dropped before".to_owned(),
            ),
            "lxc.cap.keep" => {
                let kept: Vec<&str> = DANGEROUS
                    .iter()
                    .copied()
                    .filter(|name| line.value.split_whitespace().any(|word| word == *name))
                    .collect();
                if kept.is_empty() {
                    continue;
                }
                (
                    format!("`lxc.cap.keep` keeps `{}`", kept.join(" ")),
                    "kept although they reach the whole machine".to_owned(),
                )
            }
            _ => continue,
        };
        let finding = findings.add(line.place, message);
        finding.label(label);
        if let Some(place) = line.privileged(facts) {
            finding.related(place, "the guest is privileged, so these capabilities hold on the node");
        }
        if line.documented {
            finding.confidence(Confidence::Medium);
        }
        finding
            .note("root in the container can then load kernel modules and set the clock of the whole node")
            .help("remove the line, and keep the container unprivileged if a program misses a capability");
    }
}
