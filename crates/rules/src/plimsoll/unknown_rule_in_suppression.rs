//! A suppression comment that names no rule.

use crate::selection::{RuleSet, similar_id};
use crate::suppression::Suppressions;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme, registry};

pub(crate) const RULE: Rule = Rule {
    code: "PLM-003",
    name: "unknown-rule-in-suppression",
    title: "Suppression comment names no rule",
    theme: Theme::Plimsoll,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("unknown_rule_in_suppression.md"),
    // The engine calls `report` once the other rules have spoken.
    check: |_, _| {},
};

pub(super) fn report(suppressions: &Suppressions, _: &RuleSet, findings: &mut Findings<'_>) {
    for directive in suppressions.directives() {
        if directive.ids.is_empty() {
            findings
                .add(directive.place, "this suppression names no rule")
                .help("put a code in the brackets");
        }
        for id in directive.ids.iter().filter(|id| registry::find(&id.value).is_none()) {
            let finding = findings.add(id.place, format!("there is no rule `{}`", id.value));
            match similar_id(&id.value) {
                Some(similar) => finding.help(format!("did you mean `{similar}`?")),
                None => finding.help("`plimsoll rules` lists all codes and names"),
            };
        }
    }
}
