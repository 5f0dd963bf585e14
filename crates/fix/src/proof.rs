//! Judging patched files.

use std::borrow::Cow;
use std::collections::BTreeSet;

use camino::Utf8Path;
use plimsoll_model::Facts;
use plimsoll_model::compose::ProblemKind;
use plimsoll_rules::{Assessment, Judged, RuleSet, Selection, Severity, evaluate};
use plimsoll_text::{FileId, Files};

use crate::apply::Edits;
use crate::compare::compare;
use crate::{Accept, Check};

/// What files are judged by.
pub(crate) struct Standard<'a> {
    pub(crate) selection: &'a Selection,
    pub(crate) accept: &'a Accept<'a>,
}

/// Files with what is known and said about them.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) facts: Facts,
    pub(crate) assessment: Assessment,
    unreadable: Unreadable,
}

/// Complaints of the readers, each with its file.
type Unreadable = BTreeSet<(FileId, String)>;

impl State {
    /// Judges files by all rules, whatever was selected: a fix may break what nobody asked about.
    pub(crate) fn new(facts: Facts, standard: &Standard<'_>) -> Self {
        let all = Selection { rules: RuleSet::All, ..standard.selection.clone() };
        let mut assessment = evaluate(&facts, &all);
        (standard.accept)(&facts.files, &mut assessment);
        let unreadable = unreadable(&facts);
        Self { facts, assessment, unreadable }
    }

    /// What patches of these files are held against.
    pub(crate) fn before(&self) -> Before<'_> {
        Before {
            facts: &self.facts,
            assessment: &self.assessment,
            unreadable: Cow::Borrowed(&self.unreadable),
        }
    }
}

/// What patches are held against: files as they are, judged by all rules.
#[derive(Debug)]
pub(crate) struct Before<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) assessment: &'a Assessment,
    unreadable: Cow<'a, Unreadable>,
}

impl<'a> Before<'a> {
    pub(crate) fn new(facts: &'a Facts, assessment: &'a Assessment) -> Self {
        Self { facts, assessment, unreadable: Cow::Owned(unreadable(facts)) }
    }
}

/// What no reader could make sense of, and what Compose would refuse.
fn unreadable(facts: &Facts) -> Unreadable {
    let syntax = facts.syntax_errors().iter().map(|error| (error.place.file, error.message.clone()));
    let dockerfiles = facts
        .images
        .iter()
        .filter(|image| image.written_by.is_none())
        .flat_map(|image| image.tree.errors.iter().map(|error| (image.file, error.message.clone())));
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

/// What judging a patch saw, all of it.
#[derive(Debug)]
pub(crate) struct Seen {
    state: Box<State>,
    /// Files that could be read before and cannot any more, and rules that broke, in words.
    pub(crate) broken: Vec<(Option<FileId>, String)>,
    /// Indices of findings that were to go and are still there.
    pub(crate) kept: Vec<usize>,
    /// Indices of the findings afterwards that came.
    gained: Vec<usize>,
}

impl Seen {
    /// The findings that came, each in words.
    pub(crate) fn gained(&self) -> impl Iterator<Item = (&Judged, String)> {
        let findings = &self.state.assessment.findings;
        let files = &self.state.facts.files;
        self.gained
            .iter()
            .filter_map(|index| findings.get(*index))
            .map(|judged| (judged, brought(files, judged)))
    }

    /// The line of a finding that came, counted from 0.
    pub(crate) fn line(&self, judged: &Judged) -> usize {
        let place = judged.finding.primary.place;
        self.state.facts.files.get(place.file).line_of(place.span.start)
    }
}

/// All that judging a patch needs.
pub(crate) struct Bench<'a> {
    pub(crate) before: Before<'a>,
    pub(crate) standard: &'a Standard<'a>,
    pub(crate) check: &'a Check<'a>,
}

impl Bench<'_> {
    /// Looks at the files with edits that are to mend the findings at these indices.
    pub(crate) fn look(&self, edits: &Edits, mended: &BTreeSet<usize>) -> Seen {
        let before = &self.before.facts.files;
        let state = Box::new(State::new(self.before.facts.with_files(edits.apply(before)), self.standard));
        let after = &state.facts.files;
        let unreadable = state.unreadable.difference(&self.before.unreadable).map(|(file, message)| {
            let path = after.get(*file).path();
            (Some(*file), format!("`{path}` could not be read any more: {message}"))
        });
        let new = state.assessment.broken.iter().filter(|b| !self.before.assessment.broken.contains(b));
        let rules = new.map(|b| (None, format!("rule {} could not judge the result", b.code)));
        let broken = unreadable.chain(rules).collect();
        let assessment = &self.before.assessment;
        let old: Vec<&Judged> = assessment.findings.iter().chain(&assessment.unsure).collect();
        let comparison = compare((before, &old), edits, (after, &state.assessment.findings), |index| {
            mended.contains(&index)
        });
        let kept = comparison.kept.iter().copied().filter(|index| mended.contains(index)).collect();
        Seen { broken, kept, gained: comparison.gained, state }
    }

    /// Judges the files with edits that are to mend the findings at these indices.
    pub(crate) fn judge(&self, edits: &Edits, mended: &BTreeSet<usize>, tolerated: &[Tolerated]) -> Verdict {
        let seen = self.look(edits, mended);
        if let Some((_, reason)) = seen.broken.first() {
            return Verdict::Broken(reason.clone());
        }
        if !seen.kept.is_empty() {
            return Verdict::Kept(seen.kept);
        }
        let gained: Vec<_> = seen
            .gained()
            .map(|(judged, words)| (judged.finding.severity, tolerable(judged), words))
            .filter(|(_, key, _)| !tolerated.contains(key))
            .collect();
        if let Some((_, _, words)) = gained.iter().max_by_key(|(severity, ..)| *severity) {
            let words = words.clone();
            return Verdict::Gained(
                words,
                gained.into_iter().map(|(severity, key, _)| (severity, key)).collect(),
            );
        }
        let (before, after) = (&self.before.facts.files, &seen.state.facts.files);
        let objection = edits.files().find_map(|id| {
            let path: &Utf8Path = after.get(id).path();
            (self.check)(path, before.get(id).text(), after.get(id).text())
                .map(|reason| format!("`{path}`: {reason}"))
        });
        match objection {
            Some(reason) => Verdict::Broken(reason),
            None => Verdict::Holds(seen.state),
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
