//! Nobody asks the service whether it works.

use plimsoll_model::Facts;
use plimsoll_model::application::BodyKind;
use plimsoll_model::compose::{Condition, Service};
use plimsoll_model::services::{built, context, known};
use plimsoll_model::{Stack, images::Role};

use super::probe::{Check, check_of};
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-007",
    name: "service-without-health-check",
    title: "Service has no health check, or one that is always green",
    theme: Theme::HealthRollout,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Compose file reference, healthcheck",
        url: "https://docs.docker.com/reference/compose-file/services/#healthcheck",
    }],
    doc: include_str!("service_without_health_check.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    constant(facts, findings);
    unsupervised(facts, findings);
    for stack in facts.stacks.deployed() {
        let mut blind: Vec<&Service> = stack
            .services()
            .filter(|service| matches!(check_of(facts, service), Check::Missing))
            .filter(|service| {
                is_long_running(stack, service)
                    && (known(service).is_some_and(|image| image.role != Role::Administration)
                        || built(facts, service).is_some())
            })
            .collect();
        blind.sort_by_key(|service| service.place);
        let mut rest = blind.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings.add(first.place, format!("nothing checks the health of `{}`", first.name));
        for service in rest {
            finding.related(service.place, format!("nor that of `{}`", service.name));
        }
        let waiting = stack.services().find_map(|service| {
            service.depends_on.values().find(|on| on.explicit && on.condition == Condition::Started)
        });
        if let Some(dependency) = waiting {
            finding.related(dependency.place, "this only orders the starts");
        }
        finding
            .note("a process that hangs or lost its database counts as running; nobody waits for it and nothing restarts it")
            .help("add a `healthcheck` that asks what users need, and let others wait with `condition: service_healthy`");
    }
}

/// Routes that the health of a published service is judged by and that always answer the same.
fn constant(facts: &Facts, findings: &mut Findings<'_>) {
    let folders: Vec<_> =
        facts.stacks.deployed_services().filter_map(|(_, service)| context(service)).collect();
    for route in &facts.application.routes {
        let name = route.path.rsplit('/').next().unwrap_or_default();
        let is_health =
            matches!(name, "health" | "healthz" | "ready" | "readyz" | "readiness" | "healthcheck");
        let path = facts.path(route.place.file);
        let deployed = folders.iter().any(|folder| folder.as_str().is_empty() || path.starts_with(folder));
        if is_health
            && deployed
            && route.body == BodyKind::Constant
            && !facts.is_development(route.place.file)
        {
            findings
                .add(
                    route.place,
                    format!("`{}` answers the same whatever the state of the application is", route.path),
                )
                .note("it stays green with the database or the cache down, so whoever asks learns nothing")
                .help("ask the database and whatever else requests need, with a short limit");
        }
    }
}

/// Several processes under one shell that waits for the last of them only.
fn unsupervised(facts: &Facts, findings: &mut Findings<'_>) {
    for image in facts.images.iter().filter(|image| !facts.is_development(image.file)) {
        let Some(stage) = image.stages.last() else { continue };
        let supervised = stage.packages.iter().any(|package| {
            ["supervisor", "s6", "s6-overlay", "runit", "dumb-init"].contains(&package.name.as_str())
        });
        let texts = stage.runs.iter().map(|run| run.place).chain(stage.cmd.iter().map(|line| line.place));
        let line = texts.into_iter().find(|place| {
            let text = facts.text(*place);
            let starts = text.lines().any(|line| {
                let line = line.trim_end_matches([' ', '\\', ';']).trim_end();
                let written = line.contains("echo ") && (line.contains(" &'") || line.contains(" &\""));
                written && line.contains(">")
            });
            let direct = text.starts_with("CMD") && text.contains(" & ") && !text.contains("wait -n");
            starts || direct
        });
        if let Some(place) = line.filter(|_| !supervised) {
            findings
                .add(place, "one of the processes of this image can die without anybody noticing")
                .label("`&` leaves it to itself")
                .note("the container goes on as long as the last process does; no restart policy sees the loss")
                .help("one process for each service, or end all when one ends (`wait -n`), and check each of them");
        }
    }
}

fn is_long_running(stack: &Stack, service: &Service) -> bool {
    let awaited_end = stack.services().any(|other| {
        other.depends_on.get(&service.name).is_some_and(|on| on.condition == Condition::CompletedSuccessfully)
    });
    let never_restarted = service
        .restart
        .as_ref()
        .is_some_and(|restart| restart.value == "no" || restart.value.starts_with("on-failure"));
    !awaited_end && !never_restarted && service.profiles.is_empty()
}
