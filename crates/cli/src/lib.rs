//! The command line: the only place that reads files and the environment, and the only one that prints.

mod args;
mod commands;
mod discovery;
mod failure;
mod figures;
mod output;
mod process;
mod progress;
mod ui;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::failure::Outcome;
use crate::ui::Ui;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; a closed pipe is nobody's concern.
            let code = error.exit_code();
            drop(error.print());
            return ExitCode::from(u8::try_from(code).unwrap_or(2));
        }
    };
    let ui = Ui::new();
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| commands::run(&ui, cli.command)));
    // What nobody waits for any more is not shown as if it was at work.
    progress::end();
    match done {
        Ok(Ok(Outcome::Clean)) => ExitCode::SUCCESS,
        Ok(Ok(Outcome::Findings)) => ExitCode::from(1),
        Ok(Ok(Outcome::Incomplete)) => ExitCode::from(2),
        Ok(Ok(Outcome::Status(status))) => ExitCode::from(status),
        Ok(Err(failure)) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            ui.failure(&failure);
            ExitCode::from(failure.code())
        }
        Err(_) => {
            ui.bug();
            ExitCode::from(70)
        }
    }
}

/// The definition of the command line, for the reference page.
#[must_use]
pub fn command() -> clap::Command {
    args::Cli::command()
}
