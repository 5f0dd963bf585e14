//! `plimsoll restart`, `plimsoll stop`, `plimsoll start`

use camino::Utf8Path;
use clap::Args;
use serde_json::json;

use super::deploy;
use super::target::{Format, TargetArgs, listener};
use crate::failure::{Failure, Outcome};
use crate::ui::Ui;

/// Restart services of the release that serves
#[derive(Debug, Args)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    what: What,
}

/// Stop services; `start` or the next deploy starts them again
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    what: What,
}

/// Start services that were stopped
#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    what: What,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll restart
  plimsoll stop worker
  plimsoll start worker")]
struct What {
    /// Services [default: all]
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn restart(ui: &Ui, args: &RestartArgs) -> Result<Outcome, Failure> {
    run(ui, "restart", &args.what)
}

pub(crate) fn stop(ui: &Ui, args: &StopArgs) -> Result<Outcome, Failure> {
    run(ui, "stop", &args.what)
}

pub(crate) fn start(ui: &Ui, args: &StartArgs) -> Result<Outcome, Failure> {
    run(ui, "start", &args.what)
}

fn run(ui: &Ui, verb: &str, what: &What) -> Result<Outcome, Failure> {
    let target = what.target.filled(Utf8Path::new("."))?;
    let app = target.app(Utf8Path::new("."))?;
    let session = target.open(&app, listener(what.target.format, false))?;
    let result = session.runtime.block_on(session.runner.power(verb, &what.services));
    result.map_err(deploy::failure)?;
    if what.target.format == Format::Json {
        let done = json!({"event": "done", "verb": verb, "services": what.services});
        ui.print(&format!("{done}\n"))?;
        return Ok(Outcome::Clean);
    }
    let which = if what.services.is_empty() { "all services".to_owned() } else { what.services.join(", ") };
    ui.status(&format!("{app}: {verb} of {which} is done"));
    Ok(Outcome::Clean)
}
