//! Round after round of fixes until nothing is left to do.

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::{Facts, Inventory};
use plimsoll_rules::{Assessment, Judged, Rule, RuleSet, Selection, Severity};
use plimsoll_text::{Applicability, Files};

use crate::proof::{Bench, Standard, State};
use crate::settle::{Candidate, settle};

/// A check from outside (`bash -n`, say): path, text before and text afterwards; the reason when it objects.
pub type Check<'a> = dyn Fn(&Utf8Path, &str, &str) -> Option<String> + 'a;

/// Takes the findings that the owner accepts out of those of a judgement of these files.
pub type Accept<'a> = dyn Fn(&Files, &mut Assessment) + 'a;

/// What to mend and how far to go.
pub struct Request<'a> {
    /// The files.
    pub files: Files,
    /// Which files exist.
    pub inventory: &'a Inventory,
    /// What counts as a finding; its rules are not looked at, since a proof asks all of them.
    pub selection: &'a Selection,
    /// What the owner accepts; it is not mended, and a patch may bring it.
    pub accept: &'a Accept<'a>,
    /// The rules whose findings are mended.
    pub rules: &'a RuleSet,
    /// How far a fix must be trusted at least.
    pub least: Applicability,
    /// Files that must stay as they are.
    pub keep: &'a dyn Fn(&Utf8Path) -> bool,
    /// A check of each patched file.
    pub check: &'a Check<'a>,
}

/// What mending gave.
#[derive(Debug)]
pub struct Mended {
    /// The files that change, in path order.
    pub changed: Vec<Changed>,
    /// What is mended, in the order in which it was.
    pub fixed: Vec<Fixed>,
    /// What could not be mended after all, worst first.
    pub withdrawn: Vec<Withdrawn>,
    /// The judgement of the files as they are afterwards.
    pub remaining: Assessment,
    /// The files as they are afterwards.
    pub files: Files,
}

/// A file that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its path relative to the root.
    pub path: Utf8PathBuf,
    /// Its text before.
    pub before: String,
    /// Its text afterwards.
    pub after: String,
}

/// A finding that is mended.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it was.
    pub severity: Severity,
    /// What the fix does.
    pub title: String,
    /// How far it may be trusted.
    pub applicability: Applicability,
    /// The file that the finding named.
    pub path: Utf8PathBuf,
    /// Its line, counted from 1, when it was mended.
    pub line: usize,
}

/// A fix that was tried and does not hold.
#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// What it would have mended.
    pub fixed: Fixed,
    /// Why not.
    pub reason: String,
}

/// More rounds than any chain of fixes needs.
const ROUNDS: usize = 16;

/// Mends what can be mended. The result is stable: mending it again changes nothing.
#[must_use]
pub fn mend(request: Request<'_>) -> Mended {
    let original = request.files.clone();
    let standard = Standard { selection: request.selection, accept: request.accept };
    let mut state = Box::new(State::new(Facts::new(request.files, request.inventory.clone()), &standard));
    let mut fixed = Vec::new();
    let mut withdrawn = Vec::new();
    for _ in 0..ROUNDS {
        let files = &state.facts.files;
        let candidates: Vec<Candidate<'_>> = state
            .assessment
            .findings
            .iter()
            .enumerate()
            .filter(|(_, judged)| request.rules.has(judged.finding.rule))
            .filter_map(|(index, judged)| Some((index, judged.finding.fix.as_ref()?)))
            .filter(|(_, fix)| fix.applicability >= request.least)
            .filter(|(_, fix)| !fix.edits.iter().any(|e| (request.keep)(files.get(e.place.file).path())))
            .collect();
        let bench = Bench { before: state.before(), standard: &standard, check: request.check };
        let settled = settle(&bench, &candidates);
        let describe =
            |index: usize| state.assessment.findings.get(index).and_then(|judged| described(files, judged));
        fixed.extend(settled.accepted.iter().filter_map(|index| describe(*index)));
        withdrawn = settled
            .withdrawn
            .iter()
            .filter_map(|(index, reason)| {
                Some(Withdrawn { fixed: describe(*index)?, reason: reason.clone() })
            })
            .collect();
        match settled.state {
            Some(next) => state = next,
            None => break,
        }
    }
    let State { facts, assessment, .. } = *state;
    let changed = original
        .iter()
        .map(|(id, before)| (before, facts.files.get(id)))
        .filter(|(before, after)| before.text() != after.text())
        .map(|(before, after)| Changed {
            path: before.path().to_owned(),
            before: before.text().to_owned(),
            after: after.text().to_owned(),
        })
        .collect();
    Mended { changed, fixed, withdrawn, remaining: assessment, files: facts.files }
}

fn described(files: &Files, judged: &Judged) -> Option<Fixed> {
    let finding = &judged.finding;
    let fix = finding.fix.as_ref()?;
    let file = files.get(finding.primary.place.file);
    Some(Fixed {
        rule: finding.rule,
        severity: finding.severity,
        title: fix.title.clone(),
        applicability: fix.applicability,
        path: file.path().to_owned(),
        line: file.line_of(finding.primary.place.span.start) + 1,
    })
}
