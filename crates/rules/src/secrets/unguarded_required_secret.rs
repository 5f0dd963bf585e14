//! Missing secret becomes an empty one.

use plimsoll_model::Facts;
use plimsoll_model::compose::{Operator, Variable, VariableSource};

use plimsoll_text::Edit;

use super::words::is_secret_name;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-010",
    name: "unguarded-required-secret",
    title: "Missing secret becomes an empty one",
    theme: Theme::Secrets,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Docker Compose, Interpolation",
        url: "https://docs.docker.com/reference/compose-file/interpolation/",
    }],
    doc: include_str!("unguarded_required_secret.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        let mut bare: Vec<&Variable> = stack
            .services()
            .flat_map(|service| service.environment.values())
            .flat_map(|entry| &entry.variables)
            .filter(|variable| is_secret_name(&variable.name) || variable.name.ends_with("_KEY"))
            .filter(|variable| {
                variable.operator == Operator::None && variable.source == VariableSource::Unset
            })
            .collect();
        bare.sort_by_key(|variable| variable.place);
        bare.dedup_by_key(|variable| variable.place);
        let Some((first, rest)) = bare.split_first() else { continue };
        let finding =
            findings.add(first.place, format!("without `{}` the stack starts with an empty one", first.name));
        finding.label("no guard");
        for variable in rest {
            finding.related(variable.place, format!("nor has `{}`", variable.name));
        }
        finding.help("write `${NAME:?}`, then Compose refuses to start without it").fix(edits::safe(
            "refuse to start without the secrets",
            bare.iter().map(|variable| guard(facts, variable)).collect(),
        ));
    }
}

/// `$NAME` and `${NAME}` as `${NAME:?}`, which Compose refuses to leave empty.
fn guard(facts: &Facts, variable: &Variable) -> Option<Edit> {
    if !edits::is_in_compose_file(facts, variable.place) {
        return None;
    }
    let name = &variable.name;
    let text = facts.text(variable.place);
    let plain = text == format!("${name}") || text == format!("${{{name}}}");
    plain.then(|| edits::replace(variable.place, format!("${{{name}:?set {name}}}")))
}
