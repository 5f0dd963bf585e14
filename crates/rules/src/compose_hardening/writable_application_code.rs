//! Code that its own process may change.

use plimsoll_model::Facts;

use crate::edits;
use crate::transfer_build::development::is_for_development;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-012",
    name: "writable-application-code",
    title: "Application can change its own code",
    theme: Theme::ComposeHardening,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "OWASP, Docker Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("writable_application_code.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for image in facts.images.iter().filter(|image| !is_for_development(&image.path)) {
        let Some(stage) = image.stages.last() else { continue };
        let Some(user) = stage.user.as_ref().filter(|user| user.root == Some(false)) else { continue };
        let mut own = stage.copies.iter().filter(|copy| {
            let owner = copy.owner.as_ref().and_then(|owner| owner.value.split(':').next());
            copy.place > stage.place && owner == Some(user.name.as_str())
        });
        let edits = own.clone().map(|copy| keep_with_root(facts, copy)).collect();
        let Some(first) = own.next() else { continue };
        let finding = findings.add(first.place, format!("the code belongs to `{}`, who runs it", user.name));
        for copy in own {
            finding.related(copy.place, "this, too");
        }
        finding
            .related(user.place, "the program runs as this user")
            .note("who takes the program over can change it, and the change stays as long as the container")
            .help("leave the files to root and give the user only the folders that it writes to")
            .fix(edits::review("leave the code to root", edits));
    }
}

/// Removes `--chown`.
fn keep_with_root(facts: &Facts, copy: &plimsoll_model::images::CopyFact) -> Option<plimsoll_text::Edit> {
    let owner = &copy.owner.as_ref()?.value;
    let option = edits::part(facts, copy.place, &format!("--chown={owner}"))?;
    Some(edits::remove_word(facts, option))
}
