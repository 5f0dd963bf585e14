//! Finding the fixes of a set that hold together.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_text::Fix;

use crate::apply::Edits;
use crate::proof::{Bench, State, Tolerated, Verdict};

/// A finding, by its index, with its fix.
pub(crate) type Candidate<'a> = (usize, &'a Fix);

/// What became of candidates.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Indices of the findings whose fixes hold together.
    pub(crate) accepted: BTreeSet<usize>,
    /// Indices of the others with the reason.
    pub(crate) withdrawn: BTreeMap<usize, String>,
    /// The files with all accepted fixes, judged; nothing when none was accepted.
    pub(crate) state: Option<Box<State>>,
}

/// Proves candidates together where possible; what fails is taken apart until each is judged by itself.
pub(crate) fn settle(bench: &Bench<'_>, candidates: &[Candidate<'_>]) -> Settled {
    let mut work =
        Work { bench, edits: Edits::default(), tolerated: Vec::new(), settled: Settled::default() };
    let mut open: Vec<Candidate<'_>> = candidates.to_vec();
    while !open.is_empty() {
        // Those that disturb one that is accepted wait for the next round, where the files are others.
        let mut edits = work.edits.clone();
        let files = &bench.before.facts.files;
        let (chosen, rest): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(_, fix)| edits.add(files, &fix.edits));
        if chosen.is_empty() {
            break;
        }
        work.prove(&chosen);
        open = rest;
    }
    work.settled
}

struct Work<'a, 'b> {
    bench: &'a Bench<'b>,
    edits: Edits,
    tolerated: Vec<Tolerated>,
    settled: Settled,
}

impl Work<'_, '_> {
    fn prove(&mut self, batch: &[Candidate<'_>]) {
        let mut batch = batch.to_vec();
        loop {
            let mut edits = self.edits.clone();
            for (_, fix) in &batch {
                edits.add(&self.bench.before.facts.files, &fix.edits);
            }
            let mended: BTreeSet<usize> =
                self.settled.accepted.iter().copied().chain(batch.iter().map(|(index, _)| *index)).collect();
            let verdict = self.bench.judge(&edits, &mended, &self.tolerated);
            match (verdict, batch.as_slice()) {
                (_, []) => return,
                (Verdict::Holds(state), _) => {
                    self.edits = edits;
                    self.settled.accepted = mended;
                    self.settled.state = Some(state);
                    return;
                }
                (Verdict::Kept(kept), _) if batch.iter().any(|(index, _)| kept.contains(index)) => {
                    for index in &kept {
                        self.withdraw(*index, "the finding would still be there".to_owned());
                    }
                    batch.retain(|(index, _)| !kept.contains(index));
                    if batch.is_empty() {
                        return;
                    }
                }
                (Verdict::Gained(words, gained), [(index, _)]) => {
                    let own = self.severity(*index);
                    if gained.iter().any(|(severity, _)| Some(*severity) >= own) {
                        self.withdraw(*index, words);
                        return;
                    }
                    self.tolerated.extend(gained.into_iter().map(|(_, key)| key));
                }
                (Verdict::Broken(reason), [(index, _)]) => {
                    self.withdraw(*index, reason);
                    return;
                }
                (Verdict::Kept(_), [(index, _)]) => {
                    self.withdraw(*index, "it would undo another fix".to_owned());
                    return;
                }
                _ => {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    self.prove(left);
                    self.prove(right);
                    return;
                }
            }
        }
    }

    fn severity(&self, index: usize) -> Option<plimsoll_rules::Severity> {
        self.bench.before.assessment.findings.get(index).map(|judged| judged.finding.severity)
    }

    fn withdraw(&mut self, index: usize, reason: String) {
        if !self.settled.accepted.contains(&index) {
            self.settled.withdrawn.insert(index, reason);
        }
    }
}
