//! What a rule is.

use plimsoll_model::Facts;

use crate::{Confidence, Findings, FixKind, Severity, Theme};

/// A rule: plain data and a pure function over facts.
#[derive(Debug)]
pub struct Rule {
    /// Stable code, such as `ISO-001`.
    pub code: &'static str,
    /// Readable name in kebab-case that makes sense after "allow …", such as `privileged-lxc`.
    pub name: &'static str,
    /// One line without a full stop.
    pub title: &'static str,
    /// What it is about.
    pub theme: Theme,
    /// How bad it is by default.
    pub severity: Severity,
    /// How sure it is by default.
    pub confidence: Confidence,
    /// Whether a way to the hypervisor (a privileged guest, a node credential, a container engine's socket)
    /// makes it one step worse.
    pub worse_near_node: bool,
    /// What a machine can do about it.
    pub fix: FixKind,
    /// Sources, each checked.
    pub references: &'static [Reference],
    /// The documentation page, which is also its test.
    pub doc: &'static str,
    /// The check.
    pub check: fn(&Facts, &mut Findings<'_>),
}

/// A source for a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Name of the document and its part.
    pub title: &'static str,
    /// Where to read it.
    pub url: &'static str,
}
