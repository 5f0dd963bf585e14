//! A failed test leaves its stack running.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate, Origin};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-013",
    name: "test-without-cleanup",
    title: "A failed test leaves its stack running",
    theme: Theme::ScriptRobustness,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("test_without_cleanup.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let unit = facts.commands.unit(procedure.unit);
        let runs = matches!(unit.origin, Origin::Script | Origin::Task { .. } | Origin::Recipe { .. });
        if !runs {
            continue;
        }
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        let up = steps.iter().position(|step| step.is("docker", &["compose", "up"]));
        let down = steps.iter().rposition(|step| step.is("docker", &["compose", "down"]));
        let (Some(up), Some(down)) = (up, down) else { continue };
        let between = steps.get(up + 1..down).unwrap_or_default();
        let deferred = steps.iter().any(|step| {
            step.is("docker", &["compose", "down"]) && edits::line_head(facts, step.place).contains("defer:")
        });
        let check = between.iter().find(|step| is_check(step));
        let trapped = steps.iter().any(|step| step.program == "trap") || deferred;
        let (Some(check), Some(up), Some(down), false) = (check, steps.get(up), steps.get(down), trapped)
        else {
            continue;
        };
        let cut = matches!(check.fate, Fate::Fatal | Fate::Masked { .. });
        if cut && up.unit == down.unit && seen.insert(up.place) {
            findings
                .add(up.place, "when a check fails the stack keeps running")
                .label("started for the test")
                .related(check.place, "a failure ends the run here")
                .related(down.place, "and this is never reached")
                .help("remove the stack in a `trap … EXIT`, or with `defer:` in a Taskfile")
                .fix(edits::safe("remove the stack whatever happens", always(facts, up, down)));
        }
    }
}

fn is_check(command: &Command) -> bool {
    matches!(
        command.program.as_str(),
        "curl" | "wget" | "pytest" | "npm" | "pnpm" | "yarn" | "go" | "cargo" | "npx" | "playwright" | "k6"
    )
}

/// `defer:` in a Taskfile, `trap` in a script, in front of the start.
fn always(facts: &Facts, up: &Command, down: &Command) -> Option<Vec<plimsoll_text::Edit>> {
    let undo = facts.text(down.place);
    let head = edits::line_head(facts, up.place).trim();
    let line = match facts.commands.unit(up.unit).origin {
        Origin::Task { .. } if head == "-" => format!("- defer: {undo}"),
        Origin::Script if head.is_empty() && !undo.contains('\'') => format!("trap '{undo}' EXIT"),
        _ => return None,
    };
    let plain = !undo.contains(": ") && !undo.contains(" #") && !undo.contains('\n');
    plain.then(|| vec![edits::lines_before(facts, up.place, &line)])
}
