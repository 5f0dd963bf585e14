//! There is a task to deploy and none to go back.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, HopKind, Machine, Origin, Procedure};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-004",
    name: "missing-operations",
    title: "There is a task to deploy and none to go back",
    theme: Theme::Lifecycle,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("missing_operations.md"),
    check,
};

/// What an operator needs on a bad day: words in the name of a task or script that stand for it.
const NEEDED: &[(&str, &[&str])] = &[
    ("backup", &["backup", "dump", "snapshot", "export"]),
    ("rollback", &["rollback", "revert", "restore", "undeploy", "previous"]),
    ("stop", &["stop", "down", "shutdown", "destroy", "teardown", "remove"]),
];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let remote: Vec<&Procedure> =
        facts.commands.procedures().iter().filter(|p| is_remote_task(facts, p)).collect();
    let deploys = |name: &str| {
        ["deploy", "up", "release", "install"].iter().any(|verb| words(name).any(|w| w == *verb))
    };
    let Some(deploy) = remote.iter().find(|procedure| deploys(&procedure.name)) else { return };
    if remote.len() < 2 {
        return;
    }
    let scripts = facts.commands.units().filter(|(_, unit)| unit.origin == Origin::Script);
    let names: Vec<&str> = remote
        .iter()
        .map(|procedure| procedure.name.as_str())
        .chain(scripts.filter_map(|(_, unit)| facts.path(unit.file).file_stem()))
        .collect();
    let has = |synonyms: &[&str]| {
        names.iter().any(|name| words(name).any(|word| synonyms.contains(&word.as_str())))
    };
    let missing: Vec<&str> = NEEDED.iter().filter(|(_, words)| !has(words)).map(|(verb, _)| *verb).collect();
    if missing.len() < 2 {
        return;
    }
    let listed = missing.iter().map(|verb| format!("`{verb}`")).collect::<Vec<_>>().join(", ");
    let finding =
        findings.add(deploy.place, format!("`{}` has no counterpart: no task for {listed}", deploy.name));
    finding.label("changes the guest");
    for other in remote.iter().filter(|other| !std::ptr::eq(**other, *deploy)).take(8) {
        finding.related(other.place, format!("`{}` is there", other.name));
    }
    finding
        .note("on a bad day, operators type commands as root on the node from memory")
        .help("write the missing tasks while there is time to test them")
        .fix(super::operations::fix(facts, deploy, &missing));
}

/// Whether it is a task or recipe, for people to call, that works on the node or the guest.
fn is_remote_task(facts: &Facts, procedure: &Procedure) -> bool {
    let unit = facts.commands.unit(procedure.unit);
    let is_task = matches!(unit.origin, Origin::Task { .. } | Origin::Recipe { .. });
    let goes_there = |command: &Command| {
        matches!(command.machine, Machine::Node | Machine::Guest)
            || command.hops.iter().any(|hop| matches!(hop.kind, HopKind::Ssh { .. } | HopKind::Lxc { .. }))
    };
    is_task && procedure.commands(&facts.commands).any(goes_there)
}

fn words(name: &str) -> impl Iterator<Item = String> {
    name.split([':', '-', '_', '.', '/', ' ']).map(str::to_lowercase)
}
