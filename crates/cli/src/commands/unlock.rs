//! `plimsoll unlock`

use camino::Utf8Path;
use clap::Args;
use serde_json::json;

use super::target::{Format, TargetArgs, listener};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

/// Take the lock away from whoever deploys; that deploy stops before its next step
#[derive(Debug, Args)]
#[command(after_help = "\
A lock goes with its owner: half a minute after a client died nobody holds it any more. This is for a deploy that is
alive and must stop.")]
pub(crate) struct UnlockArgs {
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(ui: &Ui, args: &UnlockArgs) -> Result<Outcome, Failure> {
    let target = args.target.filled(Utf8Path::new("."))?;
    let app = target.app(Utf8Path::new("."))?;
    let session = target.open(&app, listener(args.target.format, false))?;
    let owner = session.runtime.block_on(session.runner.guest.unlock()).map_err(FailureKind::from)?;
    match (args.target.format, owner) {
        (Format::Json, owner) => ui.print(&format!("{}\n", json!({"event": "unlocked", "owner": owner})))?,
        (Format::Text, None) => ui.status("nobody held the lock"),
        (Format::Text, Some(owner)) => ui.status(&format!("the lock was taken away from {owner}")),
    }
    Ok(Outcome::Clean)
}
