//! Changes.

use plimsoll_judge::proposals::{Complexity, Horizon};
use plimsoll_rules::Severity;

use super::{Patch, Position, Text};

/// A change with everything that a decision needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its anchor, without `#`.
    pub id: String,
    /// Its number in the document, from 1.
    pub number: usize,
    /// What to do, in a few words.
    pub title: String,
    /// What is wrong here.
    pub problem: Vec<Text>,
    /// How to do it.
    pub solution: Text,
    /// How hard it is.
    pub complexity: Complexity,
    /// Effort.
    pub effort: Hours,
    /// How the effort was computed.
    pub effort_model: Text,
    /// What it does for security.
    pub security: Text,
    /// What it does to performance.
    pub performance: Text,
    /// What may break or has to be done by others.
    pub breaking: Text,
    /// When it is due.
    pub horizon: Horizon,
    /// How many open attack paths it cuts by itself.
    pub cuts: usize,
    /// Whether it is in the cheapest set that cuts all of them.
    pub in_cut: bool,
    /// The worst severity that it resolves.
    pub severity: Option<Severity>,
    /// The findings that it resolves, the worst first.
    pub resolves: Vec<Resolved>,
    /// What a machine can do of it.
    pub patches: Vec<Patch>,
    /// What a machine would do and must not, because it does not hold.
    pub withdrawn: Vec<Withdrawn>,
}

/// A patch that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The rule whose finding it was to mend.
    pub rule: &'static str,
    /// Where.
    pub position: Position,
    /// What it would have done, in the imperative without a full stop.
    pub title: Text,
    /// Why not.
    pub reason: Text,
}

/// A finding that a change resolves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The finding's anchor; nothing where it is not in the document.
    pub finding: Option<String>,
    /// The rule's code.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub position: Position,
}

/// Effort in quarters of an hour; shown in hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours(pub u32);

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let quarters = ["", ".25", ".5", ".75"].get(self.0 as usize % 4).copied().unwrap_or_default();
        write!(f, "{}{quarters} h", self.0 / 4)
    }
}
