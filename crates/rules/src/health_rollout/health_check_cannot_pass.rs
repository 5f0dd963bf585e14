//! A health check that fails whatever the service does.

use plimsoll_model::compose::{Condition, Service};
use plimsoll_model::images::{Image, KnownImage, Provides, Stage};
use plimsoll_model::services::{built, nginx_configs, nginx_listens, reference, replacements, start_words};
use plimsoll_model::{Facts, Stack};
use plimsoll_text::Place;

use super::probe::{Check, Probe, check_of, probe};
use crate::edits;
use crate::{Confidence, Finding, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-001",
    name: "health-check-cannot-pass",
    title: "Health check can never pass",
    theme: Theme::HealthRollout,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Compose file reference, healthcheck",
        url: "https://docs.docker.com/reference/compose-file/services/#healthcheck",
    }],
    doc: include_str!("health_check_cannot_pass.md"),
    check,
};

/// Whether some health check of the deployed services fails whatever they do.
pub(super) fn any(facts: &Facts) -> bool {
    let mut found = Vec::new();
    check(facts, &mut Findings::new(&RULE, &mut found));
    !found.is_empty()
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (stack, service) in facts.stacks.deployed_services() {
        let Check::Runs(words, place) = check_of(facts, service) else { continue };
        let words: Vec<String> =
            words.into_iter().skip_while(|word| matches!(word.as_str(), "CMD" | "CMD-SHELL")).collect();
        let Some(probe) = probe(&words, place) else { continue };
        missing_program(facts, stack, service, &probe, findings);
        wrong_family(facts, stack, service, &probe, findings);
    }
}

/// The image does not have the program; also not the one that a script puts in its place.
fn missing_program(
    facts: &Facts,
    stack: &Stack,
    service: &Service,
    probe: &Probe,
    findings: &mut Findings<'_>,
) {
    let mut images: Vec<(&Image, &Stage, Option<Place>)> =
        built(facts, service).map(|(image, stage)| (image, stage, None)).into_iter().collect();
    images.extend(
        replacements(facts, service).into_iter().map(|(image, stage)| (image, stage, image.written_by)),
    );
    for (image, stage, written) in images {
        let Provides::No(evidence) = image.provides(stage, &probe.program, &facts.inventory) else {
            continue;
        };
        let message = format!(
            "the health check of `{}` runs `{}`, which its image does not have",
            service.name, probe.program
        );
        let finding = findings.add(if written.is_some() { evidence.place } else { probe.place }, message);
        match written {
            Some(place) => finding
                .label(evidence.why)
                .related(place, "this replaces the Dockerfile of the repository")
                .related(probe.place, "the check"),
            None => finding.label("the check").related(evidence.place, evidence.why),
        };
        for related in evidence.related {
            finding.related(related.place, related.value);
        }
        waits(stack, service, finding);
        finding.help(format!(
            "install `{}` in the final stage, or ask with a program that is there",
            probe.program
        ));
    }
    if service.build.is_none()
        && let Some(image) = reference(service)
        && KnownImage::provides_in(&image, &probe.program) == Some(false)
    {
        let Some(named) = &service.image else { return };
        let message = format!(
            "the health check of `{}` runs `{}`, which `{}` does not have",
            service.name, probe.program, named.value
        );
        let finding = findings.add(probe.place, message);
        finding.label("the check").related(named.place, "the image");
        waits(stack, service, finding);
        finding.help("ask with a program that the image has");
    }
}

/// The check asks `localhost`, which this program looks up as `::1`, and nothing listens there.
fn wrong_family(facts: &Facts, stack: &Stack, service: &Service, probe: &Probe, findings: &mut Findings<'_>) {
    let Some((host, port, _)) = &probe.url else { return };
    let name = probe.program.rsplit('/').next().unwrap_or_default();
    let Some((image, stage)) = built(facts, service) else { return };
    let has_own_wget = stage.packages.iter().any(|package| package.name == "wget");
    if host != "localhost" || name != "wget" || !stage.os.wget_tries_ipv6_only() || has_own_wget {
        return;
    }
    let Some((place, text)) = ipv4_only(facts, service, image, stage, *port) else { return };
    let message = format!(
        "the health check of `{}` asks `localhost`, and nothing listens on its IPv6 address",
        service.name
    );
    let finding = findings.add(probe.place, message);
    finding.label("BusyBox `wget` tries `::1` only").related(place, text);
    let own = stage.healthcheck.as_ref().filter(|check| check.place != probe.place);
    if let Some(check) = own.filter(|check| matches!(&check.command, Some(plimsoll_syntax::dockerfile::Command::Shell(text)) if text.text().contains("wget") && text.text().contains("//localhost"))) {
        finding.related(check.place, "the image's own check has the same flaw");
    }
    waits(stack, service, finding);
    finding.help("write `127.0.0.1` instead of `localhost`");
    let places = std::iter::once(probe.place).chain(own.map(|check| check.place));
    finding.fix(edits::safe("ask the IPv4 address", places.map(|place| ask_ipv4(facts, place)).collect()));
}

fn ask_ipv4(facts: &Facts, place: Place) -> Option<plimsoll_text::Edit> {
    let host = edits::part(facts, place, "//localhost")?;
    Some(edits::replace(host, "//127.0.0.1"))
}

fn ipv4_only(
    facts: &Facts,
    service: &Service,
    image: &Image,
    stage: &Stage,
    port: u16,
) -> Option<(Place, &'static str)> {
    let mut listens = Vec::new();
    for (config, _) in nginx_configs(facts, image, stage) {
        listens.extend(nginx_listens(&config).into_iter().filter(|(own, ..)| *own == port));
    }
    if let Some((.., place)) = listens.first() {
        return listens.iter().all(|(_, six, _)| !six).then_some((*place, "the server listens on IPv4 only"));
    }
    let words = start_words(facts, service);
    let bound = words.iter().any(|word| word.contains("0.0.0.0"));
    let place = service
        .command
        .as_ref()
        .map(|command| command.place)
        .or_else(|| stage.cmd.as_ref().map(|line| line.place))
        .unwrap_or(stage.place);
    bound.then_some((place, "the server listens on IPv4 only"))
}

fn waits(stack: &Stack, service: &Service, finding: &mut Finding) {
    let mut blocked = false;
    for other in stack.services() {
        if let Some(dependency) =
            other.depends_on.get(&service.name).filter(|on| on.condition == Condition::Healthy)
        {
            finding.related(
                dependency.place,
                format!("`{}` waits for it to be healthy and never starts", other.name),
            );
            blocked = true;
        }
    }
    if blocked {
        finding.severity(Severity::Critical);
    } else {
        finding.note("the service is shown as unhealthy for ever, so a real failure looks the same");
    }
}
