//! `plimsoll releases`

use std::collections::BTreeMap;

use camino::Utf8Path;
use clap::Args;
use plimsoll_deploy::Depth;
use serde_json::json;

use super::target::{Format, TargetArgs, listener};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

/// List the releases that the guest keeps
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll releases
  plimsoll releases --format json")]
pub(crate) struct ReleasesArgs {
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(ui: &Ui, args: &ReleasesArgs) -> Result<Outcome, Failure> {
    let target = args.target.filled(Utf8Path::new("."))?;
    let app = target.app(Utf8Path::new("."))?;
    let session = target.open(&app, listener(args.target.format, false))?;
    let state =
        session.runtime.block_on(session.runner.guest.observe(Depth::All)).map_err(FailureKind::from)?;
    let mut fate: BTreeMap<u64, (&str, &str)> = BTreeMap::new();
    for entry in &state.journal {
        let word = match (entry.step.as_str(), entry.phase.as_str()) {
            ("good", "end") => "good",
            ("reverted", "end") => "failed",
            _ => continue,
        };
        fate.insert(entry.release, (word, &entry.at));
    }
    let mut out = String::new();
    for (number, release) in state.releases.iter().rev() {
        let (word, at) = fate.get(number).copied().unwrap_or(("unfinished", ""));
        let word = if state.good == Some(*number) { "serves" } else { word };
        let version = release.version.as_deref().unwrap_or("-");
        match args.target.format {
            Format::Json => {
                let images: BTreeMap<&str, &str> = release
                    .services
                    .iter()
                    .map(|service| (service.name.as_str(), service.image.as_str()))
                    .collect();
                let line = json!({
                    "release": number, "state": word, "at": at, "version": version, "by": release.by, "images": images,
                });
                out.push_str(&format!("{line}\n"));
            }
            Format::Text => {
                out.push_str(&format!("{number:>4}  {word:<10}  {at:<20}  {version}  {}\n", release.by));
            }
        }
    }
    ui.print(&out)?;
    Ok(Outcome::Clean)
}
