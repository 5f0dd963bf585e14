//! A Dockerfile that exists only in a script.

use plimsoll_model::{Facts, Kind};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-003",
    name: "dockerfile-written-by-script",
    title: "A script replaces the Dockerfile on its way",
    theme: Theme::TransferBuild,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "Docker, Building best practices",
        url: "https://docs.docker.com/build/building/best-practices/",
    }],
    doc: include_str!("dockerfile_written_by_script.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for image in facts.images.written() {
        let Some(place) = image.written_by else { continue };
        if facts.trees.kind(place.file) == Kind::Markdown {
            continue;
        }
        let mut own = facts.images.iter().filter(|other| other.written_by.is_none());
        let Some(first) = own.next() else { continue };
        let name = image.path.file_name().unwrap_or("Dockerfile").to_ascii_lowercase();
        let replaced = std::iter::once(first)
            .chain(own)
            .find(|other| other.path.components().any(|part| name.contains(part.as_str())))
            .unwrap_or(first);
        let finding = findings
            .add(place, format!("the script writes `{}`, which the repository does not have", image.path));
        finding.label("this text is built, not the file that is reviewed and tested");
        if let Some(stage) = replaced.stages.last() {
            finding.related(stage.place, format!("`{}` is what everybody else builds", replaced.path));
        }
        finding
            .note("what runs in production was never built or tested by anybody else, and later changes to the file have no effect there")
            .help("mend the Dockerfile in the repository and remove this step")
            .fix(super::unwritten_dockerfile::fix(facts, image, replaced));
    }
}
