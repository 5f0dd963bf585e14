//! Down first, then everything that can go wrong.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate, Machine};
use plimsoll_text::Place;

use super::actions::{builds, compose_verb, starts, stops};
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-010",
    name: "stopped-before-update",
    title: "Update takes the application down before steps that may fail",
    theme: Theme::HealthRollout,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "docker compose up",
        url: "https://docs.docker.com/reference/cli/docker/compose/up/",
    }],
    doc: include_str!("stopped_before_update.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let doc = facts.commands.unit(procedure.unit).origin.is_documentation();
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        let trapped = steps.iter().any(|step| step.program == "trap");
        if trapped {
            continue;
        }
        for (index, stop) in steps.iter().enumerate() {
            let removes_data = stop.flag(&["-v", "--volumes"]).is_some();
            if !stops(stop)
                || removes_data
                || stop.machine == Machine::Workstation
                || seen.contains(&stop.place)
            {
                continue;
            }
            let Some(rest) = steps.get(index + 1..) else { continue };
            let Some(at) = rest.iter().position(|step| starts(step) && step.machine == stop.machine) else {
                continue;
            };
            let between = rest.get(..at).unwrap_or_default();
            let start = rest.get(at);
            let risky =
                between.iter().find(|step| may_fail(step)).or_else(|| start.filter(|step| builds(step)));
            let Some(risky) = risky else { continue };
            seen.insert(stop.place);
            let finding =
                findings.add(stop.place, "the application is taken down before the new release is ready");
            finding.related(risky.place, "when this fails, it stays down; until it ends, it is down anyway");
            if let Some(start) = start.filter(|start| start.place != risky.place) {
                finding.related(start.place, "only this brings it back");
            }
            if doc {
                finding.severity(Severity::Low);
            }
            finding.help(
                "unpack and build first, then replace the containers with one `docker compose up -d --wait`",
            );
        }
    }
}

/// Whether a step between is one of those that fail now and then.
fn may_fail(step: &Command) -> bool {
    let tried = !matches!(step.fate, Fate::Masked { .. });
    let kind = builds(step)
        || compose_verb(step, &["pull"])
        || matches!(
            step.program.as_str(),
            "tar"
                | "unzip"
                | "rsync"
                | "scp"
                | "npm"
                | "pnpm"
                | "yarn"
                | "pip"
                | "apt-get"
                | "apt"
                | "wget"
                | "git"
                | "curl"
        )
        || step.is("docker", &["pull"]);
    tried && kind
}
