//! A file that the program it is written for refuses.

use std::collections::BTreeSet;

use plimsoll_model::commands::{Origin, Unit, UnitId};
use plimsoll_model::compose::ProblemKind;
use plimsoll_model::{Facts, Kind, Stack};
use plimsoll_syntax::shell::{ParameterOp, PartKind};
use plimsoll_syntax::yaml::{Node, NodeKind, Stream};
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-008",
    name: "program-that-cannot-run",
    title: "Script or file of settings is refused when it is used",
    theme: Theme::ScriptRobustness,
    severity: Severity::Critical,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference { title: "ShellCheck, SC2154", url: "https://www.shellcheck.net/wiki/SC2154" },
        Reference {
            title: "Compose file, include",
            url: "https://docs.docker.com/reference/compose-file/include/",
        },
        Reference { title: "YAML, Merge key", url: "https://yaml.org/type/merge.html" },
    ],
    doc: include_str!("program_that_cannot_run.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, unit) in facts.commands.units() {
        if unit.origin == Origin::Script && !is_template(facts, unit.file) {
            unreadable(facts, unit, findings);
            too_early(facts, id, unit, findings);
            never_set(facts, id, unit, findings);
        }
    }
    for (file, stream) in &facts.trees.yaml {
        if is_template(facts, *file) {
            continue;
        }
        let read_as_is = matches!(
            facts.trees.kind(*file),
            Kind::Ansible | Kind::Compose | Kind::Workflow | Kind::Taskfile | Kind::CloudInit
        );
        match stream.errors.first().filter(|_| read_as_is) {
            Some(error) => {
                findings.add(error.place, format!("this file is not valid YAML: {}", error.message));
            }
            None => text_to_merge(*file, stream, findings),
        }
    }
    let mut seen = BTreeSet::new();
    for stack in facts.stacks.iter().filter(|stack| stack.is_deployed()) {
        refused(facts, stack, &mut seen, findings);
    }
}

/// Text in which something is filled in before it is used.
fn is_template(facts: &Facts, file: FileId) -> bool {
    let path = facts.path(file);
    matches!(path.extension(), Some("j2" | "tpl" | "tmpl" | "erb")) || path.as_str().contains("template")
}

fn unreadable(facts: &Facts, unit: &Unit, findings: &mut Findings<'_>) {
    let Some(error) = unit.script.errors.first() else { return };
    findings
        .add(
            error.place,
            format!("the shell cannot read `{}`: {}", facts.files.get(unit.file).name(), error.message),
        )
        .note("what stands in front of this runs, what stands behind it never does")
        .help("run `bash -n` over the script in a check");
}

/// A function that is called above its definition.
fn too_early(facts: &Facts, id: UnitId, unit: &Unit, findings: &mut Findings<'_>) {
    let text = facts.files.get(unit.file).text();
    for function in facts.commands.functions(id) {
        let call = facts.commands.of_unit(id).iter().find(|command| {
            command.program == function.name
                && command.function.is_none()
                && command.carrier.is_none()
                && command.place.span.end <= function.place.span.start
        });
        let Some(call) = call else { continue };
        let before = text.get(..call.place.span.start as usize).unwrap_or_default();
        let known = before.contains(&format!("{}()", function.name))
            || before.contains(&format!("{} ()", function.name))
            || before.contains(&format!("function {}", function.name));
        if !known {
            findings
                .add(call.place, format!("`{}` is called before it is defined", function.name))
                .label("command not found")
                .related(function.place, "defined here")
                .help("put the calls behind all functions");
        }
    }
}

/// A variable of the script's own that nothing sets, where `set -u` makes that an error.
fn never_set(facts: &Facts, id: UnitId, unit: &Unit, findings: &mut Findings<'_>) {
    let commands = facts.commands.of_unit(id);
    if commands.iter().any(|command| matches!(command.program.as_str(), "source" | "." | "eval")) {
        return;
    }
    let text = facts.files.get(unit.file).text();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for command in commands {
        if !command.strict.nounset || command.carrier.is_some() || !command.hops.is_empty() {
            continue;
        }
        for part in command.args.iter().flat_map(|arg| &arg.word.parts) {
            let PartKind::Parameter(parameter) = &part.kind else { continue };
            let name = parameter.name.as_str();
            let own = name.starts_with(|c: char| c.is_ascii_lowercase())
                && !matches!(name, "http_proxy" | "https_proxy" | "no_proxy");
            if !own
                || parameter.expanded_outside > 0
                || !matches!(parameter.operation, ParameterOp::None)
                || facts.commands.bindings(id).of(name).next().is_some()
                || is_named(text, name)
                || !seen.insert(name)
            {
                continue;
            }
            findings
                .add(Place::new(unit.file, part.span), format!("nothing sets `{name}`, and `set -u` is on"))
                .label("the script ends here with `unbound variable`")
                .help("set the variable, or give a default: `${NAME:-}`");
        }
    }
}

/// Whether a name also stands without a `$`: something sets it in a way of its own.
fn is_named(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + name.len()..).unwrap_or_default();
        !before.ends_with(is_part)
            && !after.starts_with(is_part)
            && !before.ends_with('$')
            && !before.ends_with("${")
    })
}

/// `<<:` with a text, which no loader can merge.
fn text_to_merge(file: FileId, stream: &Stream, findings: &mut Findings<'_>) {
    let mut found = Vec::new();
    for document in &stream.documents {
        merges(document, 0, &mut found);
    }
    let Some(first) = found.first() else { return };
    let finding = findings.add(
        Place::new(file, *first),
        "the file cannot be loaded: `<<` merges a mapping, and this is a text",
    );
    for other in found.iter().skip(1) {
        finding.related(Place::new(file, *other), "the same here");
    }
    finding
        .label("the template would be filled in after loading")
        .help("name an anchor (`<<: *name`), or pass each key by itself, or use `module_defaults`");
}

fn merges(node: &Node, depth: usize, found: &mut Vec<plimsoll_text::Span>) {
    if depth > 64 || node.alias {
        return;
    }
    for entry in node.entries() {
        let is_merge = entry.key.as_str() == Some("<<")
            && matches!(entry.value.kind, NodeKind::Scalar(_))
            && !entry.value.alias;
        if is_merge {
            found.push(entry.key.span.cover(entry.value.span));
        }
        merges(&entry.value, depth + 1, found);
    }
    for item in node.items() {
        merges(item, depth + 1, found);
    }
}

/// What Compose itself refuses, whatever the environment holds.
fn refused(facts: &Facts, stack: &Stack, seen: &mut BTreeSet<Place>, findings: &mut Findings<'_>) {
    let mut problems = stack.problems.iter().filter_map(|problem| {
        let certain = problem.is_error
            && matches!(
                problem.kind,
                ProblemKind::Cycle
                    | ProblemKind::UnknownReference
                    | ProblemKind::Interpolation
                    | ProblemKind::Schema
                    | ProblemKind::Conflict
            );
        let place = problem.place.filter(|place| certain && !is_template(facts, place.file))?;
        // An unset variable empties a part of the value here; where it is deployed, an environment may set it.
        let depends = problem.kind == ProblemKind::Schema && facts.text(place).contains('$');
        let part = depends || problem.kind == ProblemKind::Schema && is_part(facts, stack, place);
        (!part && seen.insert(place)).then_some((place, problem.message.as_str()))
    });
    let Some((place, message)) = problems.next() else { return };
    let finding = findings.add(place, format!("Compose refuses this file: {message}"));
    for (place, message) in problems {
        finding.related(place, message);
    }
    if let Some(deployed) = stack.deployed_by {
        finding.related(deployed, "this starts it");
    }
    finding
        .note("no service of the file starts")
        .help("run `docker compose config -q` over the file in a check");
}

/// Whether the place is the name of a service that another file completes: this one is only laid over that.
fn is_part(facts: &Facts, stack: &Stack, place: Place) -> bool {
    let service = stack.services().find(|service| service.place == place);
    service.is_some_and(|service| {
        service.image.is_none()
            && service.build.is_none()
            && stack.deployed_by.is_none()
            && facts
                .stacks
                .iter()
                .flat_map(Stack::services)
                .any(|other| other.name == service.name && other.place.file != place.file)
    })
}
