//! Cache may take all memory.

use std::cell::LazyCell;

use plimsoll_model::Facts;
use plimsoll_model::compose::{MountSource, Service};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "PRF-002",
    name: "cache-without-ceiling",
    title: "Cache may take all memory",
    theme: Theme::Performance,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "Redis documentation, Key eviction",
        url: "https://redis.io/docs/latest/develop/reference/eviction/",
    }],
    doc: include_str!("cache_without_ceiling.md"),
    check,
};

const CACHES: &[&str] = &["redis", "valkey", "keydb", "redis-stack-server", "redis-stack"];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = Vec::new();
    let jobs = LazyCell::new(|| holds_jobs(facts));
    for (_, service) in facts.stacks.deployed_services() {
        if !is_cache(service) || seen.contains(&service.place) {
            continue;
        }
        seen.push(service.place);
        if has_ceiling(facts, service) {
            continue;
        }
        let limit =
            service.mem_limit.as_ref().map(|limit| limit.place).or_else(|| {
                service.deploy.as_ref()?.limits.as_ref()?.memory.as_ref().map(|limit| limit.place)
            });
        let place = service.command.as_ref().map_or(service.place, |command| command.place);
        let finding = findings.add(place, format!("`{}` has no `maxmemory`", service.name));
        finding.label("grows with every key");
        if let Some(limit) = limit {
            finding
                .related(limit, "at this limit the kernel kills it and the cache is empty")
                .confidence(Confidence::Medium);
        }
        if let Some(guest) = facts.guests.real().find(|guest| guest.memory_mib().is_some())
            && let (Some(memory), Some(setting)) = (guest.memory_mib(), guest.setting("memory"))
        {
            finding.related(setting.place, format!("all services share {memory} MiB"));
        }
        finding
            .note("without a ceiling nothing is evicted; when memory ends, the kernel kills the largest process, often the database")
            .help("start it with `--maxmemory 256mb --maxmemory-policy allkeys-lru`, or `noeviction` for a queue")
            .fix(if *jobs {
                edits::review("let it take 256 MB and refuse more, as it holds jobs", ceiling(facts, service, "noeviction"))
            } else {
                edits::review(
                    "let the cache take 256 MB and drop what was used longest ago",
                    ceiling(facts, service, "allkeys-lru"),
                )
            });
    }
}

fn is_cache(service: &Service) -> bool {
    let Some(image) = &service.image else { return false };
    let name = image.value.split(['@', ':']).next().unwrap_or_default();
    CACHES.iter().any(|cache| name.rsplit('/').next() == Some(cache))
}

fn has_ceiling(facts: &Facts, service: &Service) -> bool {
    let words = [&service.command, &service.entrypoint];
    let mut words = words.into_iter().flatten().flat_map(|command| &command.value.words);
    if words.any(|word| word.contains("maxmemory"))
        || service.environment.values().any(|entry| {
            entry.key.to_lowercase().contains("maxmemory")
                || entry.value.as_deref().unwrap_or_default().contains("maxmemory")
        })
    {
        return true;
    }
    let files = service.volumes.iter().filter_map(|mount| match &mount.source {
        Some(MountSource::Path(path)) => Some((path, &mount.target)),
        _ => None,
    });
    files
        .filter(|(_, target)| {
            target.contains("redis") || target.contains("valkey") || target.ends_with(".conf")
        })
        .any(|(path, target)| {
            match facts.files.find(&path.resolved) {
                Some(id) => {
                    facts.files.get(id).text().lines().any(|line| line.trim_start().starts_with("maxmemory"))
                }
                // A configuration that is not among the files may hold anything.
                None => target.ends_with(".conf"),
            }
        })
}

/// Whether a worker of the stack takes its jobs from a queue: jobs that are evicted are lost without a word.
fn holds_jobs(facts: &Facts) -> bool {
    const WORKERS: &[&str] =
        &["celery", "rq", "rqworker", "arq", "dramatiq", "huey_consumer", "sidekiq", "resque"];
    facts.stacks.deployed_services().any(|(_, service)| {
        let commands = [&service.command, &service.entrypoint];
        let mut words = commands.into_iter().flatten().flat_map(|command| &command.value.words);
        words.any(|word| word.split([' ', '/', '=']).any(|part| WORKERS.contains(&part)))
            || service.environment.keys().any(|key| {
                let key = key.to_ascii_uppercase();
                key.contains("CELERY") || key.contains("BROKER") || key.contains("QUEUE")
            })
    })
}

/// The server with its options, where the image starts it without any.
fn ceiling(facts: &Facts, service: &Service, policy: &str) -> Option<Vec<plimsoll_text::Edit>> {
    let name = service.image.as_ref()?.value.split(['@', ':']).next()?.rsplit('/').next()?.to_owned();
    let server = match name.as_str() {
        "redis" => "redis-server",
        "valkey" => "valkey-server",
        _ => return None,
    };
    if service.command.is_some() || service.entrypoint.is_some() {
        return None;
    }
    let line =
        format!("command: [\"{server}\", \"--maxmemory\", \"256mb\", \"--maxmemory-policy\", \"{policy}\"]");
    Some(vec![edits::add_entries(facts, service.place, &line)?])
}
