//! A firewall that Docker goes past.

use plimsoll_model::services::published_everywhere;
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{Place, Span};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-012",
    name: "ufw-with-docker",
    title: "`ufw` is trusted to filter ports that Docker publishes",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker Engine, Packet filtering and firewalls",
        url: "https://docs.docker.com/engine/network/packet-filtering-firewalls/",
    }],
    doc: include_str!("ufw_with_docker.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let Some(port) =
        facts.stacks.deployed_services().find_map(|(_, service)| published_everywhere(service).next())
    else {
        return;
    };
    for (file, text) in facts.files.iter().map(|(id, file)| (id, file.text())) {
        if !matches!(facts.trees.kind(file), Kind::Markdown | Kind::Shell)
            || !text.lines().any(starts_containers)
        {
            continue;
        }
        let mut mentions = mentions(text).into_iter().map(|span| Place::new(file, span));
        let Some(first) = mentions.next() else { continue };
        let finding = findings.add(first, "`ufw` does not filter the ports that Docker publishes");
        finding.related(port.place, "such a port");
        for place in mentions {
            finding.related(place, "here, too");
        }
        finding
            .note("Docker redirects these ports before the rules of `ufw` are asked, so a closed port is open")
            .help("bind ports to `127.0.0.1` or one address, use the Proxmox firewall on the guest's interface, or the `DOCKER-USER` chain");
    }
}

/// Lines that rely on `ufw`: commands that set rules, and prose that recommends it.
fn mentions(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut offset = 0usize;
    for line in text.split_inclusive('\n') {
        let code = line.trim();
        let rules = ["ufw allow", "ufw deny", "ufw enable", "ufw default", "ufw limit", "ufw --force"]
            .iter()
            .any(|words| code.contains(words));
        let prose = (code.contains("`ufw`") || code.contains("UFW")) && !code.starts_with('#');
        let aware =
            ["DOCKER-USER", "ufw-docker", "bypass", "does not filter"].iter().any(|word| text.contains(word));
        if (rules || prose) && !aware {
            let start = offset + line.len() - line.trim_start().len();
            if let (Ok(from), Ok(to)) = (u32::try_from(start), u32::try_from(start + code.len())) {
                found.push(Span::new(from, to));
            }
        }
        offset += line.len();
    }
    found
}

fn starts_containers(line: &str) -> bool {
    let compose =
        (line.contains("docker compose") || line.contains("docker-compose")) && line.contains(" up");
    compose || line.contains("docker run")
}
