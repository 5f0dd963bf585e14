//! Readings of programs that are the same in two states of the files.

use std::sync::Arc;

use super::reading::Reading;
use super::{Commands, Unit, UnitId};

/// The commands of another state of the files.
pub(crate) struct Shared<'a> {
    /// Its programs before anything was known about other files.
    pub(crate) begun: &'a [Unit],
    /// Its commands.
    pub(crate) commands: &'a Commands,
}

impl Shared<'_> {
    /// The readings of programs that come out the same in this state: the program is the same one, nothing but its
    /// own text and the machine that starts it decides what it is read as, and that machine is known from its text.
    /// Both lists of programs are in file order.
    pub(super) fn readings(&self, units: &[Unit], sources: &[Vec<UnitId>]) -> Vec<Option<Reading>> {
        let mut other = 0;
        let mut found = Vec::with_capacity(units.len());
        for (index, unit) in units.iter().enumerate() {
            while self.begun.get(other).is_some_and(|begun| begun.file < unit.file) {
                other += 1;
            }
            let begun = self.begun.get(other).filter(|begun| begun.file == unit.file);
            let alone = sources.get(index).is_some_and(Vec::is_empty);
            // Programs of files that did not change are clones, which share their script.
            let same = begun.filter(|begun| alone && Arc::ptr_eq(&begun.script, &unit.script));
            found.push(same.and_then(|begun| self.commands.reading_alone(other, begun.machine)));
            other += usize::from(begun.is_some());
        }
        found
    }
}
