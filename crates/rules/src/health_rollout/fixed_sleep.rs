//! Time in place of a condition.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use plimsoll_model::commands::Command;
use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::yaml::Node;
use plimsoll_text::{FileId, Place, Span};

use super::actions::{is_local_work, prints, probes, starts};
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-004",
    name: "fixed-sleep",
    title: "Fixed sleep stands for waiting",
    theme: Theme::HealthRollout,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "docker compose up, --wait",
        url: "https://docs.docker.com/reference/cli/docker/compose/up/",
    }],
    doc: include_str!("fixed_sleep.md"),
    check,
};

const NOTE: &str = "on a slow day the next step meets something that is not there yet and fails; on all others time is wasted";

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let can_end = LazyCell::new(|| super::waiting::can_end(facts));
    for (id, unit) in facts.commands.units() {
        if unit.origin.is_documentation() {
            continue;
        }
        let commands = facts.commands.of_unit(id);
        for (index, command) in commands.iter().enumerate() {
            if command.program != "sleep" || command.in_loop || seconds(command).is_none_or(|time| time < 3) {
                continue;
            }
            let Some(start) = started_before(facts, commands, index) else { continue };
            if is_local_work(facts, start) {
                continue;
            }
            let next = next_step(facts, commands, index);
            if next.is_some_and(|next| next.in_loop && probes(next)) {
                continue;
            }
            let what = first_words(start);
            let finding = findings.add(
                command.place,
                format!("`{}` stands for waiting until `{what}` has taken effect", facts.text(command.place)),
            );
            finding.related(start.place, "this needs an unknown time");
            if let Some(next) = next {
                finding.related(next.place, "this relies on it");
            }
            let is_machine = matches!(start.program.as_str(), "pct" | "qm");
            if is_machine || next.is_none() {
                finding.severity(Severity::Low);
            }
            finding.fix(edits::safe(
                "wait for what was started",
                super::waiting::instead_of(facts, command, start, *can_end),
            ));
            finding.note(NOTE).help("wait for the condition itself, with a limit: `docker compose up --wait`, or a loop that probes and gives up");
        }
    }
    ansible(facts, findings);
    python(facts, findings);
}

fn seconds(command: &Command) -> Option<u64> {
    let text = command.arg(0)?;
    let (number, unit) = match text.strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.trim_end_matches('s'), 1),
    };
    Some(number.parse::<u64>().ok()?.saturating_mul(unit))
}

fn first_words(command: &Command) -> String {
    let words: Vec<&str> = command.operands().take(2).map(|arg| arg.value.text.as_str()).collect();
    format!("{} {}", command.program, words.join(" ")).trim().to_owned()
}

/// The nearest command before an index that does more than talk, when it sets something running.
fn started_before<'a>(facts: &Facts, commands: &'a [Command], index: usize) -> Option<&'a Command> {
    let own = commands.get(index)?;
    let mut before = commands.get(..index)?.iter().rev().filter(|command| command.function == own.function);
    let nearest = before.find(|command| {
        !prints(facts, command) && !matches!(command.program.as_str(), "set" | "local" | "cd" | "true")
    })?;
    starts(nearest).then_some(nearest)
}

fn next_step<'a>(facts: &Facts, commands: &'a [Command], index: usize) -> Option<&'a Command> {
    let own = commands.get(index)?;
    let mut after = commands.get(index + 1..)?.iter().filter(|command| command.function == own.function);
    after.find(|command| !prints(facts, command))
}

/// `wait_for` with nothing but a time, and `pause`.
fn ansible(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<FileId, Vec<Place>> = BTreeMap::new();
    for (file, stream) in facts.trees.yaml_of(Kind::Ansible) {
        for document in &stream.documents {
            for item in document.items() {
                tasks(file, item, 0, &mut found);
            }
        }
    }
    for places in found.into_values() {
        let mut rest = places.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings.add(first, "this task only lets time pass");
        for place in rest {
            finding.related(place, "this one, too");
        }
        finding.note(NOTE).help("wait for the condition itself: `wait_for` with `port` or `path`, `wait_for_connection`, or `until` with `retries`");
    }
}

fn tasks(file: FileId, node: &Node, depth: u8, found: &mut BTreeMap<FileId, Vec<Place>>) {
    if depth > 12 {
        return;
    }
    for entry in node.entries() {
        let Some(key) = entry.key.as_str() else { continue };
        match key.rsplit('.').next().unwrap_or_default() {
            "tasks" | "pre_tasks" | "post_tasks" | "handlers" | "block" | "rescue" | "always" => {
                for item in entry.value.items() {
                    tasks(file, item, depth + 1, found);
                }
            }
            "wait_for" if entry.value.is_mapping() => {
                let only_time = entry
                    .value
                    .entries()
                    .iter()
                    .all(|option| matches!(option.key.as_str(), Some("timeout" | "delay")));
                if only_time {
                    found
                        .entry(file)
                        .or_default()
                        .push(Place::new(file, entry.key.span.cover(entry.value.span)));
                }
            }
            "pause"
                if entry.value.get("prompt").is_none()
                    && (entry.value.get("seconds").is_some() || entry.value.get("minutes").is_some()) =>
            {
                found.entry(file).or_default().push(Place::new(file, entry.key.span.cover(entry.value.span)));
            }
            _ => {}
        }
    }
}

/// `time.sleep(N)` outside loops in programs that start guests or containers.
fn python(facts: &Facts, findings: &mut Findings<'_>) {
    for file in facts.trees.of_kind(Kind::Python) {
        let source = facts.files.get(file);
        let starts = ["pct start", "pct create", "qm start", "compose up", "\"pct\"", "docker start"];
        if !source.holds("time.sleep(") || !starts.iter().any(|words| source.holds(words)) {
            continue;
        }
        let text = source.text();
        let mut places = Vec::new();
        let mut offset = 0usize;
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for (index, line) in lines.iter().enumerate() {
            let code = line.trim();
            let long = code
                .strip_prefix("time.sleep(")
                .and_then(|rest| rest.split(')').next()?.parse::<f64>().ok())
                .is_some_and(|time| time >= 3.0);
            if long && !in_python_loop(&lines, index) {
                let start = offset + line.len() - line.trim_start().len();
                let (Ok(from), Ok(to)) = (u32::try_from(start), u32::try_from(start + code.len())) else {
                    continue;
                };
                places.push(Place::new(file, Span::new(from, to)));
            }
            offset += line.len();
        }
        let mut rest = places.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings.add(first, format!("`{}` stands for waiting", facts.text(first)));
        finding.confidence(Confidence::Medium);
        for place in rest {
            finding.related(place, "this one, too");
        }
        finding.note(NOTE).help("ask in a loop with a limit until what was started answers");
    }
}

fn in_python_loop(lines: &[&str], index: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut limit = lines.get(index).map_or(0, |line| indent(line));
    for line in lines.get(..index).unwrap_or_default().iter().rev() {
        if line.trim().is_empty() || indent(line) >= limit {
            continue;
        }
        limit = indent(line);
        let code = line.trim_start();
        if code.starts_with("for ") || code.starts_with("while ") {
            return true;
        }
        if code.starts_with("def ") || limit == 0 {
            return false;
        }
    }
    false
}
