//! Document describes another isolation than the scripts make.

use plimsoll_model::Facts;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "DOC-001",
    name: "documented-isolation-differs",
    title: "Document describes another isolation than the scripts make",
    theme: Theme::DocsDrift,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[],
    doc: include_str!("documented_isolation_differs.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for documented in facts.guests.documented() {
        let Some((claimed, setting)) = documented.unprivileged() else { continue };
        let made = facts.guests.real().find(|guest| {
            guest.kind == documented.kind
                && guest.created
                && guest.unprivileged().is_some_and(|(real, _)| real != claimed)
        });
        let Some((_, real)) = made.and_then(|guest| guest.unprivileged()) else { continue };
        let word = |unprivileged: bool| if unprivileged { "unprivileged" } else { "privileged" };
        findings
            .add(
                setting.place,
                format!(
                    "this document shows an {} guest, the deployment makes a {} one",
                    word(claimed),
                    word(!claimed)
                ),
            )
            .label("what readers believe")
            .related(real.place, "what is made")
            .note("whoever reads the document counts on an isolation that is not there")
            .help("say what the script does, or make the script do what the document says")
            .fix(edits::review("show the guest as it is made", as_made(facts, setting.place, claimed)));
    }
}

/// The other digit behind `unprivileged`.
fn as_made(facts: &Facts, place: plimsoll_text::Place, claimed: bool) -> Option<Vec<plimsoll_text::Edit>> {
    let (old, new) = if claimed { ("1", "0") } else { ("0", "1") };
    let digit = edits::part(facts, place, old).filter(|digit| digit.span.end == place.span.end)?;
    Some(vec![edits::replace(digit, new)])
}
