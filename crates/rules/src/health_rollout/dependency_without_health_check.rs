//! Waiting for the health of something that has no health check.

use plimsoll_model::Facts;
use plimsoll_model::compose::Condition;
use plimsoll_model::services::known;

use super::probe::{Check, check_of};
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-002",
    name: "dependency-without-health-check",
    title: "Service waits for the health of one that has no health check",
    theme: Theme::HealthRollout,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "Docker Compose, Control startup and shutdown order",
        url: "https://docs.docker.com/compose/how-tos/startup-order/",
    }],
    doc: include_str!("dependency_without_health_check.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (stack, service) in facts.stacks.deployed_services() {
        for (name, dependency) in &service.depends_on {
            let Some(other) = stack.services().find(|other| other.name == *name) else { continue };
            if dependency.condition != Condition::Healthy {
                continue;
            }
            let reason = match check_of(facts, other) {
                Check::Off => "its health check is switched off",
                // What an unknown image brings is not known.
                Check::Missing if known(other).is_some() || other.build.is_some() => {
                    "nothing checks its health"
                }
                _ => continue,
            };
            findings
                .add(
                    dependency.place,
                    format!("`{}` waits until `{name}` is healthy, and nothing can make it so", service.name),
                )
                .related(other.place, reason)
                .note(format!("`docker compose up` ends with an error before `{}` is started", service.name))
                .help(format!("give `{name}` a health check, or wait for `service_started`"))
                .fix(edits::review(
                    format!("wait until `{name}` is started"),
                    condition(facts, dependency.place)
                        .map(|place| vec![edits::replace(place, "service_started")]),
                ));
        }
    }
}

/// The condition's value under the name of the service.
fn condition(facts: &Facts, name: plimsoll_text::Place) -> Option<plimsoll_text::Place> {
    let value = edits::entry_at(facts, name)?.value.get("condition")?;
    Some(plimsoll_text::Place::new(name.file, value.span)).filter(|_| edits::is_in_compose_file(facts, name))
}
