//! Placeholder takes the place of a missing secret.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use plimsoll_model::Facts;
use plimsoll_model::commands::{Bound, Command, CommandId, Machine, Origin};
use plimsoll_text::{FileId, Place};

use super::words::is_secret_name;
use super::written::{target, written};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-015",
    name: "placeholder-as-value",
    title: "Placeholder takes the place of a missing secret",
    theme: Theme::Secrets,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[],
    doc: include_str!("placeholder_as_value.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    copied_example(facts, findings);
    written_placeholder(facts, findings);
    for (id, unit) in facts.commands.units() {
        if unit.origin.is_documentation() {
            continue;
        }
        for binding in facts.commands.bindings(id).iter().filter(|binding| binding.guarded) {
            let Bound::Word(word) = &binding.bound else { continue };
            let Some(value) = word.literal().filter(|value| is_stand_in(value)) else { continue };
            let name = binding.name.to_ascii_uppercase();
            let counts = ["KEY", "SECRET", "TOKEN", "PASS"].iter().any(|part| name.contains(part));
            if !counts {
                continue;
            }
            let used = facts.commands.of_unit(id).iter().find(|command| {
                command
                    .heredoc
                    .as_ref()
                    .is_some_and(|heredoc| heredoc.body.text().contains(&binding.name) && !heredoc.quoted)
            });
            let finding = findings.add(
                binding.place,
                format!("without `{}` the deployment goes on with `{value}`", binding.name),
            );
            finding.label("stands in for a value that is missing");
            if let Some(command) = used {
                finding.related(command.place, "and is deployed here");
            }
            finding.note("the deployment reports success, and the service fails later with a message about a wrong key").help("end the script with a message that names the variable")
                .fix(edits::review("end the script when the value is missing", refuse(facts, binding)));
        }
    }
}

/// `cp .env.example .env`: what the example holds is live from then on.
fn copied_example(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    for command in facts.commands.iter().filter(|command| command.program == "cp") {
        if facts.commands.is_only_read(command.unit)
            || facts.is_development(command.place.file)
            || on_runner(facts, command)
        {
            continue;
        }
        let operands: Vec<&str> = command.operands().map(|arg| arg.value.text.as_str()).collect();
        let [from, to] = operands.as_slice() else { continue };
        let (from, to) = (Utf8Path::new(from), Utf8Path::new(to));
        let is_example = from.file_name().is_some_and(|name| {
            name.contains("env")
                && ["example", "sample", "template", "dist"].iter().any(|word| name.contains(word))
        });
        let live = to.file_name().is_some_and(|name| {
            name == ".env" || name == "." || name.starts_with(".env.") || name.ends_with(".env")
        });
        if !is_example || !(live || to.as_str().ends_with('/')) {
            continue;
        }
        let name = from.file_name().unwrap_or_default();
        let mut same: Vec<FileId> =
            facts.trees.dotenv.keys().copied().filter(|file| facts.files.get(*file).name() == name).collect();
        same.sort_by_key(|file| facts.path(*file).components().count());
        let Some(example) = same.first().and_then(|file| Some((*file, facts.trees.dotenv.get(file)?))) else {
            continue;
        };
        // A key that the same program writes afterwards is no placeholder any more.
        let replaced = |key: &str| {
            facts.commands.of_unit(command.unit).iter().any(|other| {
                other.id > command.id
                    && (other.program == "sed" || !other.outputs.is_empty())
                    && other.arg_texts().any(|text| text.contains(key))
            })
        };
        let open: Vec<(Place, &str)> = example
            .1
            .entries
            .iter()
            .filter(|entry| is_secret_name(&entry.key) && !replaced(&entry.key))
            .filter(|entry| {
                entry.value.as_ref().is_some_and(|value| is_stand_in(value.text()) || is_filler(value.text()))
            })
            .map(|entry| (Place::new(example.0, entry.span), entry.key.as_str()))
            .collect();
        let Some((_, key)) = open.first() else { continue };
        if !seen.insert(command.place) {
            continue;
        }
        let finding =
            findings.add(command.place, format!("the example becomes the live file, `{key}` and all"));
        finding.label("nothing asks for the real values afterwards").severity(Severity::High);
        for (place, key) in open.iter().take(12) {
            finding.related(*place, format!("`{key}` stays what everybody can read here"));
        }
        finding
            .note("the services start, so nobody notices that their keys are known")
            .help("stop with a message that names the variables, or generate the secrets here");
    }
}

/// A script that writes a placeholder under the name of a secret into a file.
fn written_placeholder(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files: BTreeMap<CommandId, Vec<(Place, String)>> = BTreeMap::new();
    for line in written(facts) {
        let value = line.value.trim_matches(['"', '\'']);
        let live = !on_runner(facts, line.command)
            && target(line.command).is_some_and(|path| path.contains("env") && !path.contains("example"));
        if live
            && is_secret_name(&line.key)
            && !value.contains('$')
            && (is_stand_in(value) || is_filler(value))
        {
            files.entry(line.command.id).or_default().push((line.place, line.key));
        }
    }
    for lines in files.values() {
        let Some(((place, key), rest)) = lines.split_first() else { continue };
        let finding = findings.add(*place, format!("`{key}` goes live as a placeholder"));
        finding.label("written as if it were a value");
        for (place, key) in rest {
            finding.related(*place, format!("`{key}` too"));
        }
        finding
            .note("the service starts with a value that stands in the repository, or fails later with a message about a wrong key")
            .help("ask for the value, generate it, or stop with a message that names it");
    }
}

/// Whether a command runs on a runner of CI, which is thrown away with what was written there.
fn on_runner(facts: &Facts, command: &Command) -> bool {
    command.machine == Machine::Workstation
        && matches!(facts.commands.unit(command.unit).origin, Origin::WorkflowStep { .. })
}

/// Text that only says what belongs there.
fn is_filler(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    lower.starts_with("your")
        || lower.contains("-change-me")
        || lower.contains("-here")
        || lower.contains("_here")
        || lower.starts_with('<') && lower.ends_with('>')
        || lower.contains("secret-key-change")
}

fn is_stand_in(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    [
        "placeholder",
        "changeme",
        "change_me",
        "change-me",
        "dummy",
        "your_",
        "your-",
        "demo",
        "todo",
        "replace_me",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// A message and the end of the script in place of the assignment.
fn refuse(facts: &Facts, binding: &plimsoll_model::commands::Binding) -> Option<Vec<plimsoll_text::Edit>> {
    let alone = edits::line_head(facts, binding.place).trim().is_empty()
        && edits::line_tail(facts, binding.place).trim().is_empty();
    let script = facts.trees.kind(binding.place.file) == plimsoll_model::Kind::Shell;
    let indent = edits::indent_of(facts, binding.place);
    let name = &binding.name;
    let lines = format!("echo \"{name} is not set\" >&2\n{indent}exit 1");
    (alone && script).then(|| vec![edits::replace(binding.place, lines)])
}
