//! A suppression comment that does not say why.

use crate::selection::RuleSet;
use crate::suppression::Suppressions;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "PLM-001",
    name: "suppression-without-reason",
    title: "Suppression comment without a reason",
    theme: Theme::Plimsoll,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("suppression_without_reason.md"),
    // The engine calls `report` once the other rules have spoken.
    check: |_, _| {},
};

pub(super) fn report(suppressions: &Suppressions, _: &RuleSet, findings: &mut Findings<'_>) {
    for directive in suppressions.directives().filter(|directive| directive.reason.is_empty()) {
        findings
            .add(directive.place, "this suppression has no reason, so it has no effect")
            .help("say behind the bracket why the finding is acceptable here");
    }
}
