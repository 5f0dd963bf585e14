//! Document names a task or script that does not exist.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::commands::{Command, Origin};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DOC-003",
    name: "documented-command-missing",
    title: "Document names a task or script that does not exist",
    theme: Theme::DocsDrift,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("documented_command_missing.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let names = |pick: fn(&Origin) -> Option<&String>| -> BTreeSet<&str> {
        facts.commands.units().filter_map(|(_, unit)| pick(&unit.origin)).map(String::as_str).collect()
    };
    let tasks = names(|origin| if let Origin::Task { name } = origin { Some(name) } else { None });
    let targets = names(|origin| if let Origin::Recipe { name } = origin { Some(name) } else { None });
    for file in facts.trees.of_kind(Kind::Markdown) {
        if !is_about_operations(facts, file) {
            continue;
        }
        let mut missing: Vec<(Place, String)> = Vec::new();
        for command in facts.commands.in_file(file) {
            let unit = facts.commands.unit(command.unit);
            if unit.file == file
                && unit.origin.is_documentation()
                && let Some(name) = absent(facts, command, &tasks, &targets)
            {
                missing.push((command.place, name));
            }
        }
        missing.extend(inline(facts, file, &tasks));
        missing.sort();
        missing.dedup_by(|b, a| a.1 == b.1);
        let Some(((place, name), rest)) = missing.split_first() else { continue };
        let finding = findings.add(*place, format!("`{name}` does not exist"));
        finding.label("cannot be run");
        for (place, name) in rest {
            finding.related(*place, format!("nor does `{name}`"));
        }
        finding
            .note("whoever follows this document in an emergency finds out then")
            .help("name what exists, or write it");
    }
}

/// Documents that people follow to run the app; plans, notes and archives name what was or may be.
fn is_about_operations(facts: &Facts, file: FileId) -> bool {
    let path = facts.path(file).as_str().to_ascii_lowercase();
    let old = ["archive", "plan", "progress", "changelog", "history", "adr", "notes"]
        .iter()
        .any(|word| path.contains(word));
    let about = ["deploy", "proxmox", "operat", "runbook", "install", "production", "backup", "server"]
        .iter()
        .any(|word| path.contains(word));
    !old && (about || path == "readme.md")
}

/// `task x` and `make x` without such a task, scripts of the project that are not there.
fn absent(
    facts: &Facts,
    command: &Command,
    tasks: &BTreeSet<&str>,
    targets: &BTreeSet<&str>,
) -> Option<String> {
    let first = command.operands().next().map(|arg| arg.value.text.as_str());
    match command.program.as_str() {
        "task" | "go-task" if !tasks.is_empty() => {
            let name =
                first.filter(|name| is_name(name) && !tasks.contains(name) && !included(facts, name))?;
            Some(format!("task {name}"))
        }
        "make" if !targets.is_empty() && command.option(&["-C", "-f"]).is_none() => {
            let name = first.filter(|name| is_name(name) && !targets.contains(name))?;
            Some(format!("make {name}"))
        }
        "bash" | "sh" => script(facts, first?),
        _ => script(facts, facts.text(command.place).split_whitespace().next()?),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.'))
}

/// Namespaces come from included Taskfiles, whose own names have no prefix.
fn included(facts: &Facts, name: &str) -> bool {
    let Some((namespace, _)) = name.split_once(':') else { return false };
    facts.trees.yaml_of(Kind::Taskfile).any(|(_, stream)| {
        stream.documents.iter().any(|document| document.at(&["includes", namespace]).is_some())
    })
}

/// A relative path to a shell script, written with its folder, that no file of the project has.
fn script(facts: &Facts, word: &str) -> Option<String> {
    let path = word.strip_prefix("./").unwrap_or(word);
    let looks_right = path.contains('/') && path.ends_with(".sh") && is_path(path);
    if !looks_right {
        return None;
    }
    let wanted = Utf8PathBuf::from(path);
    let exists = facts.inventory.named(wanted.file_name()?) > 0
        && facts.inventory.paths().any(|known| known == wanted || known.ends_with(&wanted));
    if exists {
        return None;
    }
    let folder_is_ours = wanted.parent().is_some_and(|parent| {
        facts
            .inventory
            .paths()
            .any(|known| known.parent().is_some_and(|own| own == parent || own.ends_with(parent)))
    });
    (folder_is_ours && wanted != Utf8Path::new("")).then(|| word.to_owned())
}

fn is_path(path: &str) -> bool {
    !path.starts_with(['/', '~', '$'])
        && path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'))
}

/// `task x` in running text and headings.
fn inline(facts: &Facts, file: FileId, tasks: &BTreeSet<&str>) -> Vec<(Place, String)> {
    let Some(tree) = facts.trees.markdown.get(&file).filter(|_| !tasks.is_empty()) else { return Vec::new() };
    let spans = tree.lines.iter().flat_map(|line| tree.code_spans(line));
    spans
        .filter_map(|span| {
            let name = span.value.strip_prefix("task ")?.split_whitespace().next()?;
            let absent =
                is_name(name) && !tasks.contains(name) && !included(facts, name) && !name.ends_with(':');
            absent.then(|| (span.place, format!("task {name}")))
        })
        .collect()
}
