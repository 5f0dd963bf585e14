//! LXC guest runs without AppArmor.

use plimsoll_model::Facts;

use super::raw;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-002",
    name: "unconfined-apparmor",
    title: "LXC guest runs without AppArmor",
    theme: Theme::GuestIsolation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference {
            title: "Proxmox VE, Container Toolkit, Security Considerations",
            url: "https://pve.proxmox.com/pve-docs/chapter-pct.html#_security_considerations",
        },
        Reference {
            title: "lxc.container.conf(5)",
            url: "https://linuxcontainers.org/lxc/manpages/man5/lxc.container.conf.5.html",
        },
    ],
    doc: include_str!("unconfined_apparmor.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for line in raw::lines(facts) {
        let is_profile = matches!(line.key.as_str(), "lxc.apparmor.profile" | "lxc.aa_profile");
        if !is_profile || line.value != "unconfined" {
            continue;
        }
        let finding = findings.add(line.place, format!("`{}` is `unconfined`", line.key));
        finding.label("no AppArmor profile holds this guest");
        match line.privileged(facts) {
            Some(place) => {
                finding.related(place, "the guest is privileged, so its root is held by nothing else");
            }
            None => {
                finding.severity(Severity::High);
            }
        }
        if let Some((features, setting)) = line.guest.and_then(|guest| guest.features())
            && features.is_on("nesting")
        {
            finding.related(
                setting.place,
                "`nesting` already generates a profile that Docker runs under; this one is replaced",
            );
        }
        if line.documented {
            finding.confidence(Confidence::Medium);
        }
        finding
            .note("a process in the guest can write to `/proc` and `/sys` of the node, for one to name a program that the node's kernel then runs")
            .help("remove the line and set `--features nesting=1`; if containers fail to start, update the `lxc-pve` package of the node");
    }
}
