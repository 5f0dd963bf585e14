//! A failed test leaves its stack running.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate, Origin};

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
        let text = facts.text(unit.place);
        if !runs || text.contains("defer:") {
            continue;
        }
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        let up = steps.iter().position(|step| step.is("docker", &["compose", "up"]));
        let down = steps.iter().rposition(|step| step.is("docker", &["compose", "down"]));
        let (Some(up), Some(down)) = (up, down) else { continue };
        let between = steps.get(up + 1..down).unwrap_or_default();
        let check = between.iter().find(|step| is_check(step));
        let trapped = steps.iter().any(|step| step.program == "trap");
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
                .help("remove the stack in a `trap … EXIT`, or with `defer:` in a Taskfile");
        }
    }
}

fn is_check(command: &Command) -> bool {
    matches!(
        command.program.as_str(),
        "curl" | "wget" | "pytest" | "npm" | "pnpm" | "yarn" | "go" | "cargo" | "npx" | "playwright" | "k6"
    )
}
