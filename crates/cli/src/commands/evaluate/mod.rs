//! `plimsoll evaluate`

mod args;
mod clock;
mod document;
mod run;
mod settings;

pub(crate) use args::EvaluateArgs;
pub(crate) use run::run;
pub(super) use run::{quietly, rule_set};
