//! A firewall that Docker goes past.

use std::sync::LazyLock;

use plimsoll_model::services::published_everywhere;
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{Phrases, Place, SourceFile, Span};

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
    for (file, source) in facts.files.iter() {
        if !matches!(facts.trees.kind(file), Kind::Markdown | Kind::Shell) {
            continue;
        }
        let found = mentions(source);
        if found.is_empty()
            || AWARE.are_in(source)
            || !STARTS.lines(source).any(|line| starts_containers(source.line_text(line)))
        {
            continue;
        }
        let mut mentions = found.into_iter().map(|span| Place::new(file, span));
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

static UFW: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(&["ufw"]));

static STARTS: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::new(&["docker compose", "docker-compose", "docker run"]));

/// What a text says that knows of the trap.
static AWARE: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::new(&["DOCKER-USER", "ufw-docker", "bypass", "does not filter"]));

/// Lines that rely on `ufw`: commands that set rules, and prose that recommends it.
fn mentions(source: &SourceFile) -> Vec<Span> {
    let mut found = Vec::new();
    for line in UFW.lines(source).map(|line| source.line_span(line)) {
        let text = source.slice(line);
        let code = text.trim();
        let rules = ["ufw allow", "ufw deny", "ufw enable", "ufw default", "ufw limit", "ufw --force"]
            .iter()
            .any(|words| code.contains(words));
        let prose = (code.contains("`ufw`") || code.contains("UFW")) && !code.starts_with('#');
        if rules || prose {
            let lead = text.len() - text.trim_start().len();
            let start = line.start + u32::try_from(lead).unwrap_or(0);
            found.push(Span::new(start, start + u32::try_from(code.len()).unwrap_or(0)));
        }
    }
    found
}

fn starts_containers(line: &str) -> bool {
    let compose =
        (line.contains("docker compose") || line.contains("docker-compose")) && line.contains(" up");
    compose || line.contains("docker run")
}
