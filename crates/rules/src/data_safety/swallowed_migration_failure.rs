//! Failure of a migration is swallowed.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Fate, Machine};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-003",
    name: "swallowed-migration-failure",
    title: "Failure of a migration is swallowed",
    theme: Theme::DataSafety,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("swallowed_migration_failure.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter().filter(|command| command.migrates()) {
        let unit = facts.commands.unit(command.unit);
        if unit.origin.is_documentation() || command.machine == Machine::Build {
            continue;
        }
        let how = match &command.fate {
            Fate::Masked { handler } => Some((*handler, "runs instead, and the script goes on")),
            Fate::Lost => Some((command.place, "its exit status is lost here")),
            Fate::Fatal | Fate::Tested | Fate::Unchecked => None,
        };
        let Some((handler, text)) = how else { continue };
        let finding = findings.add(command.place, "a failed migration does not stop this deployment");
        finding.label("may fail");
        if handler != command.place {
            finding.related(handler, text);
        }
        finding
            .note("the new code then serves on the old schema, and the deployment is reported as good")
            .help("let the failure end the deployment, and put the previous version back")
            .fix(edits::safe(
                "let a failed migration end the deployment",
                fatal(facts, command, handler).map(|edit| vec![edit]),
            ));
    }
}

/// Removes what runs instead, where a failure then ends the script.
fn fatal(
    facts: &Facts,
    command: &plimsoll_model::commands::Command,
    handler: plimsoll_text::Place,
) -> Option<plimsoll_text::Edit> {
    if handler == command.place || facts.text(handler).contains('\n') {
        return None;
    }
    if command.strict.errexit {
        edits::without_alternative(facts, handler)
    } else {
        Some(edits::replace(handler, "exit 1"))
    }
}
