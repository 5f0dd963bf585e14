//! Matching comments that accept a finding with the findings that they accept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plimsoll_text::{FileId, Files, Place, Remembered};

use crate::suppression_scan::{Directive, directives};
use crate::{Finding, registry};

/// All suppression comments of the evaluated files and which of their parts accepted a finding.
#[derive(Debug)]
pub(crate) struct Suppressions {
    by_file: BTreeMap<FileId, Arc<Vec<Directive>>>,
    used: BTreeSet<Place>,
}

/// The comment that accepts a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The comment.
    pub place: Place,
    /// The reason that it gives.
    pub reason: String,
}

/// The comments of a file.
static DIRECTIVES: Remembered<Vec<Directive>> = Remembered::new();

impl Suppressions {
    pub(crate) fn read(files: &Files) -> Self {
        let by_file = files
            .iter()
            .map(|(id, file)| (id, DIRECTIVES.of(file, || directives(id, file))))
            .filter(|(_, directives)| !directives.is_empty())
            .collect();
        Self { by_file, used: BTreeSet::new() }
    }

    /// The comment that accepts a finding, if there is one. A comment without a reason accepts nothing.
    pub(crate) fn accept(&mut self, files: &Files, finding: &Finding) -> Option<Acceptance> {
        let primary = lines(files, finding.primary.place);
        let related = finding.related.iter().map(|label| {
            let (first, _) = lines(files, label.place);
            (label.place.file, (first, first))
        });
        let all: Vec<_> = std::iter::once((finding.primary.place.file, primary)).chain(related).collect();
        for (file, (first, last)) in all {
            for directive in self.by_file.get(&file).into_iter().flat_map(|all| all.iter()) {
                if directive.reason.is_empty() || last < directive.first_line || directive.last_line < first {
                    continue;
                }
                let accepts = |id: &str| id == finding.rule.code || id == finding.rule.name;
                if let Some(id) = directive.ids.iter().find(|id| accepts(&id.value)) {
                    self.used.insert(id.place);
                    return Some(Acceptance { place: directive.place, reason: directive.reason.clone() });
                }
            }
        }
        None
    }

    /// All comments in file order.
    pub(crate) fn directives(&self) -> impl Iterator<Item = &Directive> {
        self.by_file.values().flat_map(|all| all.iter())
    }

    /// The places of known rule ids that accepted nothing although `ran` says that their rule ran.
    pub(crate) fn unused(&self, ran: impl Fn(&str) -> bool) -> Vec<(Place, &'static crate::Rule)> {
        self.directives()
            .filter(|directive| !directive.reason.is_empty())
            .flat_map(|directive| &directive.ids)
            .filter(|id| !self.used.contains(&id.place))
            .filter_map(|id| Some((id.place, registry::find(&id.value)?)))
            .filter(|(_, rule)| ran(rule.code))
            .collect()
    }
}

/// The first and last line of a place, counted from 0.
fn lines(files: &Files, place: Place) -> (usize, usize) {
    let file = files.get(place.file);
    let first = file.line_of(place.span.start);
    let last = file.line_of(place.span.end.saturating_sub(1).max(place.span.start));
    (first, last)
}
