//! Text that another reader changes before the shell it is meant for sees it.

use std::collections::BTreeMap;

use plimsoll_model::commands::Command;
use plimsoll_model::compose::ProblemKind;
use plimsoll_model::{Facts, Role};
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-007",
    name: "nested-quoting",
    title: "Nested script is changed before its own shell reads it",
    theme: Theme::ScriptRobustness,
    severity: Severity::Critical,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference { title: "ShellCheck, SC2029", url: "https://www.shellcheck.net/wiki/SC2029" },
        Reference {
            title: "Compose file, Interpolation",
            url: "https://docs.docker.com/reference/compose-file/interpolation/",
        },
    ],
    doc: include_str!("nested_quoting.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    eaten_by_compose(facts, findings);
    expanded_too_early(facts, findings);
    cut_in_two(facts, findings);
}

/// `$NAME` of a script in a Compose file, where the script itself sets NAME: Compose puts in nothing.
fn eaten_by_compose(facts: &Facts, findings: &mut Findings<'_>) {
    let mut places: Vec<(bool, Place, String)> = Vec::new();
    for stack in facts.stacks.deployed() {
        for problem in stack.problems.iter().filter(|problem| problem.kind == ProblemKind::UnsetVariable) {
            let Some(place) = problem.place else { continue };
            let name = facts.text(place).trim_matches(['$', '{', '}']).to_owned();
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let within = stack.services().any(|service| {
                let commands = [&service.command, &service.entrypoint].into_iter().flatten();
                let test = service.healthcheck.as_ref().and_then(|check| check.test.as_ref());
                commands.map(|command| command.place).chain(test.map(|test| test.place)).any(|own| {
                    own.file == place.file && own.span.contains(place.span) && sets(facts.text(own), &name)
                })
            });
            if is_name && within {
                places.push((stack.role != Role::Production, place, name));
            }
        }
    }
    places.sort();
    places.dedup();
    let Some(((_, place, name), rest)) = places.split_first() else { return };
    let finding =
        findings.add(*place, format!("Compose replaces `${name}` by nothing before the shell reads it"));
    finding.label("the shell sees an empty text");
    for (_, place, name) in rest {
        finding.related(*place, format!("`${name}`, too"));
    }
    finding
        .note("the script sets the variable itself, so it is not one of Compose")
        .help(format!("write `$${name}`"));
}

/// Whether a script sets a variable of its own.
fn sets(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + name.len()..).unwrap_or_default();
        let set = after.starts_with('=')
            || before.ends_with("for ") && after.starts_with(" in")
            || before.ends_with("read ")
            || before.ends_with("read -r ");
        set && !before.ends_with(is_part) && !before.ends_with('$')
    })
}

/// `for x in $(…)` inside a double-quoted script: the outer shell puts the lines of the output into the text.
fn expanded_too_early(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen: Vec<Place> = Vec::new();
    for command in facts.commands.iter() {
        let Some(carrier) = command.carrier.and_then(|id| facts.commands.get(id)) else { continue };
        let lines = matches!(
            command.program.as_str(),
            "seq" | "ls" | "find" | "cat" | "docker" | "pct" | "qm" | "grep" | "awk" | "cut" | "sort"
        );
        if !lines {
            continue;
        }
        let text = facts.files.get(command.place.file).text();
        let before = text.get(..command.place.span.start as usize).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let in_list = line.strip_suffix("$(").and_then(|line| line.strip_suffix(' ')).is_some_and(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            matches!(words.as_slice(), [.., "for", _, "in"])
        });
        if !in_list {
            continue;
        }
        // What the outer shell fills in shows twice: where it runs and where it seems to run.
        let outside = facts
            .commands
            .of_unit(command.unit)
            .iter()
            .any(|other| other.place == command.place && other.hops.len() < command.hops.len());
        if !outside || seen.contains(&command.place) {
            continue;
        }
        seen.push(command.place);
        let finding =
            findings.add(command.place, "the outer shell fills in this list and breaks the loop apart");
        finding
            .label("each line of the output becomes a line of the script")
            .related(carrier.place, "its text is in double quotes here")
            .note("the inner shell meets a syntax error in the middle, after the commands above have run")
            .help("write `\\$(…)`, or hand the script over by a quoted here document");
    }
}

/// `qm set ID --boot order=a;b` without quotes: the shell ends the command at `;`.
fn cut_in_two(facts: &Facts, findings: &mut Findings<'_>) {
    let disks: Vec<&Command> = facts.commands.iter().filter(|command| is_disk(command)).collect();
    if disks.is_empty() {
        return;
    }
    let ends: BTreeMap<(FileId, u32), &Command> = facts
        .commands
        .iter()
        .map(|command| ((command.place.file, command.place.span.end), command))
        .collect();
    for command in disks {
        let file = command.place.file;
        let text = facts.files.get(file).text();
        let before = text.get(..command.place.span.start as usize).unwrap_or_default();
        let end = before.trim_end().strip_suffix(';').map(|before| before.trim_end().len());
        let before = end.and_then(|end| ends.get(&(file, u32::try_from(end).ok()?)));
        let Some(before) = before.filter(|before| before.unit == command.unit) else { continue };
        if before.arg_texts().any(|text| text.starts_with("order=") || text.starts_with("--boot")) {
            findings
                .add(
                    before.place,
                    format!(
                        "the shell ends this command at `;` and then looks for a program `{}`",
                        command.program
                    ),
                )
                .related(command.place, "this was to be the second device of the order")
                .help("quote the value: `--boot 'order=…;…'`");
        }
    }
}

/// Whether what looks like a command is the name of a guest's device, such as `net0`.
fn is_disk(command: &Command) -> bool {
    let bus = command.program.trim_end_matches(|c: char| c.is_ascii_digit());
    matches!(bus, "scsi" | "ide" | "sata" | "virtio" | "net")
        && bus.len() < command.program.len()
        && command.args.is_empty()
}
