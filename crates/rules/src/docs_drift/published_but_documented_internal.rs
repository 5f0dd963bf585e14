//! Document calls a service internal that is published.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plimsoll_model::compose::{Port, Service};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{Phrases, Place};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DOC-002",
    name: "published-but-documented-internal",
    title: "Document calls a service internal that is published",
    theme: Theme::DocsDrift,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("published_but_documented_internal.md"),
    check,
};

/// Ways to say that nobody outside can reach something.
static PHRASES: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::new(&[
        "internal only",
        "internal to ",
        "only internal",
        "internally only",
        "not exposed",
        "not published",
        "not reachable from outside",
        "not reachable from the",
        "not reachable by",
        "not accessible from",
        "not publicly",
        "only accessible from within",
        "only reachable from within",
        "docker network only",
        "container network only",
        "private to the",
    ])
});

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let published: Vec<(&Service, &Port)> = facts
        .stacks
        .deployed_services()
        .flat_map(|(_, service)| service.ports.iter().map(move |port| (service, port)))
        .filter(|(_, port)| port.published.is_some() && !is_loopback(port))
        .collect();
    let names = names(&published);
    for file in facts.trees.of_kind(Kind::Markdown) {
        let Some(tree) = facts.trees.markdown.get(&file) else { continue };
        let source = facts.files.get(file);
        let hits: Vec<usize> = PHRASES.lines(source).collect();
        if hits.is_empty() {
            continue;
        }
        let mut found: Vec<(Place, &Service, &Port)> = Vec::new();
        for (index, line) in tree.lines.iter().enumerate() {
            if hits.binary_search(&source.line_of(tree.place(line).span.start)).is_err() {
                continue;
            }
            // The service may be named by the item that this line belongs to.
            let before = index.checked_sub(1).and_then(|at| tree.lines.get(at));
            let hit = named(&names, &published, tree.text(line))
                .or_else(|| named(&names, &published, tree.text(before?)));
            if let Some((service, port)) = hit {
                found.push((tree.place(line), service, port));
            }
        }
        let Some(((place, service, port), rest)) = found.split_first() else { continue };
        let finding = findings.add(
            *place,
            format!("`{}` is not internal: port {} is published on every address", service.name, port.target),
        );
        finding.label("says that nobody outside reaches it").related(port.place, "published here");
        for (place, service, port) in rest {
            finding
                .related(*place, format!("the same for `{}`", service.name))
                .related(port.place, "published here");
        }
        finding
            .note("whoever trusts the document leaves the firewall open")
            .help("remove the port or bind it to `127.0.0.1`, then the document is right");
    }
}

fn is_loopback(port: &Port) -> bool {
    port.host_ip.as_deref().is_some_and(|ip| ip.starts_with("127.") || ip == "::1" || ip == "localhost")
}

/// The words that speak of a published port, in lower case, each with the first one that it speaks of: its number,
/// the name of its service or the name of the service's image.
fn names(published: &[(&Service, &Port)]) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for (index, (service, port)) in published.iter().enumerate() {
        let image = service.image.as_ref().map(|image| {
            let name = image.value.rsplit('/').next().unwrap_or_default();
            name.split([':', '@']).next().unwrap_or_default().to_lowercase()
        });
        let words = [Some(port.target.to_string()), Some(service.name.to_lowercase()), image];
        for word in words.into_iter().flatten().filter(|word| word.len() > 2) {
            if word == "postgres" {
                names.entry("postgresql".to_owned()).or_insert(index);
            }
            names.entry(word).or_insert(index);
        }
    }
    names
}

/// The first published port that a line speaks of.
fn named<'a>(
    names: &BTreeMap<String, usize>,
    published: &[(&'a Service, &'a Port)],
    line: &str,
) -> Option<(&'a Service, &'a Port)> {
    let line = line.to_lowercase();
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    published.get(words.filter_map(|word| names.get(word)).min().copied()?).copied()
}
