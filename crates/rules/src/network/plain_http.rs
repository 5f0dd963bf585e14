//! Nothing in the project encrypts.

use plimsoll_model::compose::{Port, Service};
use plimsoll_model::services::{is_web_server, known, published_everywhere, terminates_tls};
use plimsoll_model::{Facts, Stack};
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-004",
    name: "plain-http",
    title: "Application is published over plain HTTP only",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "OWASP, Transport Layer Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Transport_Layer_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("plain_http.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    addresses(facts, findings);
    for stack in facts.stacks.deployed() {
        if stack.services().any(terminates_tls) {
            continue;
        }
        let mut entries = entries(facts, stack);
        entries.sort_by_key(|(service, port)| (!is_web_server(facts, service), port.place));
        let mut rest = entries.into_iter();
        let Some((service, port)) = rest.next() else { continue };
        let mapping = facts.text(port.place).trim_matches(['"', '\'']).to_owned();
        let finding =
            findings.add(port.place, format!("`{}` is reached over plain HTTP (`{mapping}`)", service.name));
        finding.label("no port of this project speaks TLS");
        for (service, port) in rest {
            finding.related(port.place, format!("`{}` as well", service.name));
        }
        finding
            .note("passwords, session cookies and tokens cross the network readable, and anybody on the way can change pages")
            .help("put a proxy with certificates (Caddy, Traefik) in front and publish only that, or bind the port to the address of a tunnel");
    }
}

/// Addresses of services in Terraform to which credentials are sent.
fn addresses(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: Vec<Place> = Vec::new();
    for tree in facts.trees.terraform.values() {
        let blocks = tree
            .body
            .blocks
            .iter()
            .filter(|block| matches!(block.kind.value.as_str(), "provider" | "module"));
        for attribute in blocks.flat_map(|block| &block.body.attributes) {
            let name = attribute.name.value.as_str();
            let is_address = ["host", "url", "endpoint", "address"]
                .iter()
                .any(|end| name == *end || name.ends_with(&format!("_{end}")));
            let plain = facts.text(attribute.value.place).trim_start_matches('"').strip_prefix("http://");
            let inside = plain.is_some_and(|host| host.starts_with("localhost") || host.starts_with("127."));
            if is_address && plain.is_some() && !inside {
                found.push(attribute.place);
            }
        }
    }
    found.sort_by_key(|place| (facts.path(place.file), place.span));
    let Some((first, rest)) = found.split_first() else { return };
    let finding = findings.add(*first, "credentials are sent to this address without encryption");
    finding.severity(Severity::High);
    for place in rest {
        finding.related(*place, "the same here");
    }
    finding
        .note("whoever sees the traffic between the two machines has them")
        .help("give the service a certificate and use `https://`");
}

/// Ports that look like web pages or APIs.
fn entries<'a>(facts: &Facts, stack: &'a Stack) -> Vec<(&'a Service, &'a Port)> {
    let web = |port: &Port| {
        port.protocol == "tcp"
            && matches!(port.target, 80 | 3000..=3999 | 4000 | 4173 | 4200 | 5000..=5173 | 7860 | 8000..=8999 | 9000 | 9091 | 9696)
    };
    stack
        .services()
        .filter(|service| {
            let data = known(service).is_some_and(|image| image.role.is_data_service());
            !data && service.network_mode.is_none() || is_web_server(facts, service)
        })
        .flat_map(|service| {
            published_everywhere(service).filter(move |port| web(port)).map(move |port| (service, port))
        })
        .collect()
}
