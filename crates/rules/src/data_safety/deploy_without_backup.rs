//! Deployment changes data without a backup before it.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, Origin, Procedure};
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-004",
    name: "deploy-without-backup",
    title: "Deployment changes data without a backup before it",
    theme: Theme::DataSafety,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, Backup and Restore",
        url: "https://pve.proxmox.com/pve-docs/chapter-vzdump.html",
    }],
    doc: include_str!("deploy_without_backup.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut reported: BTreeSet<Place> = BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let Some((change, state)) = change(facts, procedure) else { continue };
        if !reported.insert(change.place) {
            continue;
        }
        let finding = findings
            .add(change.place, format!("nothing is saved before `{}` changes this deployment", name(change)));
        finding.label("the first step that can lose data");
        if let Some((place, volume)) = state {
            finding.related(place, format!("`{volume}` holds the data"));
        }
        if let Some(migration) = procedure.commands(&facts.commands).find(|command| command.migrates())
            && migration.id != change.id
        {
            finding.related(migration.place, "and the schema changes here");
        }
        finding
            .note("a bad release or migration cannot be taken back")
            .help("snapshot the guest or dump the database first, and check that it worked");
    }
}

type State = Option<(Place, String)>;

/// The step of a deployment that changes services or schema with nothing saved before it.
fn change<'a>(facts: &'a Facts, procedure: &'a Procedure) -> Option<(&'a Command, State)> {
    let unit = facts.commands.unit(procedure.unit);
    if facts.commands.is_only_read(procedure.unit)
        || matches!(
            unit.origin,
            Origin::ServiceCommand { .. } | Origin::ImageBuild | Origin::PackageScript { .. }
        )
        || facts.is_development(unit.file)
    {
        return None;
    }
    let mut commands = procedure.commands(&facts.commands);
    if commands.clone().any(Command::backs_up) {
        return None;
    }
    let far =
        |command: &Command| matches!(command.machine, Machine::Guest | Machine::Node | Machine::Container);
    let reaches = |command: &&Command| {
        let remote = command.hops.iter().any(|hop| {
            use plimsoll_model::commands::HopKind;
            matches!(hop.kind, HopKind::Ssh { .. } | HopKind::Lxc { .. } | HopKind::GuestAgent { .. })
        });
        remote || unit.machine == Machine::Guest || unit.machine == Machine::Node
    };
    let first = commands.find(|command| {
        far(command) && (command.starts_services() || command.migrates()) && reaches(command)
    })?;
    let volume = facts.stacks.deployed().flat_map(|stack| {
        stack.services().flat_map(|service| service.volumes.iter().map(move |mount| (service, mount)))
    });
    let state = volume
        .filter(|(_, mount)| !mount.read_only && mount.source.is_some())
        .map(|(service, mount)| (mount.place, service.name.clone()))
        .next();
    (state.is_some() || first.migrates() || facts.commands.iter().any(Command::migrates))
        .then_some((first, state))
}

fn name(command: &Command) -> String {
    let words: Vec<&str> = command.operands().take(2).map(|arg| arg.value.text.as_str()).collect();
    format!("{} {}", command.program, words.join(" "))
}
