//! What is tested is another version than what is deployed.

use plimsoll_model::images::Base;
use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::dockerfile::ImageReference;
use plimsoll_syntax::yaml::Node;
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DOC-008",
    name: "version-drift",
    title: "What is tested is another version than what is deployed",
    theme: Theme::DocsDrift,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("version_drift.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (language, key) in [("python", "python-version"), ("node", "node-version"), ("golang", "go-version")]
    {
        let tested = tested(facts, key);
        let Some((place, version)) = shipped(facts, language) else { continue };
        if tested.is_empty() || tested.iter().any(|(_, other)| same(other, &version)) {
            continue;
        }
        let Some((test_place, other)) = tested.first() else { continue };
        findings
            .add(place, format!("the image runs `{language}` {version}, the tests ran on {other}"))
            .label("deployed")
            .related(*test_place, "tested")
            .note("an error of one version is found by users, not by the tests")
            .help("use one version in both");
    }
    databases(facts, findings);
}

/// Versions that workflows set up.
fn tested(facts: &Facts, key: &str) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    for (file, stream) in facts.trees.yaml_of(Kind::Workflow) {
        for document in &stream.documents {
            collect(document, key, 0, &mut |node| {
                let values: Vec<&Node> = if node.is_sequence() {
                    node.items().iter().map(AsRef::as_ref).collect()
                } else {
                    vec![node]
                };
                for value in values {
                    if let Some(text) =
                        value.as_str().filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))
                    {
                        found.push((Place::new(file, value.span), text.to_owned()));
                    }
                }
            });
        }
    }
    found
}

fn collect<'a>(node: &'a Node, key: &str, depth: usize, visit: &mut dyn FnMut(&'a Node)) {
    if depth > 30 {
        return;
    }
    for entry in node.entries() {
        if entry
            .key
            .as_str()
            .is_some_and(|name| name == key || name.eq_ignore_ascii_case(&key.replace('-', "_")))
        {
            visit(&entry.value);
        }
        collect(&entry.value, key, depth + 1, visit);
    }
    for item in node.items() {
        collect(item, key, depth + 1, visit);
    }
}

/// The version of a language that the last stage of an image of the repository has.
fn shipped(facts: &Facts, language: &str) -> Option<(Place, String)> {
    facts
        .images
        .iter()
        .filter(|image| image.written_by.is_none() && !facts.is_development(image.file))
        .filter_map(|image| image.stages.last())
        .find_map(|stage| {
            let Base::Image(reference) = &stage.base else { return None };
            if reference.short_name() != language {
                return None;
            }
            let version = reference.tag.as_deref()?.split('-').next()?;
            version.starts_with(|c: char| c.is_ascii_digit()).then(|| (stage.place, version.to_owned()))
        })
}

/// Whether two versions agree as far as both say.
fn same(a: &str, b: &str) -> bool {
    a.split('.').zip(b.split('.')).take(2).all(|(a, b)| a == b || a == "x" || b == "x")
}

/// Databases of the development stack or of CI with another major version than the deployed one.
fn databases(facts: &Facts, findings: &mut Findings<'_>) {
    let mut deployed = Vec::new();
    let mut other = Vec::new();
    for stack in facts.stacks.iter() {
        for service in stack.services() {
            let Some(image) = &service.image else { continue };
            let Some(reference) = ImageReference::parse(&image.value) else { continue };
            if !matches!(reference.short_name(), "postgres" | "mysql" | "mariadb" | "mongo" | "redis") {
                continue;
            }
            let Some(major) =
                reference.tag.as_deref().and_then(|tag| tag.split(['.', '-']).next()).map(str::to_owned)
            else {
                continue;
            };
            if major.bytes().all(|b| b.is_ascii_digit()) {
                let list = if stack.is_deployed() { &mut deployed } else { &mut other };
                list.push((reference.short_name().to_owned(), major, image.place));
            }
        }
    }
    for (name, major, place) in &deployed {
        if let Some((_, tested, test_place)) = other.iter().find(|(n, m, _)| n == name && m != major) {
            findings
                .add(*place, format!("`{name}` {major} is deployed, {tested} is what developers use"))
                .label("deployed")
                .related(*test_place, "developed with")
                .help("use one major version in both");
        }
    }
}
