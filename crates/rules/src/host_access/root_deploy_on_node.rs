//! A deployment logs in as root on the hypervisor.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, HopKind, Machine, Source, Value};
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-001",
    name: "root-deploy-on-node",
    title: "The deployment logs in as root on the hypervisor",
    theme: Theme::HostAccess,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[],
    doc: include_str!("root_deploy_on_node.md"),
    check,
};

struct Login {
    place: Place,
    target: String,
    deploys: bool,
    calls: usize,
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let scripts = logins(facts, false);
    let all = if scripts.is_empty() { logins(facts, true) } else { scripts };
    let first = all.values().find(|login| login.deploys).or_else(|| all.values().next());
    let Some(first) = first else { return };
    let calls: usize = all.values().map(|login| login.calls).sum();
    let finding = findings
        .add(first.place, format!("the deployment works as root on the hypervisor: `{}`", first.target));
    finding.label("the whole node is in the hands of whoever holds this login");
    for login in all.values().filter(|login| login.place != first.place) {
        finding.related(login.place, "the same login");
    }
    finding
        .note(format!("{calls} commands run on the node this way"))
        .help("use an API token with a role for this guest alone, or SSH into the guest instead of the node");
}

fn logins(facts: &Facts, documents: bool) -> BTreeMap<FileId, Login> {
    let mut logins = BTreeMap::<FileId, Login>::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if unit.origin.is_documentation() != documents || (documents && !command.starts_services()) {
            continue;
        }
        let Some((target, hop)) = through_node(command) else { continue };
        let login = logins.entry(unit.file).or_insert_with(|| Login {
            place: written(target, unit.file).unwrap_or(hop),
            target: target.text.clone(),
            deploys: false,
            calls: 0,
        });
        login.deploys |= command.starts_services();
        login.calls += usize::from(command.machine == Machine::Node);
    }
    logins
}

/// The root login to a node that a command goes through.
fn through_node(command: &Command) -> Option<(&Value, Place)> {
    let (index, target, place) =
        command.hops.iter().enumerate().find_map(|(index, hop)| match &hop.kind {
            HopKind::Ssh { target, .. } if target.text.starts_with("root@") => {
                Some((index, target, hop.place))
            }
            _ => None,
        })?;
    let into_guest = command
        .hops
        .iter()
        .skip(index + 1)
        .any(|hop| matches!(hop.kind, HopKind::Lxc { .. } | HopKind::GuestAgent { .. }));
    (command.machine == Machine::Node || into_guest).then_some((target, place))
}

fn written(target: &Value, file: FileId) -> Option<Place> {
    target.sources.iter().find_map(|source| match source {
        Source::Assigned { place, .. } | Source::Default { place, .. } if place.file == file => Some(*place),
        _ => None,
    })
}
