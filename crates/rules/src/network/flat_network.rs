//! One network for everything.

use std::collections::BTreeSet;

use plimsoll_model::compose::Service;
use plimsoll_model::services::{known, published_everywhere};
use plimsoll_model::{Facts, Stack};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-011",
    name: "flat-network",
    title: "Entry point and data services share one network",
    theme: Theme::Network,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker Compose, Networking in Compose",
        url: "https://docs.docker.com/compose/how-tos/networking/",
    }],
    doc: include_str!("flat_network.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        let Some((front, data)) = neighbours(stack) else { continue };
        let shared: Option<&String> = front.networks.keys().find(|key| data.networks.contains_key(*key));
        let own = shared.and_then(|key| stack.compose.networks.get(key)).and_then(|network| network.place);
        let name = shared.map_or("default", String::as_str);
        let finding = findings.add(
            own.unwrap_or(front.place),
            format!("`{}` and `{}` share the network `{name}`", front.name, data.name),
        );
        finding
            .related(front.place, format!("`{}` takes requests from outside", front.name))
            .related(data.place, format!("`{}` does not need to be in its reach", data.name))
            .note("who takes over the entry point talks to the data service directly")
            .help("put the data services into a network with `internal: true` that only those who use them join");
    }
}

/// An entry point and a data service that it does not use, in one network of all services.
fn neighbours(stack: &Stack) -> Option<(&Service, &Service)> {
    let services: Vec<&Service> = stack.services().filter(|service| service.network_mode.is_none()).collect();
    let networks: BTreeSet<&String> = services.iter().flat_map(|service| service.networks.keys()).collect();
    if networks.len() > 1 || services.len() < 3 {
        return None;
    }
    let is_data = |service: &Service| known(service).is_some_and(|image| image.role.is_data_service());
    let data = services.iter().find(|service| is_data(service))?;
    let front = services.iter().find(|service| {
        !is_data(service)
            && published_everywhere(service).next().is_some()
            && !service.depends_on.contains_key(&data.name)
            && !service
                .environment
                .values()
                .any(|entry| entry.value.as_deref().is_some_and(|value| value.contains(&data.name)))
    })?;
    Some((front, data))
}
