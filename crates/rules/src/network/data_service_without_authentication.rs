//! A data service that lets anybody in.

use plimsoll_model::Facts;
use plimsoll_model::compose::Service;
use plimsoll_model::services::{Access, access, known, published_everywhere};
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-002",
    name: "data-service-without-authentication",
    title: "Data service asks nobody for a password",
    theme: Theme::Network,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Redis, Security",
        url: "https://redis.io/docs/latest/operate/oss_and_stack/management/security/",
    }],
    doc: include_str!("data_service_without_authentication.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        let mut open: Vec<(&Service, String, Place)> = Vec::new();
        for service in stack.services() {
            let is_data = known(service).is_some_and(|image| image.role.is_data_service());
            if !is_data {
                continue;
            }
            if let Access::Open { why, place } = access(service) {
                open.push((service, why, place));
            }
        }
        open.sort_by_key(|(_, _, place)| *place);
        let mut rest = open.into_iter();
        let Some((service, why, place)) = rest.next() else { continue };
        let finding = findings.add(place, format!("`{}` asks nobody for a password", service.name));
        finding.label(why);
        if let Some(port) = published_everywhere(service).next() {
            finding.severity(Severity::Medium).related(port.place, "every network of the machine reaches it");
        }
        for (other, why, place) in rest {
            finding.related(place, format!("`{}`: {why}", other.name));
        }
        finding
            .note("one service that is taken over, or one that joins the network later, reads and writes everything")
            .help("set a generated password and put it into the addresses of those who use it and into the health check");
    }
}
