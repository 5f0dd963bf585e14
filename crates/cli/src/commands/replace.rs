//! `plimsoll deploy --replace`: the guest goes, after a backup that was tried, and is made anew by the deploy.

use std::time::Duration;

use camino::Utf8Path;
use plimsoll_backup::{Label, Stored};
use plimsoll_config::Guest;
use plimsoll_deploy::Spec;
use plimsoll_pve::api::GuestKind;
use serde_json::json;

use super::backup::try_it;
use super::held::{Held, HeldArgs, confirm, failure};
use super::target::{Format, TargetArgs};
use crate::failure::{Failure, FailureKind};
use crate::figures::bytes;
use crate::ui::Ui;

/// Why the backup was made.
const WHY: &str = "before a replacement";

/// How a person says that this is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) yes: bool,
    pub(crate) name: Option<&'a str>,
    pub(crate) verbose: bool,
}

/// The guest that was there, and how it comes back.
#[derive(Clone, Debug)]
pub(crate) struct Former {
    stored: Stored,
    /// `shop/production`
    name: String,
    /// Whether the new guest is of the other kind, so that a restore has no place before it is gone.
    is_other_kind: bool,
}

impl Former {
    /// The commands that bring it back.
    pub(crate) fn way_back(&self) -> String {
        let sure = format!("--yes --name {}", self.name);
        let first =
            if self.is_other_kind { format!("`plimsoll destroy {sure}`, then ") } else { String::new() };
        format!("{first}`plimsoll backup restore {} {sure}`", self.stored.volume)
    }

    /// Says it.
    pub(crate) fn report(&self, ui: &Ui, format: Format) -> Result<(), Failure> {
        let (volume, back) = (&self.stored.volume, self.way_back());
        match format {
            Format::Json => {
                ui.print(&format!("{}\n", json!({"event": "replaced", "backup": volume, "way_back": back})))
            }
            Format::Text => ui.print(&format!(
                "the former guest is whole in {volume} ({}); {back} brings it back\n",
                bytes(self.stored.bytes)
            )),
        }
    }
}

/// Takes the guest away, after it was stopped, backed up, and its backup tried. Nothing is done when there is none, when a new one
/// could not be made, or when nobody means it; a guest whose backup fails is started again.
pub(crate) fn replace(
    ui: &Ui,
    target: &TargetArgs,
    directory: &Utf8Path,
    spec: &Spec,
    asked: Asked<'_>,
) -> Result<Option<Former>, Failure> {
    let refused = |text: &str| Failure::from(FailureKind::Target(text.to_owned()));
    let Some(site) = target.site() else {
        return Err(refused("only a guest that Plimsoll makes can be made anew")
            .hint("leave `--replace` out; a guest that was there before is replaced by hand"));
    };
    let common = HeldArgs { target: target.clone(), directory: directory.to_owned(), verbose: asked.verbose };
    let held = common.open()?;
    let Some(machine) = held.look()? else { return Ok(None) };
    let shelf = held.shelf()?;
    // What would stop the new guest stops before the old one is touched.
    site.can_anew(spec)?;
    let what = format!("guest {} of {} goes and is made anew by the file", machine.vmid, held.name());
    if target.format == Format::Text {
        ui.status(&fate(&held, spec));
    }
    confirm(ui, &what, &held.name(), asked.yes, asked.name)?;
    let say = |text: &str| {
        if target.format == Format::Text {
            ui.status(text);
        }
    };
    say(&format!("stopping the app and guest {}: what they hold is complete", machine.vmid));
    if let Err(failure) = held.power("stop", Duration::ZERO) {
        say(&format!("the app stops with its guest: {}", failure.chain()));
    }
    held.work(ui, "shutting down", machine.shut_down())?;
    let label =
        Label { app: held.app().to_owned(), target: held.target_name().to_owned(), why: WHY.to_owned() };
    let kept = held.work(ui, "backing up", shelf.take(&machine, &label, true)).and_then(|stored| {
        say(&format!("guest {} is backed up: {}, {}", machine.vmid, bytes(stored.bytes), stored.volume));
        let found = try_it(ui, &held, &stored, (None, None), None)?;
        say(&format!("the backup boots: {}", found.said));
        Ok(stored)
    });
    let stored = match kept {
        Ok(stored) => stored,
        Err(failed) => {
            say(&format!("starting guest {} again: nothing is replaced", machine.vmid));
            held.runtime.block_on(machine.start()).map_err(failure)?;
            held.power("start", Duration::from_secs(180))?;
            return Err(failed);
        }
    };
    let is_other_kind = match &held.settings.target().guest {
        Guest::Lxc(_) => machine.kind != GuestKind::Lxc,
        _ => machine.kind != GuestKind::Qemu,
    };
    let former = Former { stored, name: held.name(), is_other_kind };
    let gone = held.work(ui, "taking it away", machine.destroy());
    gone.map_err(|failure| failure.hint(format!("{} brings the guest back", former.way_back())))?;
    say(&format!("guest {} is gone", machine.vmid));
    Ok(Some(former))
}

/// What happens to what, in words for whoever must agree.
fn fate(held: &Held, spec: &Spec) -> String {
    let names = spec.compose.get("volumes").and_then(|volumes| volumes.as_object());
    let names: Vec<String> =
        names.into_iter().flat_map(|volumes| volumes.keys()).map(|name| format!("`{name}`")).collect();
    let volumes = match names.as_slice() {
        [] => "volumes".to_owned(),
        names => format!("the volumes {}", names.join(", ")),
    };
    let storage = held.settings.target().backup.as_ref().map(|backup| backup.storage.as_str());
    format!(
        "nothing that was written in the guest is in the new one: {volumes}, mounted folders, releases and images begin empty\n\
         all of it is in a protected backup on `{}` first, which is restored and booted before the guest goes\n\
         the app does not serve from now on until its new release does",
        storage.unwrap_or_default()
    )
}
