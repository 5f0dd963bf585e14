//! Changes to files as data.

use crate::Place;

/// How far a fix may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// Needs a decision: behaviour that somebody may rely on changes.
    Review,
    /// Behaviour that anyone wants stays.
    Safe,
}

/// Replaces the bytes at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes to replace; empty for an insertion.
    pub place: Place,
    /// What stands there afterwards.
    pub replacement: String,
}

/// A machine-made patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the imperative, without a full stop.
    pub title: String,
    /// How far it may be trusted.
    pub applicability: Applicability,
    /// The changes; they do not overlap.
    pub edits: Vec<Edit>,
}
