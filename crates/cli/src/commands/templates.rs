//! `plimsoll templates`

use camino::Utf8PathBuf;
use clap::Args;
use plimsoll_provision::Found;
use serde_json::json;

use super::provision::{self, Site};
use super::settings::Settings;
use super::target::{Format, TargetArgs};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::ui::Ui;

/// List the templates that guests were cloned from, or take away those that are no longer needed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll templates
  plimsoll templates --prune

A template is made by the first deploy of a target with `clone` in `plimsoll.yaml`. It holds no data. One that is gone is made
again when a guest is to be cloned; guests that were cloned from it stay.")]
pub(crate) struct TemplatesArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Directory of the checkout
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    directory: Utf8PathBuf,
    /// Take away all but the one that a new guest of this target would be a clone of
    #[arg(long)]
    prune: bool,
}

pub(crate) fn run(ui: &Ui, args: &TemplatesArgs) -> Result<Outcome, Failure> {
    let refused = |text: String| Failure::from(FailureKind::Target(text));
    let settings = Settings::read(&args.directory, args.target.target.as_deref())?;
    let settings = settings.ok_or_else(|| {
        refused(format!("there is no `{}` in `{}`", plimsoll_config::FILE_NAME, args.directory))
            .hint("`plimsoll init` writes one")
    })?;
    let site = Site::look(&settings, args.target.identity.as_deref())?;
    let site = site.ok_or_else(|| refused("guests of this target are not made by Plimsoll".to_owned()))?;
    let (all, own) = site.templates()?;
    let is_own = |found: &Found| Some(found.mark.target.as_str()) == own.as_deref();
    let name = format!("{}/{}", settings.app(), settings.target().name);
    let format = args.target.format;
    if !args.prune {
        for found in &all {
            show(ui, format, found, is_own(found).then_some(name.as_str()))?;
        }
        if all.is_empty() && format == Format::Text {
            ui.print("there are no templates\n")?;
        }
        return Ok(Outcome::Clean);
    }
    let mut outcome = Outcome::Clean;
    let unused: Vec<&Found> = all.iter().filter(|found| !is_own(found)).collect();
    for found in &unused {
        let said = match site.discard(found) {
            Ok(()) => format!("template {} is gone", found.vmid),
            Err(error) => {
                outcome = Outcome::Incomplete;
                // Guests whose disks share it keep it.
                format!("template {} stays: {}", found.vmid, provision::failure(error).chain())
            }
        };
        match format {
            Format::Json => ui.print(&format!("{}\n", json!({"template": found.vmid, "said": said})))?,
            Format::Text => ui.print(&format!("{said}\n"))?,
        }
    }
    if unused.is_empty() && format == Format::Text {
        ui.print("nothing to take away\n")?;
    }
    Ok(outcome)
}

fn show(ui: &Ui, format: Format, found: &Found, own: Option<&str>) -> Result<(), Failure> {
    let is_done = found.config.flag("template") == Some(true);
    if format == Format::Json {
        let line = json!({"template": found.vmid, "digest": found.mark.target, "finished": is_done, "used": own.is_some()});
        return ui.print(&format!("{line}\n"));
    }
    let state = if is_done { "" } else { ", half-made" };
    let used = own.map_or_else(String::new, |name| format!(", new guests of {name} are clones of it"));
    ui.print(&format!("{}  {}{state}{used}\n", found.vmid, found.mark.target))
}
