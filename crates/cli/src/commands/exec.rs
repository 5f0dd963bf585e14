//! `plimsoll exec`

use std::io::IsTerminal as _;

use camino::Utf8Path;
use clap::Args;

use super::target::{TargetArgs, listener};
use crate::failure::{Failure, FailureKind, Outcome};

/// Run a command in a container of a service; its exit code is that of the command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll exec backend -- python manage.py shell
  plimsoll exec db -- psql -U app")]
pub(crate) struct ExecArgs {
    /// Service
    service: String,
    /// Command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(args: &ExecArgs) -> Result<Outcome, Failure> {
    let target = args.target.filled(Utf8Path::new("."))?;
    let app = target.app(Utf8Path::new("."))?;
    let session = target.open(&app, listener(args.target.format, false))?;
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut words = vec!["exec".to_owned()];
    if !terminal {
        words.push("-T".to_owned());
    }
    words.push(args.service.clone());
    words.extend(args.command.iter().cloned());
    let status = session
        .runtime
        .block_on(session.runner.guest.compose(&words, terminal))
        .map_err(FailureKind::from)?;
    Ok(Outcome::Status(u8::try_from(status).unwrap_or(u8::MAX)))
}
