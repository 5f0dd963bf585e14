//! A snippet that is deleted while the guest still refers to it.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-009",
    name: "removed-snippet",
    title: "Snippet is removed while a guest refers to it",
    theme: Theme::HealthRollout,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, qm(1), Cloud-Init",
        url: "https://pve.proxmox.com/pve-docs/qm.1.html",
    }],
    doc: include_str!("removed_snippet.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for procedure in facts.commands.procedures() {
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        for (index, step) in steps.iter().enumerate() {
            let later = steps.get(index + 1..).unwrap_or_default();
            for file in snippets(step) {
                let removed = later.iter().find(|other| {
                    other.program == "rm"
                        && other.arg_texts().any(|text| text.rsplit('/').next() == Some(&file))
                });
                let released = later.iter().any(|other| {
                    other.is("qm", &["destroy"])
                        || other.is("pct", &["destroy"])
                        || other.option(&["--delete", "-delete"]).is_some_and(|option| {
                            option.text.contains("cicustom") || option.text.contains("hookscript")
                        })
                });
                let Some(removed) = removed.filter(|_| !released) else { continue };
                findings
                    .add(removed.place, format!("`{file}` is removed, and the guest still refers to it"))
                    .related(step.place, "named in the guest's configuration here")
                    .note("the guest does not start again, also not after a reboot of the node or a restore elsewhere")
                    .help("keep the file, or take the setting out first: `qm set ID --delete cicustom`");
            }
        }
    }
}

/// File names of the snippets that a command puts into a guest's configuration.
fn snippets(command: &Command) -> Vec<String> {
    if !matches!(command.program.as_str(), "qm" | "pct") {
        return Vec::new();
    }
    let options = ["--cicustom", "-cicustom", "--hookscript", "-hookscript"];
    let Some(option) = command.option(&options) else { return Vec::new() };
    option
        .text
        .split(',')
        .filter_map(|part| part.split_once("snippets/"))
        .map(|(_, file)| file.to_owned())
        .filter(|file| !file.is_empty())
        .collect()
}
