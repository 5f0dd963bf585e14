//! Packages beyond need.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::Facts;
use plimsoll_model::commands::Origin;
use plimsoll_model::images::{Package, PackageManager, Stage};
use plimsoll_text::{FileId, Place};

use super::development::is_for_development;
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-015",
    name: "recommended-packages",
    title: "Image carries packages that nothing needs",
    theme: Theme::TransferBuild,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Docker, Building best practices",
        url: "https://docs.docker.com/build/building/best-practices/",
    }],
    doc: include_str!("recommended_packages.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<FileId, Vec<(Place, Place)>> = BTreeMap::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let installs = matches!(command.program.as_str(), "apt" | "apt-get")
            && command.arg_texts().any(|text| text == "install")
            && !command
                .arg_texts()
                .any(|text| text == "--no-install-recommends" || text.contains("Install-Recommends"));
        if matches!(unit.origin, Origin::ImageBuild) && installs {
            let install = command.args.iter().find(|arg| arg.value.text == "install");
            let word = install.map_or(command.place, |arg| arg.place);
            found.entry(unit.file).or_default().push((command.place, word));
        }
    }
    let mut reported = BTreeSet::new();
    for image in
        facts.images.iter().filter(|image| image.written_by.is_none() && !is_for_development(&image.path))
    {
        let (Some(stage), Some(places)) = (image.stages.last(), found.get(&image.file)) else { continue };
        let mut rest = places.iter().filter(|(place, _)| *place > stage.place);
        let edits = rest.clone().map(|(_, word)| edits::after(*word, " --no-install-recommends")).collect();
        let Some((first, _)) = rest.next() else { continue };
        reported.insert(image.file);
        let finding = findings.add(*first, "`apt-get install` adds recommended packages to the image");
        for (place, _) in rest {
            finding.related(*place, "here, too");
        }
        finding
            .note("they make the image larger, slower to ship, and add programs that need updates")
            .help("add `--no-install-recommends`")
            .fix(edits::safe("install what is named and nothing more", Some(edits)));
    }
    for image in super::builds::deployed(facts).filter(|image| image.written_by.is_none()) {
        let Some(compiler) = image.stages.last().and_then(compiler) else { continue };
        if reported.contains(&image.file) {
            continue;
        }
        findings
            .add(compiler.place, format!("`{}` stays in the image that runs", compiler.name))
            .note("it makes the image larger, and helps whoever gets into the container")
            .help("build in an earlier stage and copy the result");
    }
}

/// A compiler that the last stage installs itself and does not remove.
fn compiler(stage: &Stage) -> Option<&Package> {
    let steps = super::builds::steps(stage);
    let cleans = |step: &super::builds::Step| {
        step.has(&["purge", "remove", "autoremove", "del", "--virtual"])
            || step.words.iter().any(|word| word.value.starts_with("--virtual"))
    };
    if steps.iter().any(cleans) {
        return None;
    }
    stage.packages.iter().find(|package| {
        let system =
            matches!(package.manager, PackageManager::Apt | PackageManager::Apk | PackageManager::Dnf);
        let own = package.place.span.start > stage.place.span.start;
        system
            && own
            && matches!(
                package.name.as_str(),
                "build-essential" | "build-base" | "gcc" | "g++" | "cmake" | "clang"
            )
    })
}
