//! Image does not hold the program that it starts.

use plimsoll_model::Facts;
use plimsoll_model::images::Provides;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-001",
    name: "program-not-in-image",
    title: "Image does not hold the program that it starts",
    theme: Theme::TransferBuild,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("program_not_in_image.md"),
    check,
};

pub(super) fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for image in facts.images.iter() {
        if facts.is_development(image.file) {
            continue;
        }
        let Some(stage) = image.stages.last() else { continue };
        let words = stage.start_words();
        let Some(start) = words.first() else { continue };
        if start.value.contains('$') {
            continue;
        }
        let Provides::No(evidence) = image.provides(stage, &start.value, &facts.inventory) else { continue };
        let finding = findings.add(start.place, format!("`{}` is not in this image", start.value));
        finding.label("started here").related(evidence.place, evidence.why);
        for more in evidence.related {
            finding.related(more.place, more.value);
        }
        if let Some(writer) = image.written_by {
            finding.related(writer, "this image is written by a script");
        }
        finding
            .note("the container ends at once and is started again without an end")
            .help("copy or install it in the last stage, scripts in `/usr/local/bin` included");
    }
}
