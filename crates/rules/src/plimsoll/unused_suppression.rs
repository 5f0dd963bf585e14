//! A suppression comment that accepts nothing.

use crate::selection::RuleSet;
use crate::suppression::Suppressions;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme, registry};

pub(crate) const RULE: Rule = Rule {
    code: "PLM-002",
    name: "unused-suppression",
    title: "Suppression comment without a finding",
    theme: Theme::Plimsoll,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("unused_suppression.md"),
    // The engine calls `report` once the other rules have spoken.
    check: |_, _| {},
};

pub(super) fn report(suppressions: &Suppressions, rules: &RuleSet, findings: &mut Findings<'_>) {
    let ran = |code: &str| registry::find(code).is_some_and(|rule| rules.has(rule));
    for (place, rule) in suppressions.unused(ran) {
        findings
            .add(place, format!("`{}` finds nothing on the line that this comment speaks of", rule.code))
            .help("remove the comment, or move it to the line of the finding");
    }
}
