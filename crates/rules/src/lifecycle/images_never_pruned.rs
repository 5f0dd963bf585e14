//! Old images and build cache are never removed.

use std::sync::LazyLock;

use plimsoll_model::commands::{Command, Machine};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::Phrases;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-008",
    name: "images-never-pruned",
    title: "Old images and build cache are never removed",
    theme: Theme::Lifecycle,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Docker documentation, Prune unused Docker objects",
        url: "https://docs.docker.com/engine/manage-resources/pruning/",
    }],
    doc: include_str!("images_never_pruned.md"),
    check,
};

static PRUNES: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::new(&[
        "system prune",
        "image prune",
        "builder prune",
        "buildx prune",
        "docker-prune",
        "docker rmi",
        "WATCHTOWER_CLEANUP",
    ])
});

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let on_guest = |command: &&Command| {
        matches!(command.machine, Machine::Guest | Machine::Node)
            && !facts.commands.unit(command.unit).origin.is_documentation()
    };
    let grows = |command: &&Command| {
        ["build", "pull"]
            .iter()
            .any(|verb| command.is("docker", &["compose", verb]) || command.is("docker", &[verb]))
            || command.is("docker", &["compose", "up"]) && command.flag(&["--build"]).is_some()
    };
    let Some(command) = facts.commands.iter().filter(on_guest).find(grows) else { return };
    let prunes =
        facts.files.iter().any(|(id, file)| facts.trees.kind(id) != Kind::Markdown && PRUNES.are_in(file));
    if prunes {
        return;
    }
    let finding =
        findings.add(command.place, "each deployment adds images, and nothing removes the old ones");
    finding.label("leaves the images of the last time behind");
    let disk = facts.guests.real().find_map(|guest| {
        Some((guest.disk_gib()?, guest.setting("rootfs").or_else(|| guest.setting("scsi0"))?))
    });
    if let Some((size, setting)) = disk {
        finding.related(
            setting.place,
            format!("the disk has {size} GB for the system, the images and the data"),
        );
    }
    finding
        .note("when the disk is full, the next build fails half-way and the database stops with it")
        .help("run `docker image prune -f` and `docker builder prune -f --keep-storage 2GB` after a deployment that works")
        .fix(edits::safe("remove images that have been out of use for a week", prune(facts, command)));
}

/// A line behind the one that adds images.
fn prune(facts: &Facts, command: &plimsoll_model::commands::Command) -> Option<Vec<plimsoll_text::Edit>> {
    // The images of the last days are the way back.
    let line = edits::beside(facts, command, "docker image prune -f --filter until=168h")?;
    Some(vec![edits::statement_after(facts, command, &line)?])
}
