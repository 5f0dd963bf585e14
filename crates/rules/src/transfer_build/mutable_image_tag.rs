//! Images that change under their name.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::images::{Base, CopyFrom};
use plimsoll_model::services::reference;
use plimsoll_syntax::dockerfile::ImageReference;
use plimsoll_text::{Edit, FileId, Place};

use super::development::is_for_development;
use super::pinned::pinned;
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-009",
    name: "mutable-image-tag",
    title: "Image tag does not name a version",
    theme: Theme::TransferBuild,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "Docker, Building best practices",
        url: "https://docs.docker.com/build/building/best-practices/",
    }],
    doc: include_str!("mutable_image_tag.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<FileId, Vec<(Place, String, Drift)>> = BTreeMap::new();
    let mut pins: BTreeMap<Place, Edit> = BTreeMap::new();
    for (stack, service) in facts.stacks.deployed_services() {
        let (Some(image), None) = (&service.image, &service.build) else { continue };
        let Some(reference) = reference(service) else { continue };
        let own = stack.services().any(|other| {
            other.build.is_some() && other.image.as_ref().is_some_and(|other| other.value == image.value)
        });
        if let (false, Some(drift)) = (own, drift(&reference)) {
            pins.extend(pin(facts, image.place, &reference).map(|edit| (image.place, edit)));
            found.entry(image.place.file).or_default().push((image.place, image.value.clone(), drift));
        }
    }
    for image in facts.images.iter() {
        if is_for_development(&image.path) {
            continue;
        }
        for stage in &image.stages {
            let base = match &stage.base {
                Base::Image(reference) => Some((reference, stage.place)),
                _ => None,
            };
            let copied = stage.copies.iter().filter_map(|copy| match &copy.from {
                CopyFrom::Image(reference, place) => Some((reference, *place)),
                _ => None,
            });
            for (reference, place) in base.into_iter().chain(copied) {
                if drift(reference) == Some(Drift::Any) {
                    let tag = reference.tag.as_deref().map(|tag| format!(":{tag}")).unwrap_or_default();
                    pins.extend(pin(facts, place, reference).map(|edit| (place, edit)));
                    found.entry(place.file).or_default().push((
                        place,
                        format!("{}{tag}", reference.name),
                        Drift::Any,
                    ));
                }
            }
        }
    }
    for (place, name) in terraform(facts) {
        if ImageReference::parse(&name).is_some_and(|reference| drift(&reference) == Some(Drift::Any)) {
            found.entry(place.file).or_default().push((place, name, Drift::Any));
        }
    }
    for mut places in found.into_values() {
        places.sort_by_key(|(place, _, _)| *place);
        places.dedup_by_key(|(place, _, _)| *place);
        let any = places.iter().any(|(_, _, drift)| *drift == Drift::Any);
        let edits = places.iter().map(|(place, ..)| pins.get(place).cloned()).collect();
        let mut rest = places.into_iter();
        let Some((first, name, drift)) = rest.next() else { continue };
        let finding = findings.add(
            first,
            match drift {
                Drift::Any => format!("`{name}` can be any version"),
                Drift::Major => format!("`{name}` names a major version only"),
            },
        );
        for used in uses_of(facts, first) {
            finding.related(used, "runs it");
        }
        for (place, name, _) in rest {
            finding.related(place, format!("`{name}` moves, too"));
        }
        if !any {
            finding.severity(Severity::Low);
        }
        finding
            .note("the next pull or build takes another image than the one that was tested, and the old one cannot be named to go back to")
            .help("name the full version, for data services with its digest")
            .fix(edits::review("name the versions", edits));
    }
}

/// Images that Terraform runs: of the resources of its Docker provider, and defaults of variables named after an image.
fn terraform(facts: &Facts) -> Vec<(Place, String)> {
    let mut out = Vec::new();
    for tree in facts.trees.terraform.values() {
        let resources = tree.body.blocks("resource").filter_map(|block| match block.label(0)? {
            "docker_container" => block.body.get("image"),
            "docker_image" => block.body.get("name"),
            _ => None,
        });
        let variables = tree.body.blocks("variable").filter_map(|block| {
            let name = block.label(0)?;
            (name.ends_with("_image") || name == "image").then(|| block.body.get("default"))?
        });
        for value in resources.chain(variables) {
            if let Some(text) = value.as_str().filter(|text| !text.is_empty() && text.contains([':', '/'])) {
                out.push((value.place, text.to_owned()));
            }
        }
    }
    out
}

/// Where containers take their image from the variable whose default stands at a place.
fn uses_of(facts: &Facts, default: Place) -> Vec<Place> {
    let Some(tree) = facts.trees.terraform.get(&default.file) else { return Vec::new() };
    let name = tree.body.blocks("variable").find_map(|block| {
        let value = block.body.get("default")?;
        (value.place == default).then(|| block.label(0))?
    });
    let Some(name) = name.map(|name| format!("var.{name}")) else { return Vec::new() };
    let folder = facts.path(default.file).parent();
    let near = facts.trees.terraform.iter().filter(|(id, _)| facts.path(**id).parent() == folder);
    near.flat_map(|(_, tree)| tree.body.blocks("resource"))
        .filter_map(|block| block.body.get("image").or_else(|| block.body.get("name")))
        .filter(|value| value.as_reference() == Some(name.as_str()))
        .map(|value| value.place)
        .collect()
}

/// How far an image moves under its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drift {
    /// Any version.
    Any,
    /// Versions within a major one.
    Major,
}

fn drift(reference: &ImageReference) -> Option<Drift> {
    if reference.digest.is_some() {
        return None;
    }
    let Some(tag) = &reference.tag else { return Some(Drift::Any) };
    if tag.contains('$') {
        return None;
    }
    let start = tag.trim_start_matches('v').split('-').next().unwrap_or_default();
    let numbers = start.bytes().all(|byte| byte.is_ascii_digit()) && !start.is_empty();
    if numbers && start.len() < 6 {
        return Some(Drift::Major);
    }
    let floating = [
        "latest", "stable", "alpine", "slim", "lts", "main", "master", "edge", "nightly", "release",
        "current", "mainline",
    ];
    floating.contains(&start).then_some(Drift::Any)
}

/// The reference with a version, where it is written out.
fn pin(facts: &Facts, place: Place, reference: &ImageReference) -> Option<Edit> {
    let tag = pinned(reference)?;
    let name = reference.name.rsplit('/').next()?;
    let old = match &reference.tag {
        Some(old) => format!("{name}:{old}"),
        None => name.to_owned(),
    };
    let at = edits::part(facts, place, &old)?;
    Some(edits::replace(at, format!("{name}:{tag}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_version_or_a_digest_does_not_move() {
        let of = |text: &str| ImageReference::parse(text).and_then(|reference| drift(&reference));
        assert_eq!(of("nginx"), Some(Drift::Any));
        assert_eq!(of("nginx:alpine"), Some(Drift::Any));
        assert_eq!(of("postgres:16-alpine"), Some(Drift::Major));
        for fixed in ["postgres:16.4", "debian:bookworm", "app:3f9d2c1", "app:20250101"] {
            assert_eq!(of(fixed), None, "{fixed}");
        }
    }
}
