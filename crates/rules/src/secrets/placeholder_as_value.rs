//! Placeholder takes the place of a missing secret.

use plimsoll_model::Facts;
use plimsoll_model::commands::Bound;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-015",
    name: "placeholder-as-value",
    title: "Placeholder takes the place of a missing secret",
    theme: Theme::Secrets,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[],
    doc: include_str!("placeholder_as_value.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, unit) in facts.commands.units() {
        if unit.origin.is_documentation() {
            continue;
        }
        for binding in facts.commands.bindings(id).iter().filter(|binding| binding.guarded) {
            let Bound::Word(word) = &binding.bound else { continue };
            let Some(value) = word.literal().filter(|value| is_stand_in(value)) else { continue };
            let name = binding.name.to_ascii_uppercase();
            let counts = ["KEY", "SECRET", "TOKEN", "PASS"].iter().any(|part| name.contains(part));
            if !counts {
                continue;
            }
            let used = facts.commands.of_unit(id).iter().find(|command| {
                command
                    .heredoc
                    .as_ref()
                    .is_some_and(|heredoc| heredoc.body.text().contains(&binding.name) && !heredoc.quoted)
            });
            let finding = findings.add(
                binding.place,
                format!("without `{}` the deployment goes on with `{value}`", binding.name),
            );
            finding.label("stands in for a value that is missing");
            if let Some(command) = used {
                finding.related(command.place, "and is deployed here");
            }
            finding.note("the deployment reports success, and the service fails later with a message about a wrong key").help("end the script with a message that names the variable")
                .fix(edits::review("end the script when the value is missing", refuse(facts, binding)));
        }
    }
}

fn is_stand_in(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    [
        "placeholder",
        "changeme",
        "change_me",
        "change-me",
        "dummy",
        "your_",
        "your-",
        "demo",
        "todo",
        "replace_me",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

/// A message and the end of the script in place of the assignment.
fn refuse(facts: &Facts, binding: &plimsoll_model::commands::Binding) -> Option<Vec<plimsoll_text::Edit>> {
    let alone = edits::line_head(facts, binding.place).trim().is_empty()
        && edits::line_tail(facts, binding.place).trim().is_empty();
    let script = facts.trees.kind(binding.place.file) == plimsoll_model::Kind::Shell;
    let indent = edits::indent_of(facts, binding.place);
    let name = &binding.name;
    let lines = format!("echo \"{name} is not set\" >&2\n{indent}exit 1");
    (alone && script).then(|| vec![edits::replace(binding.place, lines)])
}
