//! Backup leaves out data of the app.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;
use plimsoll_model::compose::MountKind;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-005",
    name: "partial-backup",
    title: "Backup leaves out data of the app",
    theme: Theme::DataSafety,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("partial_backup.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter().filter(|command| is_file_backup(command)) {
        let named: Vec<_> = facts
            .stacks
            .deployed_services()
            .flat_map(|(_, service)| service.volumes.iter().map(move |mount| (service, mount)))
            .filter(|(_, mount)| matches!(mount.kind, MountKind::Volume) && mount.source.is_some())
            .collect();
        let saves_volumes = facts.commands.of_unit(command.unit).iter().any(|other| {
            other.backs_up()
                || other.arg_texts().any(|arg| arg.contains("/var/lib/docker") || arg.contains("volume"))
        });
        let Some((service, mount)) = named.first().filter(|_| !saves_volumes) else { continue };
        findings
            .add(command.place, format!("this backup leaves out the volume of `{}`", service.name))
            .label("saves files of the project only")
            .related(mount.place, "named volumes are kept below `/var/lib/docker/volumes`")
            .note("after a restore the app starts without its data")
            .help("dump the database, or back up the whole guest");
    }
}

fn is_file_backup(command: &Command) -> bool {
    let creates = command.program == "tar" && command.flag(&["-c"]).is_some();
    creates && command.arg_texts().any(|arg| arg.to_ascii_lowercase().contains("backup"))
}
