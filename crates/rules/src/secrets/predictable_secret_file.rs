//! Secrets are written to a file that others can read or prepare.

use plimsoll_model::Facts;
use plimsoll_model::commands::Machine;

use super::words::is_secret_name;
use super::written::{target, written};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-008",
    name: "predictable-secret-file",
    title: "Secrets are written to a file that others can read or prepare",
    theme: Theme::Secrets,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "CWE-377: Insecure Temporary File",
        url: "https://cwe.mitre.org/data/definitions/377.html",
    }],
    doc: include_str!("predictable_secret_file.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for line in written(facts) {
        if !is_secret_name(&line.key) && !line.key.ends_with("_KEY") {
            continue;
        }
        let Some(path) =
            target(line.command).filter(|path| path.starts_with("/tmp/") || path.starts_with("/var/tmp/"))
        else {
            continue;
        };
        let random = path.contains("$(") || path.contains("XXXX") || path.contains("mktemp");
        let unit = facts.commands.of_unit(line.command.unit);
        let private = unit.iter().any(|command| {
            command.program == "umask"
                && command.id < line.command.id
                && command.arg(0).is_some_and(|mask| mask.ends_with("77"))
        });
        if random
            || private
            || line.command.machine == Machine::Build
            || !seen.insert((line.command.unit, path.to_owned()))
        {
            continue;
        }
        findings
            .add(
                line.command.place,
                format!("`{path}` has a name that anyone can guess and is readable by all"),
            )
            .label("made with the default mode")
            .related(line.place, "a secret goes into it")
            .note("any account of the machine can read it, or put a file of its own there first")
            .help("use `umask 077` and `mktemp`, or send it through a pipe without a file")
            .fix(super::private_file::fix(facts, line.command));
    }
}
