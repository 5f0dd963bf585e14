//! A broken connection is taken for an answer.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate, HopKind};
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-003",
    name: "connection-error-as-answer",
    title: "A broken connection is taken for an answer",
    theme: Theme::ScriptRobustness,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("connection_error_as_answer.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<(Place, String)>>::new();
    for command in facts.commands.iter() {
        if facts.commands.unit(command.unit).origin.is_documentation() || !asks(command) {
            continue;
        }
        let outer = facts.commands.outermost(command);
        let remote = command.hops.iter().any(|hop| matches!(hop.kind, HopKind::Ssh { .. }));
        let tested = matches!(outer.fate, Fate::Tested | Fate::Masked { .. });
        let hidden = outer.hides_errors() || command.hides_errors();
        let status = matches!(command.program.as_str(), "pct" | "qm");
        let local = status && matches!(command.fate, Fate::Masked { .. });
        if hidden && ((remote && tested) || local) {
            let what = format!("{} {}", command.program, command.arg(0).unwrap_or_default());
            files.entry(outer.place.file).or_default().push((outer.place, what));
        }
    }
    for places in files.values() {
        let Some((place, what)) = places.first() else { continue };
        let finding = findings
            .add(*place, format!("a failed connection looks like the answer \"no\" of `{}`", what.trim()));
        finding.label("any failure takes this branch, and the error text is thrown away");
        for (other, _) in places.iter().skip(1).filter(|(other, _)| other != place) {
            finding.related(*other, "the same here");
        }
        finding.help("check the connection first, and tell exit status 255 of ssh from the command's own");
    }
}

fn asks(command: &Command) -> bool {
    match command.program.as_str() {
        "pct" | "qm" => matches!(command.arg(0), Some("status" | "config")),
        "ls" | "test" | "[" | "stat" => true,
        _ => false,
    }
}
