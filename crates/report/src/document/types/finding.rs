//! Findings with their evidence.

use plimsoll_rules::{Confidence, Severity, Theme};
use plimsoll_text::Applicability;

use super::{Position, Text};

/// A finding as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its anchor, without `#`.
    pub id: String,
    /// The rule's code.
    pub rule: &'static str,
    /// The rule's readable name.
    pub name: &'static str,
    /// What it is about.
    pub theme: Theme,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What is wrong, one sentence without a full stop.
    pub message: Text,
    /// Where.
    pub position: Position,
    /// The code there; nothing where the line is blank.
    pub excerpt: Option<Excerpt>,
    /// The facts that make it wrong, each at its place.
    pub evidence: Vec<Evidence>,
    /// What follows if nothing is done.
    pub notes: Vec<Text>,
    /// What to do.
    pub help: Option<Text>,
    /// What `plimsoll fix` can do about it.
    pub fix: Option<Patch>,
    /// The anchor of the proposal that resolves it.
    pub proposal: Option<String>,
}

/// A fact at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Where; nothing where it follows from what no file says.
    pub position: Option<Position>,
    /// What it shows.
    pub text: Text,
}

/// Some lines of a file. Secrets are asterisks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The file.
    pub path: String,
    /// The number of the first line, counted from 1.
    pub first: usize,
    /// The lines, without their breaks and without the blanks that all of them begin with.
    pub lines: Vec<String>,
    /// The number of the line that is meant.
    pub marked: usize,
    /// Its language for highlighting: `sh`, `yaml`, `dockerfile`, …; `text` where it is unknown.
    pub language: &'static str,
}

/// A change that a machine can make for one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The rule whose finding it mends.
    pub rule: &'static str,
    /// What it does, in the imperative without a full stop.
    pub title: Text,
    /// `Safe` keeps the behaviour that anyone wants; `Review` needs a decision (`plimsoll fix --unsafe`).
    pub applicability: Applicability,
    /// The change as a unified diff of one or more files. Secrets are asterisks, so it is for reading.
    pub diff: String,
}
