//! Steps that run on after a failure.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, CommandId, Fate, Origin, UnitId};
use plimsoll_text::FileId;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-001",
    name: "unchecked-steps",
    title: "Script goes on after a step has failed",
    theme: Theme::ScriptRobustness,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Bash Reference Manual, The Set Builtin",
        url: "https://www.gnu.org/software/bash/manual/html_node/The-Set-Builtin.html",
    }],
    doc: include_str!("unchecked_steps.md"),
    check,
};

/// What one shell reads: a script file, or the text that a command hands to another shell.
type Shell = (UnitId, Option<CommandId>);

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut shells: BTreeMap<Shell, Vec<&Command>> = BTreeMap::new();
    let handled: BTreeSet<UnitId> = facts
        .commands
        .iter()
        .filter(|command| {
            command.program == "catch_errors"
                || command.program == "trap" && command.arg_texts().any(|text| text == "ERR")
        })
        .map(|command| command.unit)
        .collect();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let runs = match unit.origin {
            Origin::Script | Origin::WrittenScript { .. } | Origin::CloudInit => true,
            Origin::CodeBlock { .. } | Origin::ImageBuild | Origin::ServiceCommand { .. } => false,
            _ => command.carrier.is_some(),
        };
        let goes_on = command.fate == Fate::Unchecked && !command.strict.errexit;
        if runs
            && goes_on
            && !handled.contains(&command.unit)
            && !facts.is_development(unit.file)
            && matters(command)
        {
            shells.entry((command.unit, command.carrier)).or_default().push(command);
        }
    }
    let mut files: BTreeMap<FileId, Vec<Vec<&Command>>> = BTreeMap::new();
    for (_, steps) in shells {
        if let Some(first) = steps.first().filter(|_| steps.len() > 1) {
            files.entry(first.place.file).or_default().push(steps);
        }
    }
    for shells in files.values_mut() {
        shells.sort_by_key(|steps| steps.first().map(|step| step.place));
        let mut all = shells.iter().flatten();
        let (Some(first), Some(second)) = (all.next(), all.next()) else { continue };
        let finding = findings
            .add(first.place, format!("when `{}` fails, the script goes on with the next step", name(first)));
        finding.label(if first.hops.is_empty() {
            "no `set -e`"
        } else {
            "no `set -e` in the shell that runs this"
        });
        finding.related(second.place, format!("`{}` then works on what is left", name(second)));
        for steps in shells.iter().skip(1) {
            if let Some(step) = steps.first() {
                finding.related(step.place, "the same in this shell");
            }
        }
        for step in shells.first().into_iter().flatten().skip(2).take(3) {
            finding.related(step.place, format!("so does `{}`", name(step)));
        }
        if !first.hops.is_empty() {
            finding.note("`set -e` of the outer script does not reach the shell on the other side");
        }
        finding.help("begin each shell with `set -euo pipefail` (`set -eu` for `sh`)");
    }
}

/// Steps that later ones build on.
fn matters(command: &Command) -> bool {
    let verb = |program: &str, verbs: &[&str]| verbs.iter().any(|verb| command.is(program, &[verb]));
    let compose =
        ["up", "build", "pull", "down", "start"].iter().any(|verb| command.is("docker", &["compose", verb]));
    compose
        || command.migrates()
        || verb("docker", &["build", "run", "pull", "load"])
        || verb("git", &["clone", "pull", "checkout", "reset", "fetch"])
        || verb("pct", &["create", "start", "set", "push", "restore"])
        || verb("qm", &["create", "start", "set", "importdisk", "clone"])
        || verb("pveam", &["download"])
        || verb("terraform", &["apply", "init"])
        || verb("systemctl", &["enable", "start", "restart"])
        || matches!(command.program.as_str(), "apt-get" | "apt" | "apk" | "dnf") && installs(command)
        || matches!(command.program.as_str(), "npm" | "pnpm" | "yarn" | "pip" | "pip3") && installs(command)
        || matches!(command.program.as_str(), "tar" | "unzip" | "scp" | "rsync" | "cd")
            && command.place.span.len() > 3
}

fn installs(command: &Command) -> bool {
    command.operands().next().is_some_and(|arg| {
        matches!(arg.value.text.as_str(), "install" | "update" | "add" | "ci" | "run" | "upgrade")
    })
}

fn name(command: &Command) -> String {
    let count = if command.is("docker", &["compose"]) && command.program == "docker" { 2 } else { 1 };
    let words: Vec<&str> = command
        .operands()
        .map(|arg| arg.value.text.as_str())
        .take(count)
        .filter(|word| word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')))
        .collect();
    format!("{} {}", command.program, words.join(" ")).trim().to_owned()
}
