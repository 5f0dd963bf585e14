//! `plimsoll backup list`

use clap::Args;

use super::super::held::{failure, now};
use super::super::target::Format;
use super::{Common, line, value};
use crate::failure::{Failure, Outcome};
use crate::ui::Ui;

/// Show the guest's backups with their age and size
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(ui: &Ui, args: &ListArgs) -> Result<Outcome, Failure> {
    let held = args.common.open()?;
    let shelf = held.shelf()?;
    let vmid = held.look()?.map(|machine| machine.vmid);
    let all = shelf.list(vmid, held.app(), held.target_name());
    let all = held.runtime.block_on(all).map_err(failure)?;
    let now = now();
    if args.common.target.format == Format::Json {
        let lines = all.iter().map(|one| format!("{}\n", value(one, now)));
        ui.print(&lines.collect::<String>())?;
    } else if all.is_empty() {
        ui.print(&format!("there is no backup of {} on `{}`\n", held.name(), shelf.storage))?;
    } else {
        ui.print(&all.iter().map(|one| format!("{}\n", line(one, now))).collect::<String>())?;
    }
    Ok(Outcome::Clean)
}
