//! Loops that wait a number of times and then go on as if it had worked.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Origin, Unit};
use plimsoll_syntax::shell::{Stmt, StmtKind, walk};
use plimsoll_text::Place;

use crate::{Findings, Severity};

/// Waiting loops with a way out for success and none for failure.
pub(super) fn loops(facts: &Facts, findings: &mut Findings<'_>) {
    for (_, unit) in facts.commands.units() {
        if unit.origin == Origin::Script && !facts.is_development(unit.file) {
            list(unit, &unit.script.body, 0, findings);
        }
    }
}

fn list(unit: &Unit, statements: &[Stmt], depth: usize, findings: &mut Findings<'_>) {
    for (index, statement) in statements.iter().enumerate() {
        match &statement.kind {
            StmtKind::Function { body, .. } if depth < 8 => list(unit, body, depth + 1, findings),
            StmtKind::For { body, .. } => {
                let rest = statements.get(index + 1..).unwrap_or_default();
                let waits = has(body, &["sleep"]);
                let leaves = has(body, &["break"]) && !has(body, &["exit", "return"]);
                // What follows may look at the result; a program that ends here does not.
                let looks = rest.iter().any(|next| !only_prints(next));
                if waits && leaves && !looks {
                    findings
                        .add(Place::new(unit.file, statement.span), "when the last try fails, this ends like a success")
                        .severity(Severity::Medium)
                        .label("a way out for success, none for failure")
                        .help("leave with `exit 0` inside the loop, and end with a message and `exit 1` behind it");
                }
            }
            _ => {}
        }
    }
}

fn has(body: &[Stmt], programs: &[&str]) -> bool {
    let mut found = false;
    walk(body, &mut |statement| {
        if let StmtKind::Simple(simple) = &statement.kind {
            found |= simple.words.first().is_some_and(|word| programs.contains(&word.text()));
        }
    });
    found
}

fn only_prints(statement: &Stmt) -> bool {
    match &statement.kind {
        StmtKind::Simple(simple) => simple
            .words
            .first()
            .is_none_or(|word| matches!(word.text(), "echo" | "printf") || word.text().starts_with("log")),
        _ => false,
    }
}
