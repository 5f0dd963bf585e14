//! Deployment programs in Python that end well whatever their commands said.

use std::collections::BTreeSet;

use plimsoll_model::commands::{Command, Machine, Origin};
use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::python::{self, ExprKind, Statement, StatementKind};
use plimsoll_text::{FileId, Layer, Place, SourceFile, Span};

use super::actions::claims_success;
use crate::Findings;

/// Results that nobody reads, failures that are only printed.
pub(super) fn unread(facts: &Facts, findings: &mut Findings<'_>) {
    let deploys: BTreeSet<FileId> = facts
        .commands
        .iter()
        .filter(|command| facts.commands.unit(command.unit).origin == Origin::Program && changes(command))
        .map(|command| command.place.file)
        .collect();
    for id in deploys {
        if facts.trees.kind(id) != Kind::Python || facts.is_development(id) {
            continue;
        }
        let file = facts.files.get(id);
        let layer = Layer::whole(id, file);
        let module = python::parse(&layer);
        let mut signs: Vec<(Place, &str)> = Vec::new();
        list(facts, &module.body, &Around::default(), &mut signs);
        let claim = success(facts, &module.body);
        if claim.is_some() {
            signs.extend(unread_statuses(id, file));
        }
        signs.sort();
        signs.dedup_by_key(|sign| sign.0);
        let (Some(((first, what), rest)), Some(place)) = (signs.split_first(), claim) else { continue };
        let finding = findings.add(place, "this program ends as a success whatever its commands say");
        if place == *first {
            finding.label(*what);
        } else {
            finding.label("printed in any case").related(*first, *what);
        }
        for (place, what) in rest.iter().filter(|(other, _)| *other != place) {
            finding.related(*place, *what);
        }
        finding
            .note("the exit status is 0, so whoever calls this goes on as if the application worked")
            .help("read each status and end with `sys.exit(1)` when one is not 0");
    }
}

/// Whether a command makes or replaces what is deployed.
fn changes(command: &Command) -> bool {
    command.starts_services()
        || command.is("pct", &["create"])
        || command.is("qm", &["create"])
        || command.is("terraform", &["apply"])
        || command.is("tofu", &["apply"])
        || command.is("docker", &["build"])
        || matches!(command.program.as_str(), "tar" | "unzip" | "ansible-playbook")
            && command.machine != Machine::Workstation
}

/// What a list of statements stands in.
#[derive(Clone, Copy, Default)]
struct Around {
    in_loop: bool,
    /// Whether the function answers with a value, which its caller may judge.
    answers: bool,
}

fn list<'a>(
    facts: &Facts,
    statements: &[Statement<'a>],
    around: &Around,
    signs: &mut Vec<(Place, &'static str)>,
) {
    let mut before = "";
    for statement in statements {
        let mut inner = *around;
        match &statement.kind {
            StatementKind::Function { body, .. } => {
                inner = Around { in_loop: false, answers: returns_value(body) };
            }
            StatementKind::Block { keyword, header, body } => {
                inner.in_loop |= matches!(*keyword, "for" | "while");
                let line = facts.text(statement.place);
                let only_prints = !body.is_empty() && body.iter().all(is_print);
                let broad = *keyword == "except"
                    && (header.is_empty()
                        || line.contains("except Exception")
                        || line.contains("except BaseException"));
                if broad && only_prints && !around.in_loop && !around.answers {
                    signs.push((statement.place, "every error ends here as a line of text"));
                }
                let of_status = ["exit_status", "returncode", "exit_code", "status"];
                let names_status = |text: &str| of_status.iter().any(|word| text.contains(word));
                if matches!(*keyword, "if" | "elif")
                    && only_prints
                    && names_status(line)
                    && line.contains("!= 0")
                {
                    signs.push((statement.place, "a failure is printed, and the next step follows"));
                }
                if *keyword == "else" && only_prints && names_status(before) && before.contains("== 0") {
                    signs.push((statement.place, "a failure is printed, and the program ends with status 0"));
                }
                let asks = header.first().is_some_and(|header| matches!(&header.kind, ExprKind::Operation("not", of) if matches!(of.first().map(|e| &e.kind), Some(ExprKind::Call(..)))));
                let warns =
                    body.first().is_some_and(|first| is_print(first) && regrets(facts.text(first.place)));
                let goes_on = body.iter().skip(1).all(|own| {
                    is_print(own)
                        || matches!(&own.kind, StatementKind::Return(Some(value)) if value.as_bool() == Some(true))
                });
                if *keyword == "if" && asks && warns && goes_on && !around.in_loop {
                    signs.push((statement.place, "what failed here is only warned about"));
                }
                before = line;
            }
            _ => {}
        }
        list(facts, statement.body(), &inner, signs);
    }
}

fn returns_value(body: &[Statement<'_>]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StatementKind::Return(Some(value)) => !matches!(value.kind, ExprKind::Name("None")),
        StatementKind::Function { .. } => false,
        _ => returns_value(statement.body()),
    })
}

/// Whether a statement only tells somebody something.
fn is_print(statement: &Statement<'_>) -> bool {
    let StatementKind::Expression(call) = &statement.kind else { return false };
    let Some((function, _)) = call.as_call() else { return false };
    function.last_name().is_some_and(|name| {
        matches!(name, "print" | "error" | "warning" | "warn" | "info" | "exception" | "echo" | "secho")
            || name.starts_with("log")
            || name.starts_with("print_")
    })
}

fn regrets(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "not ready",
        "not completed",
        "failed",
        "timeout",
        "timed out",
        "not available",
        "could not",
        "continuing",
    ]
    .iter()
    .any(|word| text.contains(word))
}

/// The last line that announces success.
fn success(facts: &Facts, statements: &[Statement<'_>]) -> Option<Place> {
    let mut found = None;
    for statement in statements {
        if is_print(statement) && announces(facts.text(statement.place)) {
            found = Some(statement.place);
        }
        found = success(facts, statement.body()).or(found);
    }
    found
}

/// Success in the languages that deployments speak.
fn announces(text: &str) -> bool {
    let text = text.to_lowercase();
    claims_success(&text.replace("${", "").replace('{', ""))
        || [
            "sucesso",
            "conclu",
            "éxito",
            "erfolg",
            "fertig",
            "succès",
            "terminé",
            "успешно",
            "готово",
            "успішно",
        ]
        .iter()
        .any(|word| text.contains(word))
}

/// Remote commands (`exec_command` of Paramiko) whose exit status nobody looks at.
fn unread_statuses(id: FileId, file: &SourceFile) -> Vec<(Place, &'static str)> {
    let text = file.text();
    let calls: Vec<usize> = text.match_indices(".exec_command(").map(|(at, _)| at).collect();
    let mut found = Vec::new();
    for (index, at) in calls.iter().enumerate() {
        let end = calls.get(index + 1).copied().unwrap_or(text.len());
        let rest = text.get(*at..end).unwrap_or_default();
        let segment = rest.split("\ndef ").next().unwrap_or(rest);
        let read = match segment.find("recv_exit_status()") {
            None => false,
            Some(status) => {
                let line =
                    segment.get(..status).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
                let after = segment.get(status..).unwrap_or_default();
                let name = line.split('=').next().unwrap_or_default().trim();
                let is_assigned = line.contains('=') && !line.contains("==") && !name.contains(' ');
                !is_assigned || after.contains(name)
            }
        };
        if !read {
            let to_u32 = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            let span = Span::new(to_u32(at + 1), to_u32(at + ".exec_command".len()));
            found.push((Place::new(id, span), "nobody looks at the status of this command"));
        }
    }
    found
}
