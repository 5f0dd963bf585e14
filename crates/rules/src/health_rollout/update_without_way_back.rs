//! An update after which the old release is gone.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, Origin};
use plimsoll_model::compose::Resolved;
use plimsoll_text::{FileId, Place};

use super::actions::{builds, compose_verb};
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-006",
    name: "update-without-way-back",
    title: "Update leaves no way back to the release before",
    theme: Theme::HealthRollout,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Compose file reference, image",
        url: "https://docs.docker.com/reference/compose-file/services/#image",
    }],
    doc: include_str!("update_without_way_back.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    if keeps_releases(facts) {
        return;
    }
    let mut by_file: BTreeMap<FileId, Vec<&Command>> = BTreeMap::new();
    for command in facts.commands.iter() {
        let origin = &facts.commands.unit(command.unit).origin;
        let remote = matches!(command.machine, Machine::Guest | Machine::Node)
            || matches!(origin, Origin::WorkflowStep { .. })
                && command.hops.iter().any(|hop| hop.kind.reads_shell_text());
        if remote
            && !facts.commands.is_only_read(command.unit)
            && builds(command)
            && command.machine != Machine::Container
        {
            by_file.entry(command.place.file).or_default().push(command);
        }
    }
    for commands in by_file.into_values() {
        let mut rest = commands.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings.add(
            first.place,
            "images are rebuilt in place under the same names; nothing keeps the release before",
        );
        if let Some((place, text)) = overwritten(facts, first) {
            finding.related(place, text);
        }
        for stack in facts.stacks.deployed() {
            let built = stack.services().find_map(|service| {
                let build = service.build.as_ref()?;
                let fixed = service.image.as_ref().is_none_or(Resolved::is_literal);
                fixed.then_some(build.place)
            });
            if let Some(place) = built {
                finding.related(place, "every build gets the same name");
                break;
            }
        }
        for command in rest {
            finding.related(command.place, "here, too");
        }
        finding
            .note("when the new release is broken, the old one must be built anew from older sources, with the application down")
            .help("tag each image with its release (`image: app:${RELEASE}`), keep the previous one and have a task that starts it");
    }
}

/// Whether any command keeps what ran before, or goes back to it.
fn keeps_releases(facts: &Facts) -> bool {
    let by_command = facts.commands.iter().any(|command| {
        let doc = facts.commands.unit(command.unit).origin.is_documentation();
        !doc && (command.is("docker", &["tag"])
            || command.is("docker", &["save"])
            || command.is("pct", &["snapshot"])
            || command.is("qm", &["snapshot"])
            || command.is("pct", &["rollback"])
            || command.is("qm", &["rollback"]))
    });
    let by_name = facts.commands.units().any(|(_, unit)| match &unit.origin {
        Origin::Task { name } | Origin::Recipe { name } => name.to_ascii_lowercase().contains("rollback"),
        _ => false,
    });
    by_command || by_name
}

/// The sources that are replaced before the build.
fn overwritten(facts: &Facts, build: &Command) -> Option<(Place, &'static str)> {
    facts.commands.iter().find_map(|command| {
        if command.place.file != build.place.file
            || command.machine != build.machine
            || command.place.span.start >= build.place.span.start
        {
            return None;
        }
        match command.program.as_str() {
            "tar"
                if command.flag(&["-x"]).is_some()
                    || command.arg(0).is_some_and(|flags| flags.starts_with('x')) =>
            {
                Some((command.place, "the sources are unpacked over those of the release before"))
            }
            "git"
                if command.operands().next().is_some_and(|verb| {
                    matches!(verb.value.text.as_str(), "pull" | "reset" | "checkout")
                }) =>
            {
                Some((command.place, "the sources are replaced"))
            }
            _ if compose_verb(command, &["down"]) => {
                Some((command.place, "the running release is removed first"))
            }
            _ => None,
        }
    })
}
