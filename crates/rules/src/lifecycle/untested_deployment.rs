//! CI does not check what is deployed.

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::Facts;
use plimsoll_model::compose::Service;
use plimsoll_text::Place;

use super::workflows::{Job, Workflow, workflows};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-005",
    name: "untested-deployment",
    title: "CI does not check what is deployed",
    theme: Theme::Lifecycle,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("untested_deployment.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let workflows = workflows(facts);
    unbuilt_images(facts, &workflows, findings);
    for workflow in &workflows {
        deploy_beside_tests(facts, workflow, &workflows, findings);
        skipped_tests(workflow, findings);
    }
}

/// A Dockerfile that a deployed project builds, and the service that does.
struct Needed<'a> {
    dockerfile: Utf8PathBuf,
    service: &'a Service,
}

fn unbuilt_images(facts: &Facts, workflows: &[Workflow<'_>], findings: &mut Findings<'_>) {
    let Some(checks) = workflows.iter().find(|workflow| workflow.jobs.iter().any(|job| job.tests(facts)))
    else {
        return;
    };
    let mut needed: Vec<Needed<'_>> = Vec::new();
    for (_, service) in facts.stacks.deployed_services() {
        let Some(build) = service.build.as_ref().filter(|build| build.dockerfile_inline.is_none()) else {
            continue;
        };
        let name = build.dockerfile.as_ref().map_or("Dockerfile", |name| name.value.as_str());
        let dockerfile = normal(&build.context.value.resolved.join(name));
        if !needed.iter().any(|other| other.dockerfile == dockerfile) {
            needed.push(Needed { dockerfile, service });
        }
    }
    let mut built = Vec::new();
    let mut last: Option<Place> = None;
    for job in workflows.iter().flat_map(|workflow| &workflow.jobs) {
        for (dockerfile, place) in job.builds(facts) {
            built.push(dockerfile);
            if place.file == job.place.file {
                last = last.max(Some(place));
            }
        }
    }
    needed.retain(|needed| {
        !built.iter().any(|path| path.as_deref().is_none_or(|path| normal(path) == needed.dockerfile))
    });
    let Some(first) = needed.first() else { return };
    let Some(place) = last.or_else(|| checks.jobs.first().map(|job| job.place)) else { return };
    let names =
        needed.iter().map(|needed| format!("`{}`", needed.service.name)).collect::<Vec<_>>().join(", ");
    let finding = findings.add(place, format!("no workflow builds the image of {names}"));
    finding.label(if last.is_some() { "builds another image" } else { "checks the source only" });
    for needed in &needed {
        finding.related(needed.service.place, format!("production builds `{}`", needed.dockerfile));
    }
    finding
        .note("a Dockerfile that does not build, or a Compose file that Compose refuses, shows up on the server")
        .help(format!("add a job that runs `docker compose -f {} build`", facts.path(first.service.place.file)));
}

/// A workflow that deploys on a push by itself, while another one tests the same push.
fn deploy_beside_tests(
    facts: &Facts,
    workflow: &Workflow<'_>,
    all: &[Workflow<'_>],
    findings: &mut Findings<'_>,
) {
    let Some(push) = workflow.push else { return };
    let deploys = workflow.jobs.iter().any(|job| job.deploys(facts) && job.needs().is_empty());
    let tests = |workflow: &Workflow<'_>| workflow.jobs.iter().any(|job| job.tests(facts));
    if !deploys || tests(workflow) || workflow.jobs.iter().any(Job::calls_workflow) {
        return;
    }
    let Some(other) =
        all.iter().find(|other| other.file != workflow.file && other.push.is_some() && tests(other))
    else {
        return;
    };
    let finding = findings.add(push, "a push is deployed without waiting for its tests");
    finding.label("deploys on every push").severity(Severity::High);
    if let Some(job) = other.jobs.iter().find(|job| job.tests(facts)) {
        finding.related(job.place, "the tests run here, at the same time");
    }
    finding
        .note("a red test run goes live all the same")
        .help("start the deployment with `on: workflow_run` after the tests have passed, or put both into one workflow with `needs`");
}

/// A job that deploys although the tests it needs were skipped.
fn skipped_tests(workflow: &Workflow<'_>, findings: &mut Findings<'_>) {
    for job in &workflow.jobs {
        let Some((condition, place)) = job.condition() else { continue };
        let accepts = condition.contains("result == 'skipped'") || condition.contains("result != 'failure'");
        if job.named_deploy() && accepts && !job.needs().is_empty() {
            let finding = findings.add(
                place,
                format!("`{}` deploys also when `{}` was skipped", job.name, job.needs().join("`, `")),
            );
            finding.label("a skipped job counts as passed");
            if let Some(input) = workflow.skip_input {
                finding.related(input, "whoever starts the workflow may skip it");
            }
            finding
                .note("an untested version goes live by a tick in a box")
                .help("let the deployment need success, and keep a separate workflow for emergencies");
        }
    }
}

/// A path without `.` parts.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
    path.components().filter(|part| part.as_str() != ".").collect()
}
