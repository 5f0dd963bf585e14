//! `plimsoll backup create`

use clap::Args;
use plimsoll_backup::{Label, superfluous};
use serde_json::json;

use super::super::held::{failure, now};
use super::super::target::Format;
use super::{Common, value};
use crate::failure::{Failure, Outcome};
use crate::figures::bytes;
use crate::ui::Ui;

/// Back the guest up while it runs, and take away what `keep` keeps no longer
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    common: Common,
    /// Why, for whoever looks for it later
    #[arg(long, value_name = "TEXT", default_value = "by hand")]
    reason: String,
    /// Leave it alone whatever `keep` says
    #[arg(long)]
    protect: bool,
    /// Take nothing away
    #[arg(long)]
    no_prune: bool,
}

pub(crate) fn run(ui: &Ui, args: &CreateArgs) -> Result<Outcome, Failure> {
    let held = args.common.open()?;
    let (shelf, machine) = (held.shelf()?, held.machine()?);
    let label = Label {
        app: held.app().to_owned(),
        target: held.target_name().to_owned(),
        why: args.reason.replace(['\n', '\r'], " "),
    };
    let json = args.common.target.format == Format::Json;
    if !json {
        ui.status(&format!("backing up guest {} to `{}`", machine.vmid, shelf.storage));
    }
    let made = held.work(ui, "backing up", shelf.take(&machine, &label, args.protect))?;
    let mut gone = Vec::new();
    if let (false, Some(backup)) = (args.no_prune, &held.settings.target().backup) {
        let all = shelf.list(Some(machine.vmid), held.app(), held.target_name());
        let all = held.runtime.block_on(all).map_err(failure)?;
        // Whatever somebody else made is for them to take away.
        let own: Vec<_> = all.into_iter().filter(|one| one.label().is_some()).collect();
        for one in superfluous(&own, &backup.keep) {
            held.runtime.block_on(shelf.remove(one, &machine)).map_err(failure)?;
            gone.push(one.volume.clone());
        }
    }
    if json {
        let made = value(&made, now());
        ui.print(&format!("{}\n", json!({"backup": made, "removed": gone})))?;
        return Ok(Outcome::Clean);
    }
    for volume in &gone {
        ui.status(&format!("  no longer kept: {volume}"));
    }
    ui.print(&format!(
        "guest {} of {} is backed up: {}, {}\n",
        machine.vmid,
        held.name(),
        bytes(made.bytes),
        made.volume
    ))?;
    Ok(Outcome::Clean)
}
