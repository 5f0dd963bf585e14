//! Which of the fixes that findings carry hold, without applying them.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use plimsoll_model::Facts;
use plimsoll_rules::{Assessment, Judged, RuleSet, Selection, evaluate};
use plimsoll_text::{FileId, Fix, Place};

use crate::Accept;
use crate::apply::Edits;
use crate::proof::{Before, Bench, Seen, Standard};
use crate::settle::{Candidate, settle};

/// Findings with fixes, and what these are held against.
pub struct Claim<'a> {
    /// What is known about the files.
    pub facts: &'a Facts,
    /// The findings.
    pub assessment: &'a Assessment,
    /// What they were selected by.
    pub selection: &'a Selection,
    /// What the owner accepts; a patch may bring it.
    pub accept: &'a Accept<'a>,
    /// Why a file must stay as it is, where it must.
    pub keep: &'a dyn Fn(&Utf8Path) -> Option<&'static str>,
}

/// A finding by its rule's code, its place and its message.
pub type FindingKey = (&'static str, Place, String);

/// The reason of each fix that does not hold; every other one holds.
///
/// All are judged together, which costs one more judgement of the files. What is wrong then is laid at the fix that
/// edits the same file, for the same rule or nearest by; only where no fix does, the set is taken apart.
#[must_use]
pub fn prove(claim: &Claim<'_>) -> BTreeMap<FindingKey, String> {
    let standard = Standard { selection: claim.selection, accept: claim.accept };
    // A fix may break what nobody asked about.
    let all = (claim.selection.rules != RuleSet::All).then(|| {
        let selection = Selection { rules: RuleSet::All, ..claim.selection.clone() };
        let mut all = evaluate(claim.facts, &selection);
        (claim.accept)(&claim.facts.files, &mut all);
        all
    });
    let assessment = all.as_ref().unwrap_or(claim.assessment);
    let bench =
        Bench { before: Before::new(claim.facts, assessment), standard: &standard, check: &|_, _, _| None };
    let kept = |fix: &Fix| {
        fix.edits.iter().find_map(|edit| (claim.keep)(claim.facts.files.get(edit.place.file).path()))
    };
    let mut open: Vec<Candidate<'_>> = assessment
        .findings
        .iter()
        .enumerate()
        .filter(|(_, judged)| claim.selection.rules.has(judged.finding.rule))
        .filter_map(|(index, judged)| Some((index, judged.finding.fix.as_ref()?)))
        .collect();
    let mut refused: BTreeMap<usize, String> =
        open.iter().filter_map(|(index, fix)| Some((*index, kept(fix)?.to_owned()))).collect();
    open.retain(|(index, _)| !refused.contains_key(index));
    // Fixes that disturb each other are judged in turns, each turn on the files as they are.
    while !open.is_empty() {
        let mut edits = Edits::default();
        let (turn, rest): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(_, fix)| edits.add(&claim.facts.files, &fix.edits));
        if turn.is_empty() {
            refused.extend(
                rest.into_iter().map(|(index, _)| (index, "its edits disturb each other".to_owned())),
            );
            break;
        }
        refused.extend(judged_together(&bench, &edits, &turn));
        open = rest;
    }
    let key = |(index, reason): (usize, String)| {
        let finding = &assessment.findings.get(index)?.finding;
        Some(((finding.rule.code, finding.primary.place, finding.message.clone()), reason))
    };
    refused.into_iter().filter_map(key).collect()
}

/// Of fixes that do not disturb each other those that do not hold, with the reasons.
fn judged_together(bench: &Bench<'_>, edits: &Edits, turn: &[Candidate<'_>]) -> BTreeMap<usize, String> {
    let indices: BTreeSet<usize> = turn.iter().map(|(index, _)| *index).collect();
    let seen = bench.look(edits, &indices);
    blamed(bench, &seen, turn).unwrap_or_else(|| settle(bench, turn).withdrawn)
}

/// The fixes at which everything that is wrong is laid; nothing where something can be laid at none of them.
fn blamed(bench: &Bench<'_>, seen: &Seen, turn: &[Candidate<'_>]) -> Option<BTreeMap<usize, String>> {
    let findings = &bench.before.assessment.findings;
    let own = |index: usize| findings.get(index).map(|judged| &judged.finding);
    let mut refused: BTreeMap<usize, String> =
        seen.kept.iter().map(|index| (*index, "the finding would still be there".to_owned())).collect();
    for (file, reason) in &seen.broken {
        let at = editing(turn, (*file)?);
        // Which of several breaks a file, only judging them one by one can tell.
        let [(index, _)] = at.as_slice() else { return None };
        refused.insert(*index, reason.clone());
    }
    for (judged, words) in seen.gained() {
        let (index, _) = nearest(bench, seen, judged, &editing(turn, judged.finding.primary.place.file))?;
        // A finding that weighs less than what a fix mends is no reason against it.
        if own(index)?.severity <= judged.finding.severity {
            refused.insert(index, format!("with the other patches {words}"));
        }
    }
    Some(refused)
}

/// The candidates that edit a file.
fn editing<'a>(turn: &[Candidate<'a>], file: FileId) -> Vec<Candidate<'a>> {
    let edits = |fix: &Fix| fix.edits.iter().any(|edit| edit.place.file == file);
    turn.iter().filter(|(_, fix)| edits(fix)).copied().collect()
}

/// Of candidates that edit the file of a finding that came, the one for the same rule, else the nearest.
fn nearest<'a>(
    bench: &Bench<'_>,
    seen: &Seen,
    came: &Judged,
    candidates: &[Candidate<'a>],
) -> Option<Candidate<'a>> {
    let file = came.finding.primary.place.file;
    let text = bench.before.facts.files.get(file);
    let line = seen.line(came);
    candidates.iter().copied().min_by_key(|(index, fix)| {
        let rule = bench.before.assessment.findings.get(*index).map(|judged| judged.finding.rule.code);
        let edits = fix.edits.iter().filter(|edit| edit.place.file == file);
        let distance = edits.map(|edit| text.line_of(edit.place.span.start).abs_diff(line)).min();
        (rule != Some(came.finding.rule.code), distance, *index)
    })
}
