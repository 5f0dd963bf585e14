//! PLM: what stands in the way of this evaluation itself.

mod suppression_without_reason;
mod syntax_error;
mod unknown_rule_in_suppression;
mod unused_suppression;

use crate::selection::RuleSet;
use crate::suppression::Suppressions;
use crate::{Finding, Findings, Rule};

/// The rules of this theme, by code.
pub(crate) const RULES: &[&Rule] = &[
    &suppression_without_reason::RULE,
    &unused_suppression::RULE,
    &unknown_rule_in_suppression::RULE,
    &syntax_error::RULE,
];

type Report = fn(&Suppressions, &RuleSet, &mut Findings<'_>);

/// The findings about suppression comments, which need to know what all other rules found.
pub(crate) fn about_suppressions(suppressions: &Suppressions, rules: &RuleSet, out: &mut Vec<Finding>) {
    let checks: [(&'static Rule, Report); 3] = [
        (&suppression_without_reason::RULE, suppression_without_reason::report),
        (&unused_suppression::RULE, unused_suppression::report),
        (&unknown_rule_in_suppression::RULE, unknown_rule_in_suppression::report),
    ];
    for (rule, report) in checks.into_iter().filter(|(rule, _)| rules.has(rule)) {
        report(suppressions, rules, &mut Findings::new(rule, out));
    }
}
