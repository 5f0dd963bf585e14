//! Which finding of the patched files is which finding of the files before.

use std::collections::BTreeMap;

use plimsoll_rules::Judged;
use plimsoll_text::{FileId, Files};

use crate::apply::Edits;

/// What patching did to the findings.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Indices of findings before that are still there.
    pub(crate) kept: Vec<usize>,
    /// Indices of findings afterwards that were not there before, or were less severe.
    pub(crate) gained: Vec<usize>,
}

/// What a finding is compared by: its file, its line and its words.
struct Key<'a> {
    file: FileId,
    line: usize,
    judged: &'a Judged,
}

/// Compares findings before with those of the patched files; `mended` says which of those before are meant to go.
pub(crate) fn compare(
    before: (&Files, &[&Judged]),
    edits: &Edits,
    after: (&Files, &[Judged]),
    mended: impl Fn(usize) -> bool,
) -> Comparison {
    let old: Vec<Key<'_>> = before
        .1
        .iter()
        .map(|judged| {
            let place = judged.finding.primary.place;
            let line = after.0.get(place.file).line_of(edits.moved(before.0, place));
            Key { file: place.file, line, judged }
        })
        .collect();
    let new: Vec<Key<'_>> = after
        .1
        .iter()
        .map(|judged| {
            let place = judged.finding.primary.place;
            let line = after.0.get(place.file).line_of(place.span.start);
            Key { file: place.file, line, judged }
        })
        .collect();
    let mut pairs = Pairs { old: &old, new: &new, of_old: BTreeMap::new(), of_new: BTreeMap::new() };
    let message = |a: &Key<'_>, b: &Key<'_>| a.judged.finding.message == b.judged.finding.message;
    let line = |a: &Key<'_>, b: &Key<'_>| a.file == b.file && a.line == b.line;
    pairs.join(|_| true, |a, b| line(a, b) && message(a, b));
    pairs.join(|_| true, line);
    pairs.join(|_| true, |a, b| a.judged.fingerprint == b.judged.fingerprint);
    // What nobody meant to mend may move to its next instance; what was mended may not.
    pairs.join(|index| !mended(index), |a, b| a.file == b.file && message(a, b));
    pairs.join(|index| !mended(index), |a, b| a.file == b.file);
    let gained = (0..new.len())
        .filter(|index| {
            let severity = |key: Option<&Key<'_>>| key.map(|key| key.judged.finding.severity);
            let partner = pairs.of_new.get(index).and_then(|old_index| old.get(*old_index));
            partner.is_none() || severity(partner) < severity(new.get(*index))
        })
        .collect();
    Comparison { kept: pairs.of_old.keys().copied().collect(), gained }
}

struct Pairs<'a> {
    old: &'a [Key<'a>],
    new: &'a [Key<'a>],
    of_old: BTreeMap<usize, usize>,
    of_new: BTreeMap<usize, usize>,
}

impl Pairs<'_> {
    /// Joins findings of one rule that are still single and alike.
    fn join(&mut self, eligible: impl Fn(usize) -> bool, alike: impl Fn(&Key<'_>, &Key<'_>) -> bool) {
        for (old_index, old) in self.old.iter().enumerate() {
            if self.of_old.contains_key(&old_index) || !eligible(old_index) {
                continue;
            }
            let code = old.judged.finding.rule.code;
            let found = self.new.iter().enumerate().find(|(new_index, new)| {
                !self.of_new.contains_key(new_index)
                    && new.judged.finding.rule.code == code
                    && alike(old, new)
            });
            if let Some((new_index, _)) = found {
                self.of_old.insert(old_index, new_index);
                self.of_new.insert(new_index, old_index);
            }
        }
    }
}
