//! A file that its reader could not make sense of.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_text::{FileId, SyntaxError};

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
    // Where a reader stumbled once, it stumbles again: one file is one finding.
    let mut files: BTreeMap<FileId, Vec<&SyntaxError>> = BTreeMap::new();
    for error in facts.syntax_errors() {
        files.entry(error.place.file).or_default().push(error);
    }
    for errors in files.values() {
        let Some((first, rest)) = errors.split_first() else { continue };
        let finding = findings.add(first.place, format!("could not read this: {}", first.message));
        for error in rest.iter().take(5) {
            finding.related(error.place, format!("nor this: {}", error.message));
        }
        finding.note("what stands here was not judged, so findings may be missing");
    }
}
