//! Recursive change crosses into a mount.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine};
use plimsoll_model::guests::Properties;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-010",
    name: "recursive-change-across-mounts",
    title: "Recursive change crosses into a mount",
    theme: Theme::DataSafety,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("recursive_change_across_mounts.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut mounts = Vec::new();
    for guest in facts.guests.real() {
        for setting in guest.numbered("mp") {
            if let Some(path) = Properties::parse(&setting.value.text).get("mp") {
                mounts.push((path.to_owned(), setting.place));
            }
        }
    }
    for command in facts.commands.iter() {
        if !matches!(command.machine, Machine::Guest | Machine::Workstation | Machine::Node)
            || !is_recursive(command)
        {
            continue;
        }
        for (path, place) in &mounts {
            let Some(target) = command
                .operands()
                .map(|arg| arg.value.text.trim_end_matches('/'))
                .find(|target| target.len() > 1 && path.starts_with(&format!("{target}/")))
            else {
                continue;
            };
            findings
                .add(command.place, format!("`{} {target}` goes on into `{path}`, which is another file system", command.program))
                .label("does not stop at mounts")
                .related(*place, "mounted here")
                .note("data outside of the guest changes its owner or is removed")
                .help("name the folders that are meant, or stay on one file system (`find -xdev`, `rm --one-file-system`)");
        }
    }
}

fn is_recursive(command: &Command) -> bool {
    match command.program.as_str() {
        "chown" | "chmod" => command.flag(&["-R", "--recursive"]).is_some(),
        "rm" => {
            command.flag(&["-r", "-R", "--recursive"]).is_some()
                && command.flag(&["--one-file-system"]).is_none()
        }
        _ => false,
    }
}
