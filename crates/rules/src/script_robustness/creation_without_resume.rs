//! An interrupted creation cannot be resumed.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Origin};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-004",
    name: "creation-without-resume",
    title: "An interrupted creation cannot be resumed",
    theme: Theme::ScriptRobustness,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("creation_without_resume.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let unit = facts.commands.unit(procedure.unit);
        if unit.origin.is_documentation() || matches!(unit.origin, Origin::AnsibleTask { .. }) {
            continue;
        }
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        let Some(position) = steps.iter().position(|step| creates(step)) else { continue };
        let Some(create) = steps.get(position).copied() else { continue };
        let cleans = steps.iter().any(|step| step.program == "trap" || destroys(step));
        let later: Vec<&Command> =
            steps.iter().skip(position + 1).copied().filter(|step| works_on_guest(step)).collect();
        let (Some(next), false) = (later.first(), cleans) else { continue };
        // Creation that only runs when the guest is missing, while later steps run anyway, picks up where it ended.
        let resumes = create.guards.iter().any(|guard| asks(facts.text(guard.condition)));
        if resumes || !seen.insert(create.place) {
            continue;
        }
        let refuses = steps.iter().take(position).copied().find(|step| {
            step.program == "exit" && step.guards.iter().any(|guard| asks(facts.text(guard.condition)))
        });
        let finding = findings.add(
            refuses.map_or(create.place, |step| step.place),
            format!(
                "a failure after `{} {}` leaves half a guest",
                create.program,
                create.arg(0).unwrap_or_default()
            ),
        );
        if refuses.is_some() {
            finding
                .label("the next run stops here, because the guest exists")
                .related(create.place, "created here");
        } else {
            finding.label("the next run fails here, because the guest exists");
        }
        finding.related(next.place, format!("{} later steps can fail", later.len())).help(
            "make each step skip what is done already, or remove the guest in a `trap` when a step fails",
        );
    }
}

fn creates(command: &Command) -> bool {
    command.is("pct", &["create"])
        || command.is("pct", &["clone"])
        || command.is("qm", &["create"])
        || command.is("qm", &["clone"])
}

fn destroys(command: &Command) -> bool {
    command.is("pct", &["destroy"]) || command.is("qm", &["destroy"])
}

fn works_on_guest(command: &Command) -> bool {
    matches!(command.program.as_str(), "pct" | "qm")
        && matches!(
            command.arg(0),
            Some("exec" | "start" | "set" | "push" | "guest" | "importdisk" | "resize")
        )
}

fn asks(condition: &str) -> bool {
    ["pct status", "qm status", "pct config", "qm config", "pct list", "qm list"]
        .iter()
        .any(|question| condition.contains(question))
}
