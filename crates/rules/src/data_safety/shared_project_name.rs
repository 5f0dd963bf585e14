//! Development and production share a Compose project.

use plimsoll_model::{Facts, Role};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DAT-011",
    name: "shared-project-name",
    title: "Development and production share a Compose project",
    theme: Theme::DataSafety,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "Docker Compose, Specify a project name",
        url: "https://docs.docker.com/compose/how-tos/project-name/",
    }],
    doc: include_str!("shared_project_name.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let stacks: Vec<_> = facts.stacks.iter().collect();
    for production in stacks.iter().filter(|stack| stack.role == Role::Production) {
        for other in stacks.iter().filter(|stack| stack.role == Role::Development) {
            if production.compose.name_place.is_some() || other.compose.name_place.is_some() {
                continue;
            }
            let same_folder = production.compose.directory == other.compose.directory;
            let overlaps = production.files.iter().any(|file| other.files.contains(file));
            if !same_folder || overlaps {
                continue;
            }
            let shared = production.compose.volumes.iter().find_map(|(key, volume)| {
                let twin = other.compose.volumes.get(key)?;
                let own_name = volume.external.as_ref().is_some_and(|external| external.value);
                (!own_name).then_some((key, volume.place, twin.place))
            });
            let Some((key, place, twin)) = shared else { continue };
            findings
                .add(place, format!("volume `{key}` is the same one in development and production"))
                .label("named after the folder, as no file sets `name:`")
                .related(twin, "the same project and volume name here")
                .note("where both run on one machine, `down -v` of one removes the data of the other")
                .help("set a `name:` at the top of each file")
                .fix(edits::review("give the development stack a name of its own", own_name(facts, other)));
        }
    }
}

/// A name at the top of the development file: what is deployed keeps its volumes.
fn own_name(facts: &Facts, development: &plimsoll_model::Stack) -> Option<Vec<plimsoll_text::Edit>> {
    let folder = development.compose.directory.file_name();
    let project = facts.application.projects.iter().find_map(|project| project.name.as_ref());
    let name = folder.or(project.map(|name| name.value.as_str()))?;
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
    let file = *development.files.first()?;
    let services = facts.trees.yaml.get(&file)?.documents.first()?.entry("services")?.key.span;
    let place = plimsoll_text::Place::new(file, services);
    (plain && !name.is_empty())
        .then(|| vec![edits::above_comments(facts, place, &format!("name: {name}-dev\n\n"))])
}
