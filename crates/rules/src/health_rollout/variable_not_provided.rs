//! The code reads what nobody gives it.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::application::{EnvRead, Phase, Presence};
use plimsoll_model::compose::{Build, Service};
use plimsoll_model::images::{Image, Stage};
use plimsoll_model::services::{built, context, is_web_server};
use plimsoll_model::{Facts, Stack};
use plimsoll_text::Place;

use plimsoll_text::{Edit, Fix};

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
    finding
        .fix(edits::review("hand the values to the build", hand_over(facts, stack, service, image, &names)));
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
    let fix = give(facts, stack, service, &all);
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

/// Gives a service what its code reads: the service of the project that answers where the code would ask itself, and
/// for the rest a value that must be set, which needs somebody to set it.
fn give(facts: &Facts, stack: &Stack, service: &Service, reads: &[&EnvRead]) -> Option<Fix> {
    let addresses: Option<Vec<String>> = reads.iter().map(|read| address(stack, read)).collect();
    if let Some(addresses) = addresses {
        let edits = reads
            .iter()
            .zip(&addresses)
            .map(|(read, value)| edits::add_variable(facts, service, &read.name, value));
        return edits::safe("name the service that answers", edits.collect());
    }
    let edits = reads.iter().map(|read| {
        let value = format!("${{{0}:?set {0}}}", read.name);
        edits::add_variable(facts, service, &read.name, &value)
    });
    let mut edits = edits.collect::<Option<Vec<_>>>()?;
    edits.extend(write_too(facts, stack, &reads.iter().map(|read| read.name.as_str()).collect::<Vec<_>>()));
    edits::review("hand over the variables and refuse to start without them", Some(edits))
}

/// The default of a read with the name of the one service whose image speaks its protocol in place of `localhost`.
fn address(stack: &Stack, read: &EnvRead) -> Option<String> {
    let Presence::Default(text) = &read.presence else { return None };
    let (scheme, _) = text.value.split_once("://")?;
    let speaks: &[&str] = match scheme.split('+').next()? {
        "redis" => &["redis", "valkey"],
        "amqp" => &["rabbitmq"],
        "mongodb" => &["mongo"],
        "memcached" => &["memcached"],
        "nats" => &["nats"],
        _ => return None,
    };
    let mut found = stack.services().filter(|service| {
        plimsoll_model::services::reference(service)
            .is_some_and(|image| image.name.rsplit('/').next().is_some_and(|name| speaks.contains(&name)))
    });
    let (service, None) = (found.next()?, found.next()) else { return None };
    let asks_password = stack.services().any(|other| {
        other
            .command
            .as_ref()
            .is_some_and(|command| command.value.words.iter().any(|word| word.contains("requirepass")))
    });
    let value = text.value.replacen("localhost", &service.name, 1).replacen("127.0.0.1", &service.name, 1);
    (!asks_password && value != text.value).then_some(value)
}

/// `ARG` in the stage that builds, and the values under `build.args`.
fn hand_over(
    facts: &Facts,
    stack: &Stack,
    service: &Service,
    image: &Image,
    names: &[&str],
) -> Option<Vec<Edit>> {
    let stage = image.stages.iter().find(|stage| {
        stage.runs.iter().any(|run| run.place > stage.place && facts.text(run.place).contains("build"))
    })?;
    let run =
        stage.runs.iter().find(|run| run.place > stage.place && facts.text(run.place).contains("build"))?;
    let key = edits::child_key(facts, service.place, "build")?;
    let lines: Vec<String> = names.iter().map(|name| format!("{name}: ${{{name}:?set {name}}}")).collect();
    let compose = match edits::child_key(facts, key, "args") {
        Some(args) => edits::add_entries(facts, args, &lines.join("\n"))?,
        None => edits::add_entries(facts, key, &format!("args:\n  {}", lines.join("\n  ")))?,
    };
    let arguments: Vec<String> = names.iter().map(|name| format!("ARG {name}")).collect();
    let mut edits = vec![compose, edits::above_comments(facts, run.place, &arguments.join("\n"))];
    edits.extend(write_too(facts, stack, names));
    Some(edits)
}

/// A script that writes the `.env` of the deployment anew must write these, too, out of its own environment.
fn write_too(facts: &Facts, stack: &Stack, names: &[&str]) -> Option<Edit> {
    let used: BTreeSet<&str> = stack
        .services()
        .flat_map(|service| service.environment.values())
        .flat_map(|entry| &entry.variables)
        .map(|variable| variable.name.as_str())
        .collect();
    facts
        .commands
        .iter()
        .filter(|command| !facts.commands.unit(command.unit).origin.is_documentation())
        .find_map(|command| {
            let heredoc = command.heredoc.as_ref().filter(|heredoc| !heredoc.quoted)?;
            let writes = matches!(command.program.as_str(), "cat" | "tee") && command.carrier.is_none();
            let mut start = 0;
            let mut last = None;
            for line in heredoc.body.text().split_inclusive('\n') {
                if line.split_once('=').is_some_and(|(key, _)| used.contains(key.trim())) {
                    last = Some(start..start + line.trim_end().len());
                }
                start += line.len();
            }
            let lines: Vec<String> =
                names.iter().map(|name| format!("{name}=${{{name}:?set {name}}}")).collect();
            let place = heredoc.body.place(last.filter(|_| writes)?);
            Some(edits::lines_after(facts, place, &lines.join("\n")))
        })
}
