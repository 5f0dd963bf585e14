//! A database that the network can reach.

use plimsoll_model::Facts;
use plimsoll_model::services::{Access, access, known, published_everywhere};

use super::loopback::on_loopback;
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-001",
    name: "published-data-service",
    title: "Data service is published on all interfaces",
    theme: Theme::Network,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: true,
    fix: FixKind::Safe,
    references: &[
        Reference {
            title: "Docker Engine, Port publishing and mapping",
            url: "https://docs.docker.com/engine/network/port-publishing/",
        },
        Reference {
            title: "OWASP, Docker Security Cheat Sheet",
            url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
        },
    ],
    doc: include_str!("published_data_service.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (stack, service) in facts.stacks.deployed_services() {
        let Some(image) = known(service) else { continue };
        let access = access(service);
        let open = matches!(access, Access::Open { .. });
        if !image.role.is_data_service() && !open {
            continue;
        }
        let mut ports = published_everywhere(service);
        let Some(first) = ports.next() else { continue };
        let mapping = facts.text(first.place).trim_matches(['"', '\'']).to_owned();
        let message = if open {
            format!("`{}` is published on all interfaces (`{mapping}`) and answers anybody", service.name)
        } else {
            format!("`{}` is published on all interfaces (`{mapping}`)", service.name)
        };
        let finding = findings.add(first.place, message);
        finding.label("no host address: every network of the machine reaches it");
        for port in ports {
            finding.related(port.place, "published, too");
        }
        if let Access::Open { why, place } = access {
            finding.related(place, why);
            if image.role.is_data_service() {
                finding.severity(Severity::Critical);
            }
        }
        let user = stack.services().find(|other| other.depends_on.contains_key(&service.name));
        if let Some(user) = user {
            finding.related(
                user.place,
                format!("`{}` reaches it over the Compose network without this", user.name),
            );
        }
        finding
            .note("Docker opens the port past the machine's own firewall, so the whole local network can try it")
            .fix(edits::safe("publish it on the machine itself only", published_everywhere(service).map(|port| on_loopback(facts, port)).collect()))
            .help("remove the mapping, or write `127.0.0.1:` in front of it and use an SSH tunnel");
    }
}
