//! Rules that judge facts, one file and one page each.

mod finding;
mod rule;

pub use finding::{Finding, Findings, Label};
pub use rule::{Confidence, FixKind, Reference, Rule, Severity, Theme};
