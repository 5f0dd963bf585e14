//! Missing secret becomes an empty one.

use std::collections::BTreeSet;

use plimsoll_model::compose::{Operator, Variable, VariableSource};
use plimsoll_model::{Facts, Stack};

use plimsoll_model::application::Presence;
use plimsoll_text::{Edit, Fix};

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
        finding.help("write `${NAME:?}`, then Compose refuses to start without it").fix(guarded(
            facts,
            &bare,
            &server_secrets(stack),
        ));
    }
}

/// Variables that give a ready-made server its password: what the application does without it says nothing about that
/// server, which would start with an empty one.
fn server_secrets(stack: &Stack) -> BTreeSet<&str> {
    let servers = stack.services().filter(|service| service.build.is_none());
    let entries = servers.flat_map(|service| service.environment.values());
    entries
        .filter(|entry| entry.key.contains("PASSWORD"))
        .flat_map(|entry| &entry.variables)
        .map(|variable| variable.name.as_str())
        .collect()
}

/// Guards all of them: what the code can do without is marked as such, the rest must be set. Where nothing tells that
/// a value is needed, somebody has to look.
fn guarded(facts: &Facts, variables: &[&Variable], servers: &BTreeSet<&str>) -> Option<Fix> {
    let reads = |name: &str| {
        let name = name.to_owned();
        facts.application.env_reads.iter().filter(move |read| read.name == name)
    };
    let optional = |name: &str| {
        let mut own = reads(name).peekable();
        !servers.contains(name) && own.peek().is_some() && own.all(|read| read.presence != Presence::Required)
    };
    let needed = |name: &str| {
        name.contains("PASSWORD")
            || name.contains("SECRET")
            || reads(name).any(|read| read.presence == Presence::Required)
    };
    let sure = variables.iter().all(|variable| optional(&variable.name) || needed(&variable.name));
    let edits = variables.iter().map(|variable| guard(facts, variable, optional(&variable.name))).collect();
    let title = "refuse to start without the secrets that are needed";
    if sure { edits::safe(title, edits) } else { edits::review(title, edits) }
}

/// `$NAME` and `${NAME}` as `${NAME:?}`, which Compose refuses to leave empty, or `${NAME:-}`, which says that it may
/// be.
fn guard(facts: &Facts, variable: &Variable, optional: bool) -> Option<Edit> {
    if !edits::is_in_compose_file(facts, variable.place) {
        return None;
    }
    let name = &variable.name;
    let text = facts.text(variable.place);
    let plain = text == format!("${name}") || text == format!("${{{name}}}");
    let new = if optional { format!("${{{name}:-}}") } else { format!("${{{name}:?set {name}}}") };
    plain.then(|| edits::replace(variable.place, new))
}
