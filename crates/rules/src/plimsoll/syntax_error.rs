//! A file that its reader could not make sense of.

use plimsoll_model::Facts;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "PLM-004",
    name: "syntax-error",
    title: "Part of a file could not be read",
    theme: Theme::Plimsoll,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("syntax_error.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for error in facts.syntax_errors() {
        findings
            .add(error.place, format!("could not read this: {}", error.message))
            .note("what stands here was not judged, so findings may be missing");
    }
}
