//! Container name is fixed.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::compose::Resolved;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-010",
    name: "fixed-container-name",
    title: "Container name is fixed",
    theme: Theme::Lifecycle,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "Compose specification, container_name",
        url: "https://docs.docker.com/reference/compose-file/services/#container_name",
    }],
    doc: include_str!("fixed_container_name.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    // The first project that has a name, with its folder.
    let mut owners: BTreeMap<&str, (&camino::Utf8Path, &Resolved<String>)> = BTreeMap::new();
    let mut seen = Vec::new();
    for stack in facts.stacks.deployed() {
        let mut names: Vec<&Resolved<String>> = stack
            .services()
            .filter_map(|service| service.container_name.as_ref())
            .filter(|name| !name.value.contains('$') && !seen.contains(&name.place))
            .filter(|name| name.variables.is_empty())
            .collect();
        names.sort_by_key(|name| name.place);
        seen.extend(names.iter().map(|name| name.place));
        let Some((first, rest)) = names.split_first() else { continue };
        let edits = names.iter().map(|name| unnamed(facts, name.place)).collect();
        let folder = stack.compose.directory.as_path();
        let finding = findings.add(first.place, format!("the container is always called `{}`", first.value));
        finding.label("one engine can have this name once");
        for name in rest {
            finding.related(name.place, format!("so is `{}`", name.value));
        }
        for name in &names {
            match owners.get(name.value.as_str()) {
                Some((other, owner)) if *other != folder => {
                    finding
                        .related(owner.place, "another project wants the same name")
                        .severity(Severity::Medium);
                }
                _ => {
                    owners.insert(&name.value, (folder, name));
                }
            }
        }
        finding
            .note("a second copy of the app, for staging or for an update without a gap, cannot start on the same engine")
            .help("remove `container_name` and use service names (`docker compose exec SERVICE`)")
            .fix(edits::review("let Compose name the containers", edits));
    }
}

/// Removes the line.
fn unnamed(facts: &Facts, place: plimsoll_text::Place) -> Option<plimsoll_text::Edit> {
    let head = edits::line_head(facts, place).trim().trim_end_matches(['"', '\'']).trim();
    (head == "container_name:" && edits::is_in_compose_file(facts, place))
        .then(|| edits::remove_lines(facts, place))
}
