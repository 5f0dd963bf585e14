//! A search without a hit ends the script.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate, Origin};
use plimsoll_text::{FileId, Place};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-009",
    name: "fatal-search",
    title: "A search without a hit ends the script",
    theme: Theme::ScriptRobustness,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("fatal_search.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<(Place, Option<plimsoll_text::Edit>)>>::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let ours = matches!(unit.origin, Origin::Script | Origin::WrittenScript { .. });
        if ours && searches(command) && ends_script(facts, command) {
            files
                .entry(command.place.file)
                .or_default()
                .push((command.place, accept_nothing(facts, command)));
        }
    }
    for places in files.values() {
        let Some((place, _)) = places.first() else { continue };
        let fix =
            edits::safe("go on when nothing is found", places.iter().map(|(_, edit)| edit.clone()).collect());
        let finding = findings.add(*place, "when `grep` finds nothing the script ends here without a word");
        finding.label("exit status 1 is fatal under `set -e` and `pipefail`");
        for (other, _) in places.iter().skip(1) {
            finding.related(*other, "the same here");
        }
        finding.help(
            "handle the empty case: `value=$(… | grep … || true)`, then test `value` and say what is missing",
        ).fix(fix);
    }
}

fn searches(command: &Command) -> bool {
    matches!(command.program.as_str(), "grep" | "egrep" | "fgrep")
        && command.strict.errexit
        && command.flag(&["-v", "-q", "-c"]).is_none()
}

fn ends_script(facts: &Facts, command: &Command) -> bool {
    let outer = facts.commands.outermost(command);
    matches!(command.fate, Fate::Fatal)
        && !matches!(outer.fate, Fate::Tested | Fate::Masked { .. } | Fate::Lost)
}

/// `|| true` behind the pipeline. What uses the value afterwards sees it empty.
fn accept_nothing(facts: &Facts, command: &Command) -> Option<plimsoll_text::Edit> {
    let end = command.pipeline.map_or(command.place.span, |pipeline| pipeline.span);
    let place = Place::new(command.place.file, end);
    let tail = edits::line_tail(facts, place).trim_start();
    let ends = tail.is_empty() || tail.starts_with(')') || tail.starts_with('#');
    (ends && !edits::is_quoted(facts, command)).then(|| edits::after(place, " || true"))
}
