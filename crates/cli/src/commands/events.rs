//! `plimsoll events`

use camino::Utf8Path;
use clap::Args;
use plimsoll_deploy::Depth;

use super::target::{Format, TargetArgs, listener};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

/// Show the journal: every step of every deploy, as the guest wrote it down
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll events
  plimsoll events --format json")]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(ui: &Ui, args: &EventsArgs) -> Result<Outcome, Failure> {
    let target = args.target.filled(Utf8Path::new("."))?;
    let app = target.app(Utf8Path::new("."))?;
    let session = target.open(&app, listener(args.target.format, false))?;
    let state =
        session.runtime.block_on(session.runner.guest.observe(Depth::All)).map_err(FailureKind::from)?;
    let mut out = String::new();
    for entry in &state.journal {
        match args.target.format {
            Format::Json => out.push_str(&serde_json::to_string(entry).unwrap_or_default()),
            Format::Text => {
                out.push_str(&format!(
                    "{}  release {:>3}  {:<6}  {}",
                    entry.at, entry.release, entry.phase, entry.step
                ));
            }
        }
        out.push('\n');
    }
    ui.print(&out)?;
    Ok(Outcome::Clean)
}
