//! `plimsoll backup`

mod create;
mod drill;
mod list;
mod restore;

use clap::{Args, Subcommand};
use plimsoll_backup::{Stored, age, shown};
use serde_json::json;

use super::held::{Held, HeldArgs};
use crate::failure::{Failure, FailureKind, Outcome};
use crate::figures::bytes;
use crate::ui::Ui;

pub(crate) use drill::try_it;

/// Back the guest up, bring it back, and prove that this works
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  plimsoll backup create
  plimsoll backup list
  plimsoll backup drill --address 192.168.1.99/24
  plimsoll backup restore 2026_11_23-22_30 --yes

The storage and what is kept stand in `plimsoll.yaml` as `backup:`; the node is asked with the token in
PLIMSOLL_PVE_TOKEN.")]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::CreateArgs),
    List(list::ListArgs),
    Restore(restore::RestoreArgs),
    Drill(drill::DrillArgs),
}

pub(crate) fn run(ui: &Ui, args: &BackupArgs) -> Result<Outcome, Failure> {
    match &args.command {
        Command::Create(args) => create::run(ui, args),
        Command::List(args) => list::run(ui, args),
        Command::Restore(args) => restore::run(ui, args),
        Command::Drill(args) => drill::run(ui, args),
    }
}

/// One backup as programs read it.
fn value(one: &Stored, now: u64) -> serde_json::Value {
    let label = one.label();
    json!({
        "volume": one.volume, "vmid": one.vmid, "at": one.at, "age_seconds": now.saturating_sub(one.at),
        "bytes": one.bytes, "protected": one.protected, "why": label.map(|label| label.why),
    })
}

/// One backup as people read it.
fn line(one: &Stored, now: u64) -> String {
    let why = one.label().map_or_else(|| one.notes.trim().to_owned(), |label| label.why);
    let kept = if one.protected { ", protected" } else { "" };
    let past = age(now.saturating_sub(one.at));
    format!("{}, {past} old, {}{kept}  {}  {why}", shown(one.at), bytes(one.bytes), one.volume)
}

/// The backup that is meant: the newest, or the one whose name holds these words.
fn choose(held: &Held, all: Vec<Stored>, words: Option<&str>) -> Result<Stored, Failure> {
    let refused = |text: String| Failure::from(FailureKind::Target(text));
    let storage = held.shelf().map(|shelf| shelf.storage.clone()).unwrap_or_default();
    let Some(words) = words else {
        // What a restore kept of the state that it replaced is only meant by its name.
        let usual = |one: &Stored| one.label().is_none_or(|label| label.why != restore::BEFORE);
        return all.into_iter().find(usual).ok_or_else(|| {
            refused(format!("there is no backup of {} on `{storage}`", held.name()))
                .hint("make one with `plimsoll backup create`")
        });
    };
    let mut found = all.into_iter().filter(|one| one.volume == words || one.volume.contains(words));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => {
            Err(refused(format!("`{storage}` holds no backup of {} with `{words}` in its name", held.name()))
                .hint("`plimsoll backup list` shows them"))
        }
        (Some(_), Some(_)) => Err(refused(format!("several backups have `{words}` in their names"))
            .hint("give more of the name; `plimsoll backup list` shows them")),
    }
}

/// Flags that every one of these commands has.
type Common = HeldArgs;
