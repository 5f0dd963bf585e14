//! `plimsoll backup restore`

use std::time::{Duration, Instant};

use clap::Args;
use plimsoll_backup::{Label, Overwrite, Stored, age, next_free, of_archive, shown};
use plimsoll_pve::Vmid;
use plimsoll_pve::api::GuestKind;
use serde_json::json;

use super::super::held::{Held, confirm, failure, now};
use super::super::target::Format;
use super::{Common, choose};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::figures::seconds;
use crate::ui::Ui;

/// Why the state that a restore replaced is kept.
pub(super) const BEFORE: &str = "before a restore";

/// Bring a backup back, in the guest's place or beside it
#[derive(Debug, Args)]
#[command(after_help = "\
In the guest's place: the guest is backed up as it is now, stopped, replaced by the backup and started; what was written
since the backup is lost, and the output says since when. With `--to`, a new guest is made beside it and stays stopped:
it has the same addresses.")]
pub(crate) struct RestoreArgs {
    /// Which one: a part of its name [default: the newest]
    #[arg(value_name = "BACKUP")]
    backup: Option<String>,
    #[command(flatten)]
    common: Common,
    /// Make another guest with this number, or with the next free one
    #[arg(long, value_name = "NUMBER|next")]
    to: Option<String>,
    /// Do not back up what is there now
    #[arg(long)]
    no_backup: bool,
    /// Storage of the disks [default: the one in the backup]
    #[arg(long, value_name = "NAME")]
    storage: Option<String>,
    /// Ask nothing; needs `--name`
    #[arg(long)]
    yes: bool,
    /// The app and the target, as APP/TARGET
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

pub(crate) fn run(ui: &Ui, args: &RestoreArgs) -> Result<Outcome, Failure> {
    let held = args.common.open()?;
    let shelf = held.shelf()?;
    let vmid = held.look()?.map(|machine| machine.vmid);
    let all = shelf.list(vmid, held.app(), held.target_name());
    let all = held.runtime.block_on(all).map_err(failure)?;
    let stored = choose(&held, all, args.backup.as_deref())?;
    let Some((kind, from)) = of_archive(&stored.volume) else {
        return Err(FailureKind::Target(format!("`{}` is no backup of a guest", stored.volume)).into());
    };
    // A client that was killed leaves the node at work, on a guest that shows no mark until it is whole.
    held.work(ui, "waiting for the node", held.at(kind, from).idle())?;
    match &args.to {
        Some(to) => beside(ui, args, &held, &stored, kind, to),
        None => in_place(ui, args, &held, &stored, (kind, from)),
    }
}

fn over(args: &RestoreArgs, held: &Held) -> Overwrite {
    Overwrite { storage: args.storage.clone(), pool: held.pool.clone() }
}

fn beside(
    ui: &Ui,
    args: &RestoreArgs,
    held: &Held,
    stored: &Stored,
    kind: GuestKind,
    to: &str,
) -> Result<Outcome, Failure> {
    let refused = |text: String| Failure::from(FailureKind::Target(text));
    let vmid = match to {
        "next" => held.runtime.block_on(next_free(&held.client)).map_err(failure)?,
        number => match number.parse::<u32>() {
            Ok(number) if number >= 100 => Vmid(number),
            _ => return Err(refused(format!("`{to}` is no number of a guest"))),
        },
    };
    let shelf = held.shelf()?;
    if held.with_number(vmid)?.is_some() {
        return Err(refused(format!("there is a guest {vmid} already; nothing was done"))
            .hint("give another number, or `--to next`"));
    }
    let machine = held.at(kind, vmid);
    held.work(ui, "restoring", shelf.restore_copy(stored, &machine, &over(args, held)))?;
    if args.common.target.format == Format::Json {
        ui.print(&format!("{}\n", json!({"backup": stored.volume, "vmid": vmid, "started": false})))?;
    } else {
        ui.print(&format!(
            "guest {vmid} is {} of {}; it is stopped and has the addresses of the guest that it was\n",
            stored.volume,
            held.name()
        ))?;
    }
    Ok(Outcome::Clean)
}

fn in_place(
    ui: &Ui,
    args: &RestoreArgs,
    held: &Held,
    stored: &Stored,
    (kind, from): (GuestKind, Vmid),
) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let shelf = held.shelf()?;
    let there = held.look()?;
    if let Some(wrong) = there.as_ref().filter(|machine| machine.kind != kind) {
        let text = format!("guest {} is no {kind} guest, and the backup is one", wrong.vmid);
        return Err(FailureKind::Target(text).into());
    }
    let vmid = there.as_ref().map_or(from, |machine| machine.vmid);
    if there.is_none() && held.with_number(vmid)?.is_some() {
        let text = format!("there is another guest {vmid} by now; nothing was done");
        return Err(Failure::from(FailureKind::Target(text)).hint("`--to next` makes a guest beside it"));
    }
    let what = format!(
        "guest {vmid} becomes what it was {} ({} ago); everything written since is lost",
        shown(stored.at),
        age(now().saturating_sub(stored.at))
    );
    confirm(ui, &what, &held.name(), args.yes, args.name.as_deref())?;
    let say = |text: &str| {
        if args.common.target.format == Format::Text {
            ui.status(text);
        }
    };
    let machine = match there {
        Some(machine) => {
            if !args.no_backup {
                say("backing up what is there now");
                let label = Label {
                    app: held.app().to_owned(),
                    target: held.target_name().to_owned(),
                    why: BEFORE.to_owned(),
                };
                held.work(ui, "backing up", shelf.take(&machine, &label, false))?;
            }
            say("stopping the guest");
            // Each service ends in its own time first; a guest that shuts down gives them all one.
            if let Err(failure) = held.power("stop", Duration::ZERO) {
                say(&format!("the app stops with its guest: {}", failure.chain()));
            }
            held.work(ui, "shutting down", machine.shut_down())?;
            machine
        }
        // An earlier restore may have come to an end before it had begun to unpack.
        None => held.at(kind, vmid),
    };
    let until = now();
    say(&format!("restoring {}", stored.volume));
    let restored = async {
        shelf.restore(stored, &machine, &over(args, held)).await?;
        machine.start().await
    };
    held.work(ui, "restoring", restored)?;
    say("waiting for the app");
    let patience = ui.patience("waiting for the app");
    let limit = held.settings.target().deadline + Duration::from_secs(120);
    let (session, address) = held.session(None, limit)?;
    let release = held.healthy(&session, &address, limit)?;
    drop(patience);
    session.runtime.shutdown_background();
    let number = release.as_ref().map(|release| release.number);
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if args.common.target.format == Format::Json {
        let done = json!({
            "backup": stored.volume, "vmid": vmid, "release": number, "lost_from": stored.at,
            "lost_until": until, "took_ms": took,
        });
        ui.print(&format!("{done}\n"))?;
        return Ok(Outcome::Clean);
    }
    let serves = number.map_or_else(
        || "no release had been deployed then".to_owned(),
        |number| format!("release {number} serves"),
    );
    ui.print(&format!(
        "guest {vmid} is back from {}: {serves}, {} in all\nlost: what was written from {} to {}\n",
        stored.volume,
        seconds(took),
        shown(stored.at),
        shown(until)
    ))?;
    Ok(Outcome::Clean)
}
