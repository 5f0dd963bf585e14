//! A way around the reverse proxy.

use plimsoll_model::compose::{Port, Service};
use plimsoll_model::services::{is_web_server, known, published_everywhere, reference};
use plimsoll_model::{Facts, Stack};
use plimsoll_text::Place;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-003",
    name: "port-beside-proxy",
    title: "Application port is published beside its proxy",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "Docker Engine, Port publishing and mapping",
        url: "https://docs.docker.com/engine/network/port-publishing/",
    }],
    doc: include_str!("port_beside_proxy.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        let mut beside: Vec<(&Service, Place, String)> = Vec::new();
        for service in stack.services() {
            let is_data = known(service).is_some_and(|image| image.role.is_data_service());
            let is_web = published_everywhere(service).any(|port| !NOT_WEB.contains(&port.target));
            if is_data || is_front(facts, service) || !is_web {
                continue;
            }
            if let Some((place, why)) = fronted(facts, stack, service) {
                beside.push((service, place, why));
            }
        }
        beside.sort_by_key(|(service, ..)| service.place);
        let edits = beside
            .iter()
            .flat_map(|(service, ..)| published_everywhere(service))
            .map(|port| super::loopback::on_loopback(facts, port))
            .collect();
        let mut rest = beside.into_iter();
        let Some((service, place, why)) = rest.next() else { continue };
        let is_web = |port: &&Port| !NOT_WEB.contains(&port.target);
        let Some(port) = published_everywhere(service).find(is_web) else { continue };
        let mapping = facts.text(port.place).trim_matches(['"', '\'']).to_owned();
        let finding = findings.add(
            port.place,
            format!("`{}` is published (`{mapping}`) although a proxy stands in front of it", service.name),
        );
        finding.label("everybody who reaches the machine reaches it here").related(place, why);
        for (other, ..) in rest {
            if let Some(port) = published_everywhere(other).next() {
                finding.related(port.place, format!("`{}` is published, too", other.name));
            }
        }
        finding
            .note("requests that come this way miss what the proxy does: TLS, limits, headers, blocked paths")
            .help("remove the port, or bind it to `127.0.0.1`, and let the proxy reach the service by name")
            .fix(edits::review("publish them on the machine itself only", edits));
    }
}

/// Ports that no web proxy stands in front of: DNS, SSH, mail, MQTT, VPNs, TURN.
const NOT_WEB: &[u16] = &[22, 25, 53, 143, 465, 587, 853, 993, 1194, 1883, 3478, 8883, 51820];

fn is_front(facts: &Facts, service: &Service) -> bool {
    is_web_server(facts, service) || is_tunnel(service)
}

fn is_tunnel(service: &Service) -> bool {
    reference(service).is_some_and(|image| matches!(image.short_name(), "cloudflared" | "ngrok" | "newt"))
}

/// The proxy of a service: labels that a proxy reads, a proxy that waits for it, a proxy's configuration that names
/// it, a tunnel beside it.
fn fronted(facts: &Facts, stack: &Stack, service: &Service) -> Option<(Place, String)> {
    if let Some((_, label)) =
        service.labels.iter().find(|(key, value)| key.as_str() == "traefik.enable" && value.value == "true")
    {
        return Some((label.place, "Traefik forwards to it".to_owned()));
    }
    for front in stack.services().filter(|other| other.name != service.name && is_front(facts, other)) {
        let entry = front.ports.first().map_or(front.place, |port| port.place);
        if front.depends_on.contains_key(&service.name) {
            return Some((entry, format!("`{}` stands in front of it", front.name)));
        }
        if is_tunnel(front) {
            return Some((front.place, format!("the tunnel `{}` brings requests in", front.name)));
        }
    }
    forwarded(facts, &service.name).map(|place| (place, "this proxy forwards to it".to_owned()))
}

/// The directive of an nginx configuration that forwards to a service.
fn forwarded(facts: &Facts, name: &str) -> Option<Place> {
    let mut found = None;
    for config in facts.trees.nginx.values() {
        config.walk(&mut |_, directive| {
            let host = (directive.name.value == "proxy_pass")
                .then(|| directive.argument(0)?.split_once("//")?.1.split([':', '/']).next())
                .flatten();
            if found.is_none() && host == Some(name) {
                found = Some(directive.place);
            }
        });
    }
    found
}
