//! Backups stay on the disk that they protect.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, UnitId};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-007",
    name: "backup-on-the-same-disk",
    title: "Backups stay on the disk that they protect",
    theme: Theme::DataSafety,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, Container Toolkit, Bind Mount Points",
        url: "https://pve.proxmox.com/pve-docs/chapter-pct.html#_bind_mount_points",
    }],
    doc: include_str!("backup_on_the_same_disk.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<(UnitId, String)> = BTreeSet::new();
    for command in facts.commands.iter() {
        if !matches!(
            command.program.as_str(),
            "pg_dump" | "pg_dumpall" | "mysqldump" | "mariadb-dump" | "mongodump"
        ) {
            continue;
        }
        if command.machine == Machine::Build || moves_away(facts, command.unit) {
            continue;
        }
        let Some(target) = target(facts, command) else { continue };
        if !seen.insert((command.unit, target.0.clone())) {
            continue;
        }
        findings
            .add(target.1, format!("the backup stays in `{}`, on the machine that it protects", target.0))
            .label("lost together with the data")
            .note("a broken disk, a deleted guest or an attacker takes the data and the backup at once")
            .help("send it to another machine: `vzdump` to a backup storage or Proxmox Backup Server, or restic");
    }
}

/// Whether the same program sends files elsewhere.
fn moves_away(facts: &Facts, unit: UnitId) -> bool {
    facts.commands.of_unit(unit).iter().any(|command| {
        matches!(
            command.program.as_str(),
            "rsync"
                | "scp"
                | "rclone"
                | "restic"
                | "borg"
                | "aws"
                | "s3cmd"
                | "mc"
                | "sftp"
                | "proxmox-backup-client"
                | "pct"
                | "vzdump"
        )
    })
}

fn target(facts: &Facts, dump: &Command) -> Option<(String, plimsoll_text::Place)> {
    let outer = facts.commands.outermost(dump);
    let writer = facts.commands.of_unit(dump.unit).iter().find(|other| {
        let same = |a: &Command| {
            a.id == other.id
                || a.pipeline.is_some_and(|pipe| other.pipeline.is_some_and(|o| o.span == pipe.span))
        };
        (same(dump) || same(outer)) && other.outputs.iter().any(|output| output.fd == 1)
    })?;
    let output = writer.outputs.iter().find(|output| output.fd == 1)?;
    let text = output.target.text.clone();
    let folder = text.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned();
    let place = output.target.sources.iter().find_map(|source| match source {
        plimsoll_model::commands::Source::Assigned { place, .. } => Some(*place),
        _ => None,
    });
    (!text.starts_with("/dev/") && !folder.contains("/mnt/") && !folder.contains("/nfs"))
        .then(|| (folder, place.unwrap_or(output.place)))
}
