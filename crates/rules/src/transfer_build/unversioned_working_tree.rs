//! Releases that no commit describes.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, Origin};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-012",
    name: "unversioned-working-tree",
    title: "The working tree is shipped without a version",
    theme: Theme::TransferBuild,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("unversioned_working_tree.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, unit) in facts.commands.units() {
        // A workflow ships what it has checked out: one commit, and its run tells which.
        if unit.origin.is_documentation() || matches!(unit.origin, Origin::WorkflowStep { .. }) {
            continue;
        }
        let commands = facts.commands.of_unit(id);
        let versioned = commands.iter().any(|command| {
            command.program == "git"
                && command.arg_texts().any(|text| {
                    matches!(
                        text,
                        "describe" | "rev-parse" | "archive" | "log" | "clone" | "diff-index" | "diff"
                    )
                })
        });
        let leaves = commands
            .iter()
            .find(|command| matches!(command.program.as_str(), "scp" | "sftp" | "ssh" | "rsync" | "pct"));
        let (false, Some(leaves)) = (versioned, leaves) else { continue };
        let Some(ship) = commands.iter().find(|command| packs_the_tree(command)) else { continue };
        findings
            .add(ship.place, "the working tree is shipped as it lies there")
            .label("uncommitted and untracked files go along, and no commit is recorded")
            .related(leaves.place, "and leaves the machine here")
            .note("afterwards nobody can tell which source runs in production, nor build it again")
            .help("ship `git archive HEAD`, refuse a dirty tree, and record `git describe --always` in the release");
    }
}

fn packs_the_tree(command: &Command) -> bool {
    if command.machine != Machine::Workstation {
        return false;
    }
    let whole = |text: &str| matches!(text, "." | "./" | "./." | "*" | "./*");
    match command.program.as_str() {
        "tar" => {
            command
                .arg(0)
                .is_some_and(|first| first.starts_with('c') || command.flag(&["-c", "--create"]).is_some())
                && command.arg_texts().any(whole)
        }
        "rsync" => {
            let mut operands = command.args.iter().filter(|arg| !arg.value.text.starts_with('-'));
            operands.any(|arg| whole(&arg.value.text))
                && command.arg_texts().any(|text| text.contains(':') && !text.starts_with('-'))
        }
        _ => false,
    }
}
