//! Left-overs of earlier releases.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-013",
    name: "old-files-survive",
    title: "Files of earlier releases stay",
    theme: Theme::TransferBuild,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("old_files_survive.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, unit) in facts.commands.units() {
        if unit.origin.is_documentation() {
            continue;
        }
        let commands = facts.commands.of_unit(id);
        for (index, command) in commands.iter().enumerate() {
            let Some(target) = unpacks_into(command) else { continue };
            let fresh = target.contains("mktemp")
                || ["release", "version", "date", "sha", "stamp", "/tmp", "/usr/local", "/usr/bin"]
                    .iter()
                    .any(|word| target.to_ascii_lowercase().contains(word));
            let before = commands.get(..index).unwrap_or_default();
            let cleared = before.iter().any(|other| {
                matches!(other.program.as_str(), "rm" | "mv" | "find")
                    && other.arg_texts().any(|text| {
                        !text.starts_with('-')
                            && text.starts_with(target.trim_end_matches('/'))
                            && !text.contains(".tar")
                            && !text.contains(".tgz")
                    })
            });
            if fresh || cleared {
                continue;
            }
            findings
                .add(command.place, format!("the new release is unpacked over the old one in `{target}`"))
                .label("nothing that an earlier release had is removed")
                .note("a deleted migration, route or configuration file is still there and still works")
                .help("unpack into a new folder and switch to it, or use `rsync --delete` with the data excluded");
        }
    }
}

/// The folder that an archive of the application is unpacked into on a guest.
fn unpacks_into(command: &Command) -> Option<&str> {
    if command.machine != Machine::Guest || command.program != "tar" {
        return None;
    }
    let first = command.arg(0)?;
    let bundled = !first.starts_with("--")
        && first.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_lowercase());
    let extracts = (bundled && first.contains('x')) || command.flag(&["-x", "--extract"]).is_some();
    if !extracts || command.arg_texts().any(|text| text.starts_with("http") || text.starts_with("--strip")) {
        return None;
    }
    command.option(&["-C", "--directory"]).map(|option| option.text)
}
