//! What only the first run knows is gone after the second.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Binding, Bound, Command, UnitId};
use plimsoll_text::Place;

use super::words::is_secret_name;
use super::written::{Written, target, written};
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-004",
    name: "first-run-state-lost",
    title: "What only the first run knows is dropped by the next",
    theme: Theme::Secrets,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("first_run_state_lost.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let lines = written(facts);
    for line in &lines {
        made_once(facts, line, findings);
    }
    for (unit, program) in facts.commands.units() {
        if !program.origin.is_documentation() {
            removed_with_its_folder(facts, unit, &lines, findings);
        }
    }
}

/// A secret that is made under a condition is written without one: the second run writes it empty.
fn made_once(facts: &Facts, line: &Written<'_>, findings: &mut Findings<'_>) {
    let writer = line.command;
    let appends = writer.outputs.iter().any(|output| output.append);
    if !line.expands || appends || !is_secret_name(&line.key) || !writer.guards.is_empty() {
        return;
    }
    let value = line.value.trim().trim_matches(['"', '\'']);
    let Some(name) = value.strip_prefix('$').map(|name| name.trim_matches(['{', '}'])) else { return };
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return;
    }
    let all: Vec<&Binding> = facts.commands.bindings(writer.unit).of(name).collect();
    let Some(made) = all.iter().find(|binding| binding.guarded && is_made(binding)) else { return };
    let only_there = all.iter().all(|binding| binding.place == made.place || is_empty(binding));
    let Some(guard) = condition_of(facts, writer.unit, made, name) else { return };
    if only_there {
        findings
            .add(line.place, format!("`{}` is empty from the second run on", line.key))
            .label("written at every run")
            .related(made.place, "made only where there is none yet")
            .related(guard, "this does not hold at the second run")
            .note("what was made first is overwritten, and nothing else knows it")
            .help("keep it in a file of its own when it is made, and read it from there when it exists");
    }
}

fn is_made(binding: &Binding) -> bool {
    matches!(&binding.bound, Bound::Word(word) if word.text().contains("$(") || word.text().contains('`'))
}

fn is_empty(binding: &Binding) -> bool {
    matches!(&binding.bound, Bound::Word(word) if word.text().trim_matches(['"', '\'']).is_empty())
}

/// The condition around the assignment, when it asks for something else than the variable itself.
fn condition_of(facts: &Facts, unit: UnitId, made: &Binding, name: &str) -> Option<Place> {
    let inside = facts.commands.of_unit(unit).iter().find(|command| {
        !command.guards.is_empty()
            && command.place.file == made.place.file
            && made.place.span.contains(command.place.span)
    })?;
    let guard = inside.guards.last()?;
    let condition = guard.condition;
    // Where the script ends otherwise, nothing is written with an empty value.
    let ends_otherwise = facts.commands.of_unit(unit).iter().any(|command| {
        matches!(command.program.as_str(), "exit" | "die")
            && command.guards.last().is_some_and(|g| g.condition == condition && g.negated != guard.negated)
    });
    if ends_otherwise {
        return None;
    }
    let text = facts.text(condition);
    let asks = ["-f ", "-e ", "-d ", "grep", "list", "exists", "status", "inspect"];
    (!text.contains(name) && asks.iter().any(|word| text.contains(word))).then_some(condition)
}

/// The checkout with its `.env` is removed and cloned anew, and a `.env` with placeholders takes its place.
fn removed_with_its_folder(facts: &Facts, unit: UnitId, lines: &[Written<'_>], findings: &mut Findings<'_>) {
    let commands = facts.commands.of_unit(unit);
    for (index, removal) in commands.iter().enumerate() {
        let recursive = removal.flag(&["-r", "-R", "--recursive"]).is_some();
        if removal.program != "rm" || !recursive || !removal.guards.is_empty() {
            continue;
        }
        let later = || commands.iter().skip(index + 1);
        let removes = |folder: &str| removal.operands().any(|arg| same_folder(&arg.value.text, folder));
        let Some(clone) = later().find(|command| {
            command.is("git", &["clone"])
                && command.operands().count() == 3
                && command.operands().last().is_some_and(|arg| removes(&arg.value.text))
        }) else {
            continue;
        };
        let saved = commands.iter().take(index).any(|command| {
            matches!(command.program.as_str(), "cp" | "mv" | "cat" | "tar" | "rsync")
                && command.arg_texts().any(|arg| arg.contains(".env"))
        });
        let written = later().find(|command| command.id > clone.id && fills_dotenv(command));
        let Some(written) = written.filter(|_| !saved) else { continue };
        let by_hand = lines
            .iter()
            .find(|line| line.command.id == written.id && is_secret_name(&line.key) && by_hand(&line.value));
        let copied = written.program == "cp";
        if by_hand.is_none() && !copied {
            continue;
        }
        let finding =
            findings.add(removal.place, "the next run removes the `.env` that was filled in after this one");
        finding
            .label("the checkout goes, and what git does not know goes with it")
            .related(clone.place, "cloned anew")
            .related(written.place, "a `.env` with placeholders takes the place of the real one");
        if let Some(line) = by_hand {
            finding.related(line.place, format!("`{}` has to be filled in by hand", line.key));
        }
        finding
            .note("keys that somebody entered are lost, and the app starts without them")
            .help("update the checkout (`git fetch`, `git reset --hard`), and write `.env` only where there is none");
    }
}

fn same_folder(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_end_matches('/'), b.trim_end_matches('/'));
    !a.is_empty() && a == b
}

/// Whether a command writes a whole `.env`.
fn fills_dotenv(command: &Command) -> bool {
    let is_dotenv = |path: &str| path == ".env" || path.ends_with("/.env");
    let by_copy = command.program == "cp"
        && command.operands().last().is_some_and(|arg| is_dotenv(&arg.value.text))
        && command.operands().next().is_some_and(|arg| arg.value.text.contains("example"));
    let asks = !command.guards.is_empty() || command.outputs.iter().any(|output| output.append);
    !asks && (by_copy || target(command).is_some_and(is_dotenv))
}

/// Whether a value stands for one that a person has to enter.
fn by_hand(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'']);
    !value.contains('$') && super::words::is_placeholder(value)
}
