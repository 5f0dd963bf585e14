//! seccomp, AppArmor or SELinux switched off for a container.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-004",
    name: "unconfined-service",
    title: "Container runs without the kernel's filters",
    theme: Theme::ComposeHardening,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: true,
    fix: FixKind::None,
    references: &[
        Reference {
            title: "Docker Engine, Seccomp security profiles",
            url: "https://docs.docker.com/engine/security/seccomp/",
        },
        Reference {
            title: "Docker Engine, AppArmor security profiles",
            url: "https://docs.docker.com/engine/security/apparmor/",
        },
    ],
    doc: include_str!("unconfined_service.md"),
    check,
};

/// What a line switches off, and the services that have it.
type Line<'a> = (&'static str, Vec<(&'a str, Place)>);

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    // An anchor puts one line into many services: that is one cause.
    let mut lines: BTreeMap<Place, Line<'_>> = BTreeMap::new();
    for (_, service) in facts.stacks.deployed_services() {
        for option in &service.security_opt {
            let Some(what) = switched_off(&option.value) else { continue };
            let (_, users) = lines.entry(option.place).or_insert((what, Vec::new()));
            if !users.iter().any(|(name, _)| *name == service.name) {
                users.push((&service.name, service.place));
            }
        }
    }
    for (place, (what, users)) in lines {
        let Some((first, _)) = users.first() else { continue };
        let who =
            if users.len() == 1 { format!("`{first}` runs") } else { "several services run".to_owned() };
        let finding = findings.add(place, format!("{who} without {what}"));
        for (name, at) in users.iter().filter(|(_, at)| *at != place) {
            finding.related(*at, format!("`{name}` has it from there"));
        }
        if let Some(way) = facts.way_to_node() {
            finding.related(way, "and root of this guest is not far from root of the node");
        }
        finding.note("what the filter stops are the calls that break-outs of containers need").help(
            "take the option out; when a program needs more, write a profile that allows that one thing",
        );
    }
    for command in facts.commands.iter().filter(|command| {
        command.is("docker", &["run"]) && !facts.commands.unit(command.unit).origin.is_documentation()
    }) {
        let Some(option) = command.option(&["--security-opt"]) else { continue };
        if let Some(what) = switched_off(option.text) {
            findings
                .add(option.value.place, format!("this container runs without {what}"))
                .help("take the option out");
        }
    }
}

fn switched_off(option: &str) -> Option<&'static str> {
    let option = option.replace('=', ":");
    match option.as_str() {
        "seccomp:unconfined" => Some("seccomp"),
        "apparmor:unconfined" => Some("AppArmor"),
        "label:disable" => Some("SELinux labels"),
        "systempaths:unconfined" => Some("the masks over `/proc` and `/sys`"),
        _ => None,
    }
}
