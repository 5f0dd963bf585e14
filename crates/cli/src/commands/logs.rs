//! `plimsoll logs`

use camino::Utf8Path;
use clap::Args;

use super::target::{TargetArgs, listener};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

/// Show what services print
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll logs
  plimsoll logs -f backend")]
pub(crate) struct LogsArgs {
    /// Services [default: all]
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// Go on showing what is printed from now on
    #[arg(short, long)]
    follow: bool,
    /// Lines of each container to begin with
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 100)]
    lines: u32,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(_ui: &Ui, args: &LogsArgs) -> Result<Outcome, Failure> {
    let target = args.target.filled(Utf8Path::new("."))?;
    let app = target.app(Utf8Path::new("."))?;
    let session = target.open(&app, listener(args.target.format, false))?;
    let mut words = vec!["logs".to_owned(), "--tail".to_owned(), args.lines.to_string()];
    if args.follow {
        words.push("--follow".to_owned());
    }
    words.extend(args.services.iter().cloned());
    let status =
        session.runtime.block_on(session.runner.guest.compose(&words, false)).map_err(FailureKind::from)?;
    Ok(if status == 0 { Outcome::Clean } else { Outcome::Findings })
}
