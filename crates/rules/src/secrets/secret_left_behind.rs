//! File with secrets stays behind.

use camino::Utf8Path;
use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, HopKind, Machine};
use plimsoll_text::Fix;

use super::words::is_secret_name;
use super::written::{target, written};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-007",
    name: "secret-left-behind",
    title: "File with secrets stays behind",
    theme: Theme::Secrets,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "CWE-459: Incomplete Cleanup",
        url: "https://cwe.mitre.org/data/definitions/459.html",
    }],
    doc: include_str!("secret_left_behind.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    copies(facts, findings);
    no_trap(facts, findings);
}

/// Files copied to `/tmp` of another machine and never removed there.
fn copies(facts: &Facts, findings: &mut Findings<'_>) {
    let removals: Vec<&Command> = facts.commands.iter().filter(|command| command.program == "rm").collect();
    for copy in facts
        .commands
        .iter()
        .filter(|command| command.program == "scp" && command.machine == Machine::Workstation)
    {
        if facts.commands.unit(copy.unit).origin.is_documentation() {
            continue;
        }
        let operands: Vec<&str> = copy.operands().map(|arg| arg.value.text.as_str()).collect();
        let (Some(source), Some(destination)) = (operands.first(), operands.last()) else { continue };
        let Some((host, path)) = destination.split_once(':') else { continue };
        let name = Utf8Path::new(source).file_name().unwrap_or(source);
        let is_temporary = path.starts_with("/tmp") || path.starts_with("/var/tmp");
        let carries =
            is_packed(name) || name.contains(".env") || name.ends_with(".pem") || name.ends_with(".key");
        if !is_temporary || !carries || host.is_empty() {
            continue;
        }
        let removed = removals.iter().any(|command| {
            let far = command.machine != Machine::Workstation && command.machine != Machine::Container;
            let node = far && command.machine != Machine::Guest || reaches(command, host);
            node && command.arg_texts().any(|arg| arg.contains(name) || arg == "/tmp/*")
        });
        if !removed {
            findings
                .add(copy.place, format!("`{name}` stays in `{path}` of the other machine"))
                .label("copied, and nothing removes it there")
                .note("it holds what the project folder holds, and every user of that machine can read it")
                .help("remove it when it has been unpacked, also after a failure")
                .fix(remove_there(facts, copy, host, path, name));
        }
    }
}

/// Removes the copy on the other machine behind the last command there that needs it.
fn remove_there(facts: &Facts, copy: &Command, host: &str, folder: &str, name: &str) -> Option<Fix> {
    if !edits::in_script(facts, copy) || copy.args.len() != 2 || name.contains(['$', '*']) {
        return None;
    }
    let path = match folder.strip_suffix('/') {
        Some(folder) => format!("{folder}/{name}"),
        None if folder.ends_with(name) => folder.to_owned(),
        None => format!("{folder}/{name}"),
    };
    let mut uses = facts.commands.of_unit(copy.unit).iter().filter(|command| {
        command.id > copy.id
            && reaches_there(facts, command, host)
            && command.arg_texts().any(|arg| arg.contains(&path))
    });
    let last = facts.commands.outermost(uses.next_back()?);
    let written = facts.text(copy.args.last()?.place).trim_matches('"');
    let target = written.split_once(':')?.0;
    let alone = edits::line_head(facts, last.place).trim().is_empty()
        && edits::line_tail(facts, last.place).trim().is_empty();
    let line = format!("ssh \"{target}\" \"rm -f {path}\"");
    let edits = alone.then(|| vec![edits::lines_after(facts, last.place, &line)]);
    edits::safe(format!("remove `{name}` from the other machine"), edits)
}

/// Whether the outermost command that carries this one goes to the host.
fn reaches_there(facts: &Facts, command: &Command, host: &str) -> bool {
    let outer = facts.commands.outermost(command);
    outer.program == "ssh" && outer.operands().next().is_some_and(|arg| arg.value.text == host)
}

fn is_packed(name: &str) -> bool {
    [".tar", ".tgz", ".tar.gz", ".zip", ".tar.zst", ".tar.xz"].iter().any(|end| name.ends_with(end))
}

/// Whether a command runs on this host itself, not in a guest behind it.
fn reaches(command: &Command, host: &str) -> bool {
    command
        .last_machine_hop()
        .is_some_and(|hop| matches!(&hop.kind, HopKind::Ssh { target, .. } if target.text == host))
}

/// Temporary files with secrets that only the happy path removes.
fn no_trap(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for line in written(facts).into_iter().filter(|line| is_secret_name(&line.key)) {
        let Some(path) = target(line.command).filter(|path| path.starts_with("/tmp/")) else { continue };
        if !seen.insert((line.command.unit, path.to_owned())) {
            continue;
        }
        let unit = facts.commands.of_unit(line.command.unit);
        let has_trap = unit.iter().any(|command| command.program == "trap");
        let removes = unit.iter().find(|command| {
            command.program == "rm"
                && command.id > line.command.id
                && command.arg_texts().any(|arg| arg == path)
        });
        let between = removes.and_then(|remove| {
            unit.iter().find(|command| {
                command.id > line.command.id
                    && command.id < remove.id
                    && matches!(command.program.as_str(), "scp" | "ssh" | "rsync" | "pct")
            })
        });
        match (removes, between) {
            (Some(remove), Some(step)) if !has_trap && line.command.strict.errexit => {
                findings
                    .add(step.place, format!("a failure here leaves `{path}` with its secrets behind"))
                    .label("ends the script")
                    .related(line.place, "a secret is in it")
                    .related(remove.place, "never reached then")
                    .help("remove it in a `trap … EXIT`")
                    .fix(super::private_file::fix(facts, line.command));
            }
            (None, _) if !has_trap => {
                findings
                    .add(line.command.place, format!("`{path}` with its secrets is never removed"))
                    .label("written here")
                    .related(line.place, "a secret is in it")
                    .help("make it with `mktemp` and remove it in a `trap … EXIT`")
                    .fix(super::private_file::fix(facts, line.command));
            }
            _ => {}
        }
    }
}
