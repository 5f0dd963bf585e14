//! Nothing in the project encrypts.

use plimsoll_model::compose::{Port, Service};
use plimsoll_model::services::{is_web_server, known, published_everywhere, terminates_tls};
use plimsoll_model::{Facts, Stack};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-004",
    name: "plain-http",
    title: "Application is published over plain HTTP only",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "OWASP, Transport Layer Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Transport_Layer_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("plain_http.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
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
