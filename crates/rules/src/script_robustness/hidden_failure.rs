//! A failure is hidden.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate};
use plimsoll_text::{Edit, FileId, Place};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-002",
    name: "hidden-failure",
    title: "A failure is hidden",
    theme: Theme::ScriptRobustness,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("hidden_failure.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<Hidden>>::new();
    for command in facts.commands.iter() {
        if facts.commands.unit(command.unit).origin.is_documentation() {
            continue;
        }
        let chain = carriers(facts, command);
        let handlers: Vec<&str> = chain
            .iter()
            .filter_map(|c| match c.fate {
                Fate::Masked { handler } => Some(facts.text(handler).trim()),
                _ => None,
            })
            .collect();
        let swallowed = handlers.iter().any(|handler| matches!(*handler, "true" | ":"));
        let hidden = chain.iter().any(|c| c.hides_errors());
        let renamed = hidden && handlers.iter().any(|handler| handler.starts_with("echo"));
        filtered_away(facts, command, &mut files);
        let handler = chain.iter().find_map(|c| match c.fate {
            Fate::Masked { handler } => Some(handler),
            _ => None,
        });
        if (swallowed && matters(command)) || (renamed && (matters(command) || reports(command))) {
            let entry = files.entry(command.place.file).or_default();
            entry.push((command.place, name(command), shown(facts, handler), false));
        }
    }
    for places in files.values() {
        let Some((place, what, ..)) = places.first() else { continue };
        let edits = places.iter().map(|(_, _, edit, _)| edit.clone()).collect();
        let fix = if places.iter().all(|(.., safe)| *safe) {
            edits::safe("let the failure end the step", edits)
        } else {
            edits::review("let the failures end the script", edits)
        };
        let finding = findings.add(*place, format!("every failure of `{what}` is swallowed"));
        finding.label("the script goes on as if it had worked");
        for (other, what, ..) in places.iter().skip(1) {
            finding.related(*other, format!("`{what}` too"));
        }
        finding
            .help("let it fail, or test for the one case that is expected and show the error text")
            .fix(fix);
    }
}

/// A command and those that carry it, from the inside out.
fn carriers<'a>(facts: &'a Facts, command: &'a Command) -> Vec<&'a Command> {
    let mut chain = vec![command];
    let mut current = command;
    while let Some(carrier) = current.carrier.and_then(|id| facts.commands.get(id)) {
        if carrier.id >= current.id {
            break;
        }
        chain.push(carrier);
        current = carrier;
    }
    chain
}

/// Work in front of `| grep … || true`: its own failure is lost with the filter's.
fn filtered_away(facts: &Facts, command: &Command, files: &mut BTreeMap<FileId, Vec<Hidden>>) {
    let Fate::Masked { handler } = command.fate else { return };
    if command.program != "grep" || !matches!(facts.text(handler).trim(), "true" | ":") {
        return;
    }
    let Some(pipe) = command.pipeline else { return };
    let work = facts.commands.of_unit(command.unit).iter().find(|other| {
        pipe.span.contains(other.place.span)
            && (matters(other) || matches!(other.program.as_str(), "tar" | "unzip" | "npm" | "alembic"))
    });
    if let Some(work) = work {
        let tail = edits::up_to(edits::last_word(work), handler);
        let filter = facts.text(tail).trim_start().trim_start_matches("2>&1").trim_start();
        let noise = filter.starts_with("| grep -v ") && pipe.length == 2;
        let edit = noise.then(|| edits::remove(tail));
        files.entry(work.place.file).or_default().push((work.place, name(work), edit, true));
    }
}

/// A place with its name, the edit that shows the failure, and whether that edit only brings back some lines of output.
type Hidden = (Place, String, Option<Edit>, bool);

/// Removes `|| true`.
fn shown(facts: &Facts, handler: Option<Place>) -> Option<Edit> {
    let handler = handler.filter(|handler| matches!(facts.text(*handler).trim(), "true" | ":"))?;
    edits::without_alternative(facts, handler)
}

/// Steps whose failure leaves the deployment half done.
fn matters(command: &Command) -> bool {
    command.is("docker", &["compose", "up"])
        || command.is("docker", &["compose", "pull"])
        || command.is("docker", &["compose", "build"])
        || command.is("docker", &["build"])
        || command.is("docker", &["pull"])
        || command.is("pct", &["push"])
        || command.is("pveum", &["user", "token", "delete"])
        || command.is("pveum", &["user", "token", "remove"])
        || matches!(command.program.as_str(), "scp" | "rsync")
        || matches!(command.program.as_str(), "tflint" | "shellcheck" | "hadolint")
}

/// Questions whose error is itself the news.
fn reports(command: &Command) -> bool {
    command.is("docker", &["compose", "ps"]) || command.is("docker", &["ps"])
}

fn name(command: &Command) -> String {
    let words: Vec<&str> = command.operands().take(2).map(|arg| arg.value.text.as_str()).collect();
    let count = if command.program == "docker" { 2 } else { 0 };
    format!("{} {}", command.program, words.into_iter().take(count).collect::<Vec<_>>().join(" "))
        .trim()
        .to_owned()
}
