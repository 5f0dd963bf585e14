//! `plimsoll evaluate`

mod args;
mod clock;
mod document;
mod run;
mod settings;

pub(crate) use args::EvaluateArgs;
pub(super) use clock::today;
pub(crate) use run::run;
pub(super) use run::{quietly, rule_set};
pub(super) use settings::{accept_risks, read as read_settings};
