//! Judging patched files.

use std::collections::BTreeSet;

use camino::Utf8Path;
use plimsoll_model::compose::ProblemKind;
use plimsoll_model::{Facts, Inventory, Kind};
use plimsoll_rules::{Assessment, Judged, RuleSet, Selection, Severity, evaluate};
use plimsoll_syntax::dockerfile;
use plimsoll_text::{FileId, Files, Layer};

use crate::apply::Edits;
use crate::compare::compare;
use crate::{Accept, Check};

/// What files are judged by.
pub(crate) struct Standard<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) selection: &'a Selection,
    pub(crate) accept: &'a Accept<'a>,
}

/// Files with what is known and said about them.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) facts: Facts,
    pub(crate) assessment: Assessment,
    unreadable: BTreeSet<(FileId, String)>,
}

impl State {
    /// Judges files by all rules, whatever was selected: a fix may break what nobody asked about.
    pub(crate) fn new(files: Files, standard: &Standard<'_>) -> Self {
        let facts = Facts::new(files, standard.inventory.clone());
        let all = Selection { rules: RuleSet::All, ..standard.selection.clone() };
        let mut assessment = evaluate(&facts, &all);
        (standard.accept)(&facts.files, &mut assessment);
        let unreadable = unreadable(&facts);
        Self { facts, assessment, unreadable }
    }
}

/// What no reader could make sense of, and what Compose would refuse.
fn unreadable(facts: &Facts) -> BTreeSet<(FileId, String)> {
    let syntax = facts.syntax_errors().iter().map(|error| (error.place.file, error.message.clone()));
    let dockerfiles = facts.trees.of_kind(Kind::Dockerfile).flat_map(|id| {
        let tree = dockerfile::parse(&Layer::whole(id, facts.files.get(id)));
        tree.errors.into_iter().map(move |error| (id, error.message))
    });
    let compose = facts.stacks.iter().flat_map(|stack| {
        let errors = stack.problems.iter().filter(|problem| {
            // That a variable must be set is what a fix may ask for.
            problem.is_error && problem.kind != ProblemKind::RequiredVariable
        });
        errors.filter_map(|problem| Some((problem.place?.file, problem.message.clone())))
    });
    syntax.chain(dockerfiles).chain(compose).collect()
}

/// A finding that came with a patch and weighs less than what the patch mends.
pub(crate) type Tolerated = (&'static str, FileId, String);

/// What judging a patch gave.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It holds.
    Holds(Box<State>),
    /// These findings, by their index among those before, are still there.
    Kept(Vec<usize>),
    /// It brings findings: the worst of them in words, and all with their severities.
    Gained(String, Vec<(Severity, Tolerated)>),
    /// Something could be read before and cannot any more, or a check from outside objects.
    Broken(String),
}

/// All that judging a patch needs.
pub(crate) struct Bench<'a> {
    pub(crate) state: &'a State,
    pub(crate) standard: &'a Standard<'a>,
    pub(crate) check: &'a Check<'a>,
}

impl Bench<'_> {
    /// Judges the files with edits that are to mend the findings at these indices.
    pub(crate) fn judge(&self, edits: &Edits, mended: &BTreeSet<usize>, tolerated: &[Tolerated]) -> Verdict {
        let before = &self.state.facts.files;
        let files = edits.apply(before);
        let changed: Vec<FileId> = edits.files().collect();
        let state = State::new(files, self.standard);
        let after = &state.facts.files;
        if let Some((file, message)) = state.unreadable.difference(&self.state.unreadable).next() {
            return Verdict::Broken(format!(
                "`{}` could not be read any more: {message}",
                after.get(*file).path()
            ));
        }
        if let Some(broken) =
            state.assessment.broken.iter().find(|b| !self.state.assessment.broken.contains(b))
        {
            return Verdict::Broken(format!("rule {} could not judge the result", broken.code));
        }
        let assessment = &self.state.assessment;
        let old: Vec<&Judged> = assessment.findings.iter().chain(&assessment.unsure).collect();
        let comparison = compare((before, &old), edits, (after, &state.assessment.findings), |index| {
            mended.contains(&index)
        });
        let kept: Vec<usize> =
            comparison.kept.iter().copied().filter(|index| mended.contains(index)).collect();
        if !kept.is_empty() {
            return Verdict::Kept(kept);
        }
        let gained: Vec<_> = comparison
            .gained
            .iter()
            .filter_map(|index| state.assessment.findings.get(*index))
            .map(|judged| (judged, tolerable(judged)))
            .filter(|(_, key)| !tolerated.contains(key))
            .collect();
        if let Some((worst, _)) = gained.iter().max_by_key(|(judged, _)| judged.finding.severity) {
            let words = brought(after, worst);
            return Verdict::Gained(
                words,
                gained.into_iter().map(|(judged, key)| (judged.finding.severity, key)).collect(),
            );
        }
        let objection = changed.into_iter().find_map(|id| {
            let path: &Utf8Path = after.get(id).path();
            (self.check)(path, before.get(id).text(), after.get(id).text())
                .map(|reason| format!("`{path}`: {reason}"))
        });
        match objection {
            Some(reason) => Verdict::Broken(reason),
            None => Verdict::Holds(Box::new(state)),
        }
    }
}

fn tolerable(judged: &Judged) -> Tolerated {
    (judged.finding.rule.code, judged.finding.primary.place.file, judged.finding.message.clone())
}

fn brought(files: &Files, judged: &Judged) -> String {
    let finding = &judged.finding;
    let file = files.get(finding.primary.place.file);
    let line = file.line_of(finding.primary.place.span.start) + 1;
    format!("it would bring {} in `{}:{line}`: {}", finding.rule.code, file.path(), finding.message)
}
