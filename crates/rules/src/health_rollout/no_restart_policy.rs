//! The service is gone after the next restart of the machine.

use plimsoll_model::Facts;
use plimsoll_model::compose::{Condition, Service};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-008",
    name: "no-restart-policy",
    title: "Service is not started again",
    theme: Theme::HealthRollout,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Docker, Start containers automatically",
        url: "https://docs.docker.com/engine/containers/start-containers-automatically/",
    }],
    doc: include_str!("no_restart_policy.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        let ends = |service: &Service| {
            stack.services().any(|other| {
                other
                    .depends_on
                    .get(&service.name)
                    .is_some_and(|on| on.condition == Condition::CompletedSuccessfully)
            })
        };
        let mut left: Vec<&Service> = stack
            .services()
            .filter(|service| {
                service.restart.is_none()
                    && service.profiles.is_empty()
                    && !ends(service)
                    && !looks_one_shot(service)
            })
            .filter(|service| {
                service.deploy.as_ref().is_none_or(|deploy| !deploy.other.contains_key("restart_policy"))
            })
            .collect();
        left.sort_by_key(|service| service.place);
        let kept = stack.services().find_map(|service| service.restart.as_ref());
        let edits = left
            .iter()
            .map(|service| edits::add_entries(facts, service.place, "restart: unless-stopped"))
            .collect();
        let mut rest = left.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings.add(first.place, format!("`{}` has no restart policy", first.name));
        for service in rest {
            finding.related(service.place, format!("nor has `{}`", service.name));
        }
        match kept {
            Some(restart) => {
                finding.related(restart.place, "others are started again");
            }
            None if stack.deployed_by.is_none() => {
                finding.severity(Severity::Medium);
            }
            None => {}
        }
        finding
            .note("after a crash or a restart of the guest it stays down until somebody starts it")
            .help("add `restart: unless-stopped`")
            .fix(edits::safe("start the services again after a crash or a restart", edits));
    }
}

/// Whether a service runs once by its name, or is only a part of one that another file defines.
fn looks_one_shot(service: &Service) -> bool {
    if service.image.is_none() && service.build.is_none() {
        return true;
    }
    let name = service.name.to_ascii_lowercase();
    ["init", "migrat", "seed", "setup", "job", "backup", "pull"].iter().any(|word| name.contains(word))
}
