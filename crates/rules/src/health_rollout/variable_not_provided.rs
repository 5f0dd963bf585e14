//! The code reads what nobody gives it.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::application::{EnvRead, Phase, Presence};
use plimsoll_model::compose::{Build, Service};
use plimsoll_model::images::{Image, Stage};
use plimsoll_model::services::{built, context, is_web_server};
use plimsoll_model::{Facts, Stack};
use plimsoll_text::Place;

use super::provided_variable;
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-003",
    name: "variable-not-provided",
    title: "Variable that the code reads is not provided",
    theme: Theme::HealthRollout,
    severity: Severity::Critical,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Docker Compose, Set environment variables within your container's environment",
        url: "https://docs.docker.com/compose/how-tos/environment-variables/set-environment-variables/",
    }],
    doc: include_str!("variable_not_provided.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (stack, service) in facts.stacks.deployed_services() {
        let (Some(build), Some((image, stage))) = (&service.build, built(facts, service)) else { continue };
        let reads = reads(facts, stack, service);
        at_build(facts, stack, service, build, image, &reads, findings);
        let is_complete = service.env_files.iter().all(|file| file.found);
        if is_complete && !is_web_server(facts, service) {
            at_run(facts, stack, service, stage, &reads, findings);
        }
    }
}

/// The reads in the source that a service is built from, one for each variable.
fn reads<'a>(facts: &'a Facts, stack: &Stack, service: &Service) -> Vec<&'a EnvRead> {
    let Some(own) = context(service) else { return Vec::new() };
    let deeper: Vec<Utf8PathBuf> = stack
        .services()
        .filter_map(context)
        .filter(|other| *other != own && (own.as_str().is_empty() || other.starts_with(&own)))
        .collect();
    let belongs = |path: &Utf8Path| {
        (own.as_str().is_empty() || path.starts_with(&own))
            && !deeper.iter().any(|other| path.starts_with(other))
    };
    let is_aside = |path: &Utf8Path| {
        path.components().any(|part| {
            matches!(
                part.as_str(),
                "scripts" | "tools" | "tests" | "test" | "e2e" | "examples" | "docs" | "bench"
            )
        }) || path.file_name().is_some_and(|name| {
            name.contains(".config.") || name.contains(".test.") || name.contains(".spec.")
        })
    };
    facts
        .application
        .env_reads
        .iter()
        .filter(|read| {
            belongs(facts.path(read.place.file))
                && !is_aside(facts.path(read.place.file))
                && !is_ambient(&read.name)
        })
        .collect()
}

/// Variables that systems and frameworks set themselves.
fn is_ambient(name: &str) -> bool {
    matches!(
        name,
        "PATH"
            | "HOME"
            | "USER"
            | "PWD"
            | "TZ"
            | "CI"
            | "NODE_ENV"
            | "HOSTNAME"
            | "PORT"
            | "HOST"
            | "LANG"
            | "DEBUG"
            | "MODE"
            | "DEV"
            | "PROD"
            | "SSR"
            | "BASE_URL"
            | "TMPDIR"
            | "TERM"
            | "SHELL"
            | "NEXT_RUNTIME"
    ) || name.starts_with("npm_")
}

fn is_credential(name: &str) -> bool {
    ["SECRET", "API_KEY", "_KEY", "TOKEN", "PASSWORD"].iter().any(|word| name.contains(word))
        && !["EXPIR", "LIFETIME", "TTL", "PUBLIC", "LENGTH", "NAME", "PREFIX", "MAX_"]
            .iter()
            .any(|word| name.contains(word))
}

/// What the pages of the service are built with.
fn at_build(
    facts: &Facts,
    stack: &Stack,
    service: &Service,
    build: &Build,
    image: &Image,
    reads: &[&EnvRead],
    findings: &mut Findings<'_>,
) {
    let Some(folder) = context(service) else { return };
    let in_files = |name: &str| {
        facts.trees.dotenv.iter().any(|(&file, tree)| {
            let path = facts.path(file);
            matches!(path.file_name(), Some(".env" | ".env.production" | ".env.production.local"))
                && path.parent() == Some(&folder)
                && tree.get(name).is_some()
        })
    };
    let in_image = |name: &str| image.stages.iter().any(|stage| stage.env.contains_key(name));
    let mut seen = BTreeSet::new();
    let mut missing = reads
        .iter()
        .filter(|read| {
            read.phase == Phase::Build
                && read.presence == Presence::Required
                && !build.args.contains_key(&read.name)
                && !in_files(&read.name)
                && !in_image(&read.name)
                && seen.insert(read.name.as_str())
        })
        .collect::<Vec<_>>()
        .into_iter();
    let names: Vec<&str> = missing.clone().map(|read| read.name.as_str()).collect();
    let Some(first) = missing.next() else { return };
    let message =
        format!("`{}` is built without `{}`, which its code cannot do without", service.name, first.name);
    let finding = findings.add(build.place, message);
    finding
        .label("no build argument gives it")
        .related(first.place, "the code stops here when it is missing");
    for read in missing {
        finding.related(read.place, format!("`{}` is missing, too", read.name));
    }
    finding
        .note("the value is put into the pages while they are built; without it visitors see an empty page")
        .help(format!("declare `ARG {0}` in the Dockerfile and give it under `build.args`", first.name));
    finding.fix(edits::review(
        "hand the values to the build",
        provided_variable::hand_over(facts, stack, service, image, &names),
    ));
}

/// What the service runs with.
fn at_run(
    facts: &Facts,
    stack: &Stack,
    service: &Service,
    stage: &Stage,
    reads: &[&EnvRead],
    findings: &mut Findings<'_>,
) {
    let is_provided = |read: &EnvRead| {
        let has = |name: &str| service.environment.contains_key(name) || stage.env.contains_key(name);
        has(&read.name)
            || read.settings_field
                && service.environment.keys().any(|key| key.eq_ignore_ascii_case(&read.name))
            || has(&format!("{}_FILE", read.name))
    };
    let mut seen = BTreeSet::new();
    let missing: Vec<&&EnvRead> = reads
        .iter()
        .filter(|read| read.phase == Phase::Run && !is_provided(read))
        .filter(|read| seen.insert(&read.name))
        .collect();
    let required = missing.iter().filter(|read| read.presence == Presence::Required);
    report(facts, stack, service, required, "stops without it", Severity::Critical, findings);
    let local = missing.iter().filter(|read| matches!(&read.presence, Presence::Default(text) if text.value.contains("//localhost") || text.value.contains("@localhost") || text.value.contains("127.0.0.1")));
    report(
        facts,
        stack,
        service,
        local,
        "takes an address inside its own container instead",
        Severity::High,
        findings,
    );
    let secret =
        missing.iter().filter(|read| read.presence == Presence::Optional && is_credential(&read.name));
    report(facts, stack, service, secret, "goes on without a credential", Severity::High, findings);
}

fn report<'a>(
    facts: &Facts,
    stack: &Stack,
    service: &Service,
    mut reads: impl Iterator<Item = &'a &'a &'a EnvRead> + Clone,
    effect: &str,
    severity: Severity,
    findings: &mut Findings<'_>,
) {
    let all: Vec<&EnvRead> = reads.clone().map(|read| **read).collect();
    let fix = provided_variable::give(facts, stack, service, &all);
    let Some(first) = reads.next() else { return };
    let finding = findings.add(
        beside(service, &first.name),
        format!("`{}` is not given `{}`: its code {effect}", service.name, first.name),
    );
    finding.severity(severity).label(format!("`{}` is not among its variables", first.name));
    finding.related(first.place, "read here");
    if let Presence::Default(text) = &first.presence {
        finding.related(text.place, "the default");
    }
    for read in reads {
        finding.related(read.place, format!("`{}` is not given either", read.name));
    }
    if service.environment.is_empty() {
        finding.note("the service has no environment at all");
    }
    let example = facts
        .trees
        .dotenv
        .iter()
        .find_map(|(&file, tree)| Some(Place::new(file, tree.get(&first.name)?.span)));
    if let Some(place) = example {
        finding.related(place, "set here, which only Compose itself reads");
    }
    finding.fix(fix);
    finding.help(format!("add `{0}: ${{{0}:?}}` to the service's `environment`", first.name));
}

/// Where the variable belongs: beside the one whose name is most like it.
fn beside(service: &Service, name: &str) -> Place {
    let start = name.split('_').next().unwrap_or_default();
    let mut own: Vec<(bool, Place)> =
        service.environment.values().map(|entry| (!entry.key.starts_with(start), entry.place)).collect();
    own.sort();
    own.first().map_or(service.place, |(_, place)| *place)
}
