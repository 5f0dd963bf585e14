//! A check after the deployment that is happy with everything.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, Origin, UnitId};
use plimsoll_text::Place;

use super::actions::{claims_success, compose_verb, is_local_work, prints, probes, said, starts};
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-005",
    name: "verification-cannot-fail",
    title: "Deployment reports success whatever happened",
    theme: Theme::HealthRollout,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "docker compose up, --wait",
        url: "https://docs.docker.com/reference/cli/docker/compose/up/",
    }],
    doc: include_str!("verification_cannot_fail.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let can_end = LazyCell::new(|| super::waiting::can_end(facts));
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let origin = &facts.commands.unit(procedure.unit).origin;
        // Python programs are judged by what they do with each result.
        if origin.is_documentation() || *origin == Origin::Program {
            continue;
        }
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        let last_start = steps.iter().rposition(|step| is_rollout(step));
        let Some((start, after)) = last_start.and_then(|at| Some((*steps.get(at)?, steps.get(at + 1..)?)))
        else {
            continue;
        };
        if start.flag(&["--wait"]).is_some()
            || seen.contains(&start.place)
            || after.iter().any(|step| probes(step))
        {
            continue;
        }
        let claim = after.iter().find(|step| prints(facts, step) && claims_success(&said(step)));
        let shows: Vec<&&Command> = after.iter().filter(|step| shows(step)).collect();
        let verify = after.iter().find_map(|step| verification(facts, procedure.unit, step));
        if claim.is_none() && shows.is_empty() && verify.is_none() {
            continue;
        }
        seen.insert(start.place);
        let shown = shows.first().map(|step| step.place);
        let place = verify.or(shown).or(claim.map(|step| step.place)).unwrap_or(start.place);
        let finding = findings.add(place, "nothing here looks whether the services that were started work");
        finding.label(if verify.is_some() {
            "no condition, no failure"
        } else {
            "printed whatever happened"
        });
        finding
            .related(start.place, "started here without `--wait`: that the containers exist is all it says");
        for step in &shows {
            finding.related(step.place, "prints a state and ends with success");
        }
        if let Some(claim) = claim {
            finding.related(claim.place, "success is announced");
        }
        finding.fix(edits::safe(
            "wait until the services are healthy, and fail when they are not",
            super::waiting::wait(start).filter(|_| *can_end).map(|edit| vec![edit]),
        ));
        finding
            .note("a release that crashes at once is reported as deployed, and the next one to notice is a user")
            .help("start with `up -d --wait --wait-timeout 120`, print the logs and stop with an error when it fails");
    }
    only_warned(facts, findings);
    super::program_results::unread(facts, findings);
    super::endless_patience::loops(facts, findings);
}

/// Whether a command rolls services out where they are used.
fn is_rollout(command: &Command) -> bool {
    let compose = compose_verb(command, &["up"]) && command.flag(&["-d", "--detach"]).is_some()
        || command.is("docker", &["run"]) && command.flag(&["-d", "--detach"]).is_some()
        || command.program == "pm2" && starts(command);
    compose && (command.machine != Machine::Workstation || command.program == "pm2")
}

/// Whether a command shows a state that nobody judges.
fn shows(command: &Command) -> bool {
    (compose_verb(command, &["ps", "logs"])
        || command.is("docker", &["ps"])
        || command.is("docker", &["logs"])
        || command.is("pm2", &["status"])
        || command.is("pm2", &["list"]))
        && command.pipeline.is_none_or(|place| place.length == 1)
}

/// The name of the function that a step calls when that promises a check.
fn verification(facts: &Facts, unit: UnitId, step: &Command) -> Option<Place> {
    let (_, function) = facts.commands.function(unit, &step.program)?;
    let name = function.name.to_ascii_lowercase();
    ["verify", "check", "health", "validate", "smoke", "test"]
        .iter()
        .any(|word| name.contains(word))
        .then_some(function.place)
}

/// A failed check that ends in a warning, with success announced afterwards.
fn only_warned(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, unit) in facts.commands.units() {
        if unit.origin.is_documentation() {
            continue;
        }
        let commands = facts.commands.of_unit(id);
        for (index, command) in commands.iter().enumerate() {
            let text = said(command);
            if is_local_work(facts, command) {
                continue;
            }
            let warns = prints(facts, command)
                && ["health", "verif", " ready", "reachable", "respond", "accessible"]
                    .iter()
                    .any(|word| text.contains(word))
                && [
                    "timeout",
                    "timed out",
                    "not ready",
                    "not respond",
                    "failed",
                    "may still",
                    "might still",
                    "unreachable",
                    "not healthy",
                    "unhealthy",
                ]
                .iter()
                .any(|word| text.contains(word));
            let Some(guard) = command.guards.last().filter(|_| warns) else { continue };
            let branch = commands
                .iter()
                .filter(|other| other.guards.last() == Some(guard) && other.function == command.function);
            let gives_up = branch.clone().any(|other| {
                matches!(
                    other.program.as_str(),
                    "exit" | "return" | "false" | "die" | "fail" | "msg_error" | "rollback"
                ) || facts.commands.function(id, &other.program).is_some_and(|(_, function)| function.exits)
                    || !prints(facts, other) && !shows(other)
            });
            let later = commands.iter().skip(index + 1).find(|other| {
                other.guards.len() < command.guards.len()
                    && prints(facts, other)
                    && claims_success(&said(other))
            });
            let Some(later) = later.filter(|_| !gives_up) else { continue };
            findings
                .add(command.place, "a failed check is only a warning here")
                .related(guard.condition, "the check")
                .related(later.place, "success is announced all the same")
                .severity(Severity::Medium)
                .note("the exit status is 0, so whoever calls this goes on as if the application worked")
                .help("print the logs and `exit 1` in this branch");
        }
    }
}
