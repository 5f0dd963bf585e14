//! Rules that judge facts, one file and one page each.
//!
//! A rule is plain data with a pure function ([`Rule`]); its page beside it is both what
//! `plimsoll explain` prints and its test. [`evaluate`] runs rules over facts and gives an [`Assessment`].

mod baseline;
mod edits;
mod engine;
mod finding;
pub mod page;
pub mod registry;
mod rule;
mod rule_level;
mod rule_theme;
mod selection;
mod selection_profile;
mod suppression;
mod suppression_comment;
mod suppression_scan;

mod compose_hardening;
mod data_safety;
mod docs_drift;
mod guest_isolation;
mod health_rollout;
mod host_access;
mod lifecycle;
mod network;
mod performance;
mod plimsoll;
mod script_robustness;
mod secrets;
mod transfer_build;

pub use baseline::{Baseline, Fingerprint};
pub use engine::{Assessment, BrokenRule, Judged, evaluate};
pub use finding::{Finding, Findings, Label};
pub use rule::{Reference, Rule};
pub use rule_level::{Confidence, FixKind, Severity};
pub use rule_theme::Theme;
pub use selection::{RuleSet, Selection, UnknownRule, similar_id};
pub use selection_profile::Profile;
pub use suppression::Acceptance;
