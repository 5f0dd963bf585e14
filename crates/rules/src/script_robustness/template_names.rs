//! Names of container templates that are not asked for.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;
use plimsoll_syntax::hcl::{Body, Expression};
use plimsoll_text::{Place, Span};

use crate::health_rollout::ansible_variables::resolve;
use crate::{Findings, Severity};

/// `debian-12-standard_amd64.tar.zst`: the index has names with a version only.
pub(super) fn without_version(facts: &Facts, seen: &mut Vec<String>, findings: &mut Findings<'_>) {
    let is_read = |command: &&Command| facts.commands.is_only_read(command.unit);
    let steps = facts.commands.iter().filter(|command| !is_read(command));
    for command in steps.chain(facts.commands.iter().filter(is_read)) {
        if !command.is("pveam", &["download"]) {
            continue;
        }
        let Some(arg) = command.operands().nth(2) else { continue };
        let (name, variable) = resolve(facts, &arg.value.text);
        let stem = [".tar.zst", ".tar.gz", ".tar.xz"].iter().find_map(|end| name.strip_suffix(end));
        let Some(stem) = stem.filter(|stem| !stem.contains(['$', '{', '<'])) else { continue };
        // SYSTEM-RELEASE-KIND_VERSION_ARCHITECTURE
        if stem.split('_').count() >= 3 || seen.contains(&name) {
            continue;
        }
        seen.push(name.clone());
        let finding =
            findings.add(arg.place, format!("no template is called `{name}`: names carry a version"));
        finding.severity(Severity::High).label("this download always fails");
        if let Some(variable) = variable {
            finding.related(variable, "the name comes from here");
        }
        for place in same_text(facts, arg.place, &arg.value.text) {
            finding.related(place, "never there under this name");
        }
        finding.help("take the newest from the index: `pveam available --section system`");
    }
}

/// Where the same text stands elsewhere in the file.
fn same_text(facts: &Facts, place: Place, text: &str) -> Vec<Place> {
    let file = facts.files.get(place.file).text();
    let to_u32 = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    file.match_indices(text)
        .map(|(at, _)| Place::new(place.file, Span::new(to_u32(at), to_u32(at + text.len()))))
        .filter(|other| *other != place)
        .take(3)
        .collect()
}

/// One build of a template by name in Terraform, which no resource downloads.
pub(super) fn pinned(facts: &Facts, findings: &mut Findings<'_>) {
    let downloaded = facts.trees.terraform.values().any(|tree| {
        tree.body
            .blocks("resource")
            .any(|block| block.label(0) == Some("proxmox_virtual_environment_download_file"))
    });
    if downloaded {
        return;
    }
    let mut found = Vec::new();
    for tree in facts.trees.terraform.values() {
        builds(&tree.body, 0, &mut found);
    }
    found.sort();
    found.dedup();
    let Some(((place, name), rest)) = found.split_first() else { return };
    let finding =
        findings.add(*place, format!("the template build `{name}` is fixed, and no resource downloads it"));
    finding.label("the repository keeps the newest build only");
    for (place, name) in rest {
        finding.related(*place, format!("`{name}`, too"));
    }
    finding.help("add a `proxmox_virtual_environment_download_file`, or look the newest build up before");
}

fn builds(body: &Body, depth: usize, found: &mut Vec<(Place, String)>) {
    if depth > 16 {
        return;
    }
    for attribute in &body.attributes {
        values(&attribute.value, depth, found);
    }
    for block in &body.blocks {
        builds(&block.body, depth + 1, found);
    }
}

fn values(value: &Expression, depth: usize, found: &mut Vec<(Place, String)>) {
    if depth > 24 {
        return;
    }
    if let Some(text) = value.as_str() {
        let name = text.rsplit('/').next().unwrap_or(text);
        let is_archive = [".tar.zst", ".tar.xz", ".tar.gz"].iter().any(|end| name.ends_with(end));
        if is_archive && name.split('_').count() >= 3 && !text.contains("://") {
            found.push((value.place, name.to_owned()));
        }
    }
    for child in value.children() {
        values(child, depth + 1, found);
    }
}
