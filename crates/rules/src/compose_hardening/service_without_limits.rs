//! Containers without limits.

use plimsoll_model::Facts;
use plimsoll_model::compose::Service;
use plimsoll_model::images::Role;
use plimsoll_model::services::known as known_image;
use plimsoll_text::Fix;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-007",
    name: "service-without-limits",
    title: "Nothing limits what a container uses",
    theme: Theme::ComposeHardening,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "OWASP, Docker Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("service_without_limits.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        let mut left: Vec<&Service> = stack
            .services()
            .filter(|service| service.image.is_some() || service.build.is_some())
            .filter(|service| service.profiles.is_empty() && !limited(service))
            .collect();
        left.sort_by_key(|service| (service.build.is_none(), service.place));
        let fix = limit(facts, &left);
        let mut rest = left.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings.add(first.place, format!("`{}` may use all memory of the guest", first.name));
        for service in rest {
            finding.related(service.place, format!("so may `{}`", service.name));
        }
        if let Some((memory, place)) =
            facts.guests.real().find_map(|guest| Some((guest.memory_mib()?, guest.place)))
        {
            finding.related(place, format!("they share {memory} MiB"));
        }
        finding
            .note("when one service grows, the kernel ends another one, often the database")
            .help("set `mem_limit`, `cpus` and `pids_limit`, together less than the guest has")
            .fix(fix);
    }
}

/// Gives each service its part of the guest's memory, twice as much to data services and to the app's own as to the
/// others; where the memory is not known, a part of the usual 4 GiB, which needs a look.
fn limit(facts: &Facts, services: &[&Service]) -> Option<Fix> {
    const RESERVED: u64 = 512;
    let known = facts.guests.real().find_map(plimsoll_model::guests::Guest::memory_mib);
    let weight = |service: &Service| {
        let stores = known_image(service).is_some_and(|image| image.role == Role::Database);
        if stores || service.build.is_some() { 2 } else { 1 }
    };
    let parts: u64 = services.iter().map(|service| weight(service)).sum();
    let part = known.unwrap_or(4096).checked_sub(RESERVED)? / parts.max(1);
    let part = part / 64 * 64;
    let edits = services.iter().map(|service| {
        let memory = part * weight(service);
        edits::add_entries(facts, service.place, &format!("mem_limit: {memory}m\npids_limit: 512"))
    });
    let edits: Option<Vec<_>> = edits.collect();
    match known {
        Some(memory) if part >= 256 => {
            edits::safe(format!("share the {memory} MiB of the guest among the services"), edits)
        }
        // Less than this is more likely to end a service than to protect the others.
        _ if part >= 256 => edits::review("limit the memory and the processes of each service", edits),
        _ => None,
    }
}

fn limited(service: &Service) -> bool {
    let limits = service.deploy.as_ref().and_then(|deploy| deploy.limits.as_ref());
    service.mem_limit.is_some()
        || service.cpus.is_some()
        || service.pids_limit.is_some()
        || limits
            .is_some_and(|limits| limits.memory.is_some() || limits.cpus.is_some() || limits.pids.is_some())
}
