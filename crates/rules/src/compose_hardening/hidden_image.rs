//! A bind mount over what the image brings, or one that its user cannot write.

use camino::Utf8Path;
use plimsoll_model::Facts;
use plimsoll_model::compose::{Mount, MountKind, MountSource};
use plimsoll_model::services::built;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-008",
    name: "hidden-image",
    title: "Bind mount hides the image or cannot be written",
    theme: Theme::ComposeHardening,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker Engine, Bind mounts",
        url: "https://docs.docker.com/engine/storage/bind-mounts/",
    }],
    doc: include_str!("hidden_image.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (_, service) in facts.stacks.deployed_services() {
        let Some((_, stage)) = built(facts, service) else { continue };
        for mount in service.volumes.iter().filter(|mount| source(mount).is_some()) {
            let Some(path) = source(mount) else { continue };
            let target = mount.target.trim_end_matches('/');
            let code = stage.copies.iter().find(|copy| {
                let destination = copy.destination.value.trim_end_matches(['/', '.']);
                destination == target && !is_file(&mount.target)
            });
            let is_tree = matches!(path, "." | "./") || path.starts_with("..") && !path.contains("data");
            let holds_source =
                is_tree || facts.inventory.has_folder(Utf8Path::new(path.trim_start_matches("./")));
            if let Some(code) = code.filter(|_| holds_source) {
                let finding = findings.add(
                    mount.place,
                    format!(
                        "`{}` runs what lies in `{path}` on the machine, not what its image holds",
                        service.name
                    ),
                );
                finding
                    .severity(Severity::High)
                    .label(format!("covers `{target}`"))
                    .related(code.place, "the image brings its own copy to the same place");
                if let Some(user) = stage.user.as_ref().filter(|user| user.root == Some(false)) {
                    finding.related(user.place, "and this user does not own the files there");
                }
                finding
                    .note("a release is whatever the folder holds at the moment; what the build installed there is gone")
                    .help("leave the mount to a file for development");
            }
        }
    }
}

fn source(mount: &Mount) -> Option<&str> {
    match (&mount.source, mount.kind) {
        (Some(MountSource::Path(path)), MountKind::Bind) if !mount.read_only => Some(path.written.as_str()),
        _ => None,
    }
}

fn is_file(target: &str) -> bool {
    target.rsplit('/').next().is_some_and(|name| name.contains('.'))
}
