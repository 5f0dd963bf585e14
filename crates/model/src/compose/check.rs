//! What only shows when all parts are together.

use std::collections::BTreeMap;

use plimsoll_text::Place;

use super::load::Report;
use super::{Compose, HealthTest, MountKind, MountSource, ProblemKind, Resolved, Service};

/// Reports what contradicts itself or names what is not there.
pub(super) fn check(compose: &Compose, report: &mut Report) {
    for service in compose.services.values() {
        one(compose, service, report);
    }
    cycles(compose, report);
}

fn unknown(report: &mut Report, service: &str, what: &str, name: &str, place: Place) {
    let message = format!("the service `{service}` names {what} `{name}`, which nothing defines");
    report.error(ProblemKind::UnknownReference, place, message);
}

fn one(compose: &Compose, service: &Service, report: &mut Report) {
    let name = service.name.as_str();
    let is_provided = service.other.contains_key("provider");
    if service.image.is_none() && service.build.is_none() && !is_provided {
        let message = format!("the service `{name}` has neither an `image` nor a `build`");
        report.error(ProblemKind::Schema, service.place, message);
    }
    if let Some(build) = &service.build {
        if let (Some(inline), Some(_)) = (&build.dockerfile_inline, &build.dockerfile) {
            report.error(
                ProblemKind::Conflict,
                inline.place,
                "`dockerfile` and `dockerfile_inline` exclude each other",
            );
        }
        for secret in
            build.secrets.iter().filter(|secret| !compose.secrets.contains_key(&secret.source.value))
        {
            unknown(report, name, "the secret", &secret.source.value, secret.place);
        }
        if let Some(platform) = &service.platform
            && !build.platforms.is_empty()
            && !build.platforms.iter().any(|built| built.value == platform.value)
        {
            let message = "`build.platforms` must hold the service's `platform`".to_owned();
            report.error(ProblemKind::Conflict, platform.place, message);
        }
    }
    if let Some(mode) = service.network_mode.as_ref().filter(|_| !service.networks.is_empty()) {
        report.error(ProblemKind::Conflict, mode.place, "`network_mode` and `networks` exclude each other");
    }
    for (network, joined) in &service.networks {
        if !compose.networks.contains_key(network) {
            unknown(report, name, "the network", network, joined.place.unwrap_or(service.place));
        }
    }
    if let Some(test) = service.healthcheck.as_ref().and_then(|check| check.test.as_ref())
        && let HealthTest::Other(words) = &test.value
        && !words.first().is_none_or(|word| matches!(word.as_str(), "CMD" | "CMD-SHELL" | "NONE"))
    {
        let message = "a health check's test must start with `CMD`, `CMD-SHELL` or `NONE`".to_owned();
        report.error(ProblemKind::Schema, test.place, message);
    }
    for (other, dependency) in &service.depends_on {
        let optional = !dependency.required && compose.disabled.contains_key(other);
        if !compose.services.contains_key(other) && !optional {
            unknown(report, name, "the service", other, dependency.place);
        }
    }
    for mount in &service.volumes {
        if let (MountKind::Volume, Some(MountSource::Volume(volume))) = (mount.kind, &mount.source)
            && !compose.volumes.contains_key(volume)
        {
            unknown(report, name, "the volume", volume, mount.place);
        }
    }
    for secret in service.secrets.iter().filter(|secret| !compose.secrets.contains_key(&secret.source.value))
    {
        unknown(report, name, "the secret", &secret.source.value, secret.place);
    }
    for config in service.configs.iter().filter(|config| !compose.configs.contains_key(&config.source.value))
    {
        unknown(report, name, "the config", &config.source.value, config.place);
    }
    limits(service, report);
    let replicas = service.deploy.as_ref().and_then(|deploy| deploy.replicas.as_ref());
    let count = service.scale.as_ref().or(replicas);
    if let (Some(count), Some(_)) = (count.filter(|count| count.value > 1), &service.container_name) {
        let message = "several containers cannot have one `container_name`".to_owned();
        report.error(ProblemKind::Conflict, count.place, message);
    }
}

/// Limits that are given twice must agree.
fn limits(service: &Service, report: &mut Report) {
    let Some(deploy) = &service.deploy else { return };
    fn differ<T: PartialEq>(own: &Option<Resolved<T>>, other: Option<&T>) -> Option<Place> {
        own.as_ref().filter(|own| other != Some(&own.value)).map(|own| own.place)
    }
    let mut conflicts: Vec<(Option<Place>, &str)> = Vec::new();
    if let (Some(scale), Some(replicas)) = (&service.scale, &deploy.replicas) {
        conflicts
            .push(((scale.value != replicas.value).then_some(scale.place), "scale` and `deploy.replicas"));
    }
    if let Some(limits) = &deploy.limits {
        let value = |own: &Option<Resolved<f64>>| own.as_ref().map(|own| own.value);
        let cpus =
            service.cpus.as_ref().filter(|own| value(&limits.cpus) != Some(own.value)).map(|own| own.place);
        conflicts.push((cpus, "cpus` and `deploy.resources.limits.cpus"));
        let memory = limits.memory.as_ref().map(|memory| &memory.value);
        conflicts
            .push((differ(&service.mem_limit, memory), "mem_limit` and `deploy.resources.limits.memory"));
        let pids = limits.pids.as_ref().map(|pids| &pids.value);
        conflicts.push((differ(&service.pids_limit, pids), "pids_limit` and `deploy.resources.limits.pids"));
    }
    if let Some(reservations) = &deploy.reservations {
        let memory = reservations.memory.as_ref().map(|memory| &memory.value);
        let place = differ(&service.mem_reservation, memory);
        conflicts.push((place, "mem_reservation` and `deploy.resources.reservations.memory"));
    }
    for (place, names) in conflicts {
        if let Some(place) = place {
            report.error(ProblemKind::Conflict, place, format!("`{names}` differ"));
        }
    }
}

/// Where the walk over dependencies is with a service.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Open,
    Done,
}

fn cycles(compose: &Compose, report: &mut Report) {
    let mut marks: BTreeMap<&str, Mark> = BTreeMap::new();
    for start in compose.services.keys() {
        // A stack of its own, so that a long chain of services cannot exhaust the thread's.
        let mut stack: Vec<(&str, bool)> = vec![(start, false)];
        while let Some((name, leaving)) = stack.pop() {
            if leaving {
                marks.insert(name, Mark::Done);
                continue;
            }
            if marks.contains_key(name) {
                continue;
            }
            marks.insert(name, Mark::Open);
            stack.push((name, true));
            let Some(service) = compose.services.get(name) else { continue };
            for (other, dependency) in &service.depends_on {
                match marks.get(other.as_str()) {
                    Some(Mark::Open) => {
                        let message = format!("the services `{name}` and `{other}` wait for each other");
                        report.error(ProblemKind::Cycle, dependency.place, message);
                    }
                    Some(Mark::Done) => {}
                    None => stack.push((other, false)),
                }
            }
        }
    }
}
