//! Containers without limits.

use plimsoll_model::Facts;
use plimsoll_model::compose::Service;

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
            .help("set `mem_limit`, `cpus` and `pids_limit`, together less than the guest has");
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
