//! `plimsoll rollback`

use std::time::Instant;

use camino::Utf8Path;
use clap::Args;

use super::deploy::{finish, report};
use super::target::{TargetArgs, listener};
use crate::failure::{Failure, Outcome};
use crate::ui::Ui;

/// Put an earlier release back, by the same steps as a deploy
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll rollback
  plimsoll rollback 12

Images and configuration go back; data stays as it is.")]
pub(crate) struct RollbackArgs {
    /// Number of the release [default: the good one before the present one]
    #[arg(value_name = "NUMBER")]
    number: Option<u64>,
    #[command(flatten)]
    target: TargetArgs,
    /// Show what the steps print
    #[arg(short, long)]
    verbose: bool,
}

pub(crate) fn run(ui: &Ui, args: &RollbackArgs) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let target = args.target.filled(Utf8Path::new("."))?;
    let app = target.app(Utf8Path::new("."))?;
    let session = target.open(&app, listener(args.target.format, args.verbose))?;
    let result = session.runtime.block_on(session.runner.rollback(args.number));
    report(ui, args.target.format, &app, result, begun)?;
    finish(session);
    Ok(Outcome::Clean)
}
