//! `plimsoll destroy`

use clap::Args;
use plimsoll_backup::Label;
use plimsoll_config::Guest;
use serde_json::json;

use super::backup::try_it;
use super::held::{HeldArgs, confirm};
use super::target::Format;
use crate::failure::{Failure, FailureKind, Outcome};
use crate::figures::bytes;
use crate::ui::Ui;

/// Take the guest away with all that is in it, after a backup that was tried
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll destroy
  plimsoll destroy --yes --name shop/staging --no-backup

The backup is protected, so no pruning takes it away; it is restored into a guest of its own and booted before the guest
goes. Afterwards, `plimsoll backup restore` brings the guest back.")]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    common: HeldArgs,
    /// Ask nothing; needs `--name`
    #[arg(long)]
    yes: bool,
    /// The app and the target, as APP/TARGET
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Back up, but do not try the backup
    #[arg(long)]
    no_drill: bool,
    /// Back nothing up: all data is lost
    #[arg(long, conflicts_with = "no_drill")]
    no_backup: bool,
    /// Take away a guest that was not made for this app, with whatever else is in it
    #[arg(long)]
    adopted: bool,
}

pub(crate) fn run(ui: &Ui, args: &DestroyArgs) -> Result<Outcome, Failure> {
    let held = args.common.open()?;
    let json = args.common.target.format == Format::Json;
    let Some(machine) = held.look()? else {
        held.could_see()?;
        match json {
            true => ui.print(&format!("{}\n", json!({"destroyed": false})))?,
            false => ui.print(&format!("there is no guest of {}\n", held.name()))?,
        }
        return Ok(Outcome::Clean);
    };
    if let (Guest::Adopt(_), false) = (&held.settings.target().guest, args.adopted) {
        let text = format!("guest {} was there before {}; nothing was done", machine.vmid, held.name());
        return Err(Failure::from(FailureKind::Target(text))
            .hint("with `--adopted` the whole guest goes, whatever else is in it"));
    }
    // Where it would go is known before anything is asked.
    let shelf = if args.no_backup { None } else { Some(held.shelf()?) };
    let kept = if args.no_backup { "nothing is kept of it" } else { "a backup of it is kept" };
    let what = format!("guest {} of {} goes with its disks and snapshots; {kept}", machine.vmid, held.name());
    confirm(ui, &what, &held.name(), args.yes, args.name.as_deref())?;
    let mut made = None;
    if let Some(shelf) = shelf {
        let say = |text: &str| {
            if !json {
                ui.status(text);
            }
        };
        say(&format!("backing up guest {} to `{}`", machine.vmid, shelf.storage));
        let label = Label {
            app: held.app().to_owned(),
            target: held.target_name().to_owned(),
            why: "before destroy".to_owned(),
        };
        let stored = held.work(ui, "backing up", shelf.take(&machine, &label, true))?;
        if !args.no_drill {
            let found = try_it(ui, &held, &stored, (None, None), None)?;
            say(&format!("the backup boots: {}", found.said));
        }
        made = Some(stored);
    }
    held.work(ui, "taking it away", machine.destroy())?;
    if json {
        let volume = made.as_ref().map(|stored| stored.volume.as_str());
        ui.print(&format!("{}\n", json!({"destroyed": true, "vmid": machine.vmid, "backup": volume})))?;
        return Ok(Outcome::Clean);
    }
    let kept = made.map_or_else(
        || "nothing is kept of it".to_owned(),
        |stored| format!("{} ({}) brings it back", stored.volume, bytes(stored.bytes)),
    );
    ui.print(&format!("guest {} of {} is gone; {kept}\n", machine.vmid, held.name()))?;
    Ok(Outcome::Clean)
}
