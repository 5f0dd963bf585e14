//! Privileged LXC guest has nesting.

use plimsoll_model::Facts;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-004",
    name: "nesting-on-privileged-guest",
    title: "Privileged LXC guest has nesting",
    theme: Theme::GuestIsolation,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, pct.conf(5), option features",
        url: "https://pve.proxmox.com/pve-docs/pct.conf.5.html",
    }],
    doc: include_str!("nesting_on_privileged_guest.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for guest in facts.guests.real() {
        let Some(privileged) = guest.privileged() else { continue };
        let nesting = guest
            .features()
            .filter(|(features, _)| features.is_on("nesting"))
            .map(|(_, setting)| setting.place)
            .or_else(|| {
                guest.setting("features.nesting").filter(|s| s.value.text == "true").map(|s| s.place)
            });
        let Some(place) = nesting else { continue };
        findings
            .add(place, "`nesting=1` is set for a privileged guest")
            .label("loosens what AppArmor forbids in the guest")
            .related(privileged, "the guest is privileged here: its root is the node's root")
            .note("with nesting, `/proc` and `/sys` of the node can be mounted writable in the guest, and real root may write to them")
            .help("make the guest unprivileged and keep `nesting=1`, or move Docker to a VM");
    }
}
