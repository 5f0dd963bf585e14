//! `plimsoll fix`

mod args;
mod run;
mod summary;

pub(crate) use args::FixArgs;
pub(crate) use run::run;
