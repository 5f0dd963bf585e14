//! Docker runs in an LXC guest without nesting.

use plimsoll_model::Facts;
use plimsoll_model::guests::GuestKind;

use super::docker;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-006",
    name: "docker-without-nesting",
    title: "Docker runs in an LXC guest without nesting",
    theme: Theme::GuestIsolation,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, pct.conf(5), option features",
        url: "https://pve.proxmox.com/pve-docs/pct.conf.5.html",
    }],
    doc: include_str!("docker_without_nesting.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for guest in facts.guests.real().filter(|guest| guest.kind == GuestKind::Lxc && guest.created) {
        let unprivileged = guest.unprivileged().is_some_and(|(yes, _)| yes);
        let copied = ["clone", "clone.vm_id", "restore"].iter().any(|key| guest.setting(key).is_some());
        if !unprivileged || copied || nests(guest) {
            continue;
        }
        let Some(docker) = docker::installed_in(facts, guest) else { continue };
        let place = guest.setting("features").map_or(guest.place, |setting| setting.place);
        findings
            .add(place, "Docker runs in this guest, and `nesting` is not on")
            .label("no `nesting=1` here")
            .related(docker, "Docker is installed or started here")
            .note("containers fail to start, because the guest may not mount `/proc` and `/sys` for them")
            .help("add `--features nesting=1`");
    }
}

/// Whether nesting is on, or something that files do not show decides.
fn nests(guest: &plimsoll_model::guests::Guest) -> bool {
    let unknown = |text: &str| text.contains('$') || text.contains("{{");
    guest.all("features").any(|setting| {
        unknown(&setting.value.text)
            || plimsoll_model::guests::Properties::parse(&setting.value.text).is_on("nesting")
    }) || guest.setting("features.nesting").is_some()
}
