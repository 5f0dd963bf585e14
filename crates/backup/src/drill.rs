//! A drill: whether a backup brings the app back, tried on a guest of its own that is gone afterwards.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_pve::api::{AgentPing, GetGuests, GetTasks, GuestKind, Power};
use plimsoll_pve::{Client, Vmid};
use serde::{Deserialize, Serialize};

use crate::machine::{TRIES, now};
use crate::shelf::{Beside, Isolation};
use crate::vmid::next_free;
use crate::{BackupError, Line, Machine, Overwrite, Shelf, Stored};

/// How names of drills' guests begin.
const NAME: &str = "plimsoll-drill-";
/// What stands before the mark in a guest's description.
const START: &str = "plimsoll-drill:";
/// Nobody's drill takes longer, in seconds.
const LONGEST: u64 = 6 * 3600;

/// Who made a guest for a drill, in its description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// The guest whose backup it is.
    pub of: u32,
    /// User and machine.
    pub who: String,
    /// The process.
    pub process: u32,
    /// Seconds since 1970.
    pub at: u64,
}

impl Maker {
    fn description(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        format!("Tries a backup of guest {} and is taken away afterwards.\n\n`{START}{json}`\n", self.of)
    }

    fn find(description: &str) -> Option<Self> {
        let line = description.lines().find_map(|line| line.trim().trim_matches('`').strip_prefix(START))?;
        serde_json::from_str(line).ok()
    }
}

/// What is tried, and how.
#[derive(Clone, Debug)]
pub struct Drill {
    /// The backup.
    pub stored: Stored,
    /// Whether it is of a container or a machine.
    pub kind: GuestKind,
    /// Where its disks and itself go.
    pub over: Overwrite,
    /// An address of its own with its length, to be looked at over the network; none leaves its cables unplugged.
    pub address: Option<String>,
    /// Its way out of its own network.
    pub gateway: Option<String>,
    /// Who tries.
    pub who: String,
}

/// Guests of drills whose makers are gone: made by a process of `who` that no longer runs, or long ago.
pub async fn leftovers(
    client: &Arc<Client>,
    node: &str,
    who: &str,
    line: &Line,
    lives: impl Fn(u32) -> bool,
) -> Result<Vec<Machine>, BackupError> {
    wait_for_restores(client, node, line).await?;
    let mut found = Vec::new();
    for kind in [GuestKind::Lxc, GuestKind::Qemu] {
        let guests = client.read(&GetGuests { node: node.to_owned(), kind }, TRIES).await?;
        let named = |name: Option<&str>| name.is_some_and(|name| name.starts_with(NAME));
        for guest in guests.into_iter().filter(|guest| named(guest.name.as_deref())) {
            let (client, line) = (Arc::clone(client), Arc::clone(line));
            let machine = Machine { client, node: node.to_owned(), kind, vmid: guest.vmid, line };
            let config = machine.config().await?;
            let Some(maker) = Maker::find(&config.text("description").unwrap_or_default()) else { continue };
            let is_old = now().saturating_sub(maker.at) > LONGEST;
            if is_old || maker.who == who && !lives(maker.process) {
                found.push(machine);
            }
        }
    }
    Ok(found)
}

/// A guest that is only being made shows neither name nor mark: a client that was killed leaves the node at work.
async fn wait_for_restores(client: &Arc<Client>, node: &str, line: &Line) -> Result<(), BackupError> {
    let request =
        GetTasks { node: node.to_owned(), source: Some("active".to_owned()), ..GetTasks::default() };
    let tasks = client.read(&request, TRIES).await?;
    let is_restore = |kind: &str| kind == "vzrestore" || kind == "qmrestore";
    let running = tasks.into_iter().filter(|task| task.endtime.is_none() && is_restore(&task.upid.kind));
    for task in running {
        let machine = Machine {
            client: Arc::clone(client),
            node: node.to_owned(),
            kind: GuestKind::Lxc,
            vmid: Vmid(task.upid.id.parse().unwrap_or_default()),
            line: Arc::clone(line),
        };
        // However it ends, what it made is looked at next.
        drop(machine.wait(&task.upid).await);
    }
    Ok(())
}

/// Restores the backup beside everything else, starts it, lets `look` judge it and takes it away whatever came of it.
/// Gives the time from nothing to a guest that runs, and what `look` found.
pub async fn rehearse<T, F: Future<Output = Result<T, BackupError>>>(
    shelf: &Shelf,
    drill: &Drill,
    line: &Line,
    look: impl FnOnce(Machine) -> F,
) -> Result<(Duration, T), BackupError> {
    let of = drill.stored.vmid.unwrap_or_default();
    let vmid = next_free(&shelf.client).await?;
    let machine = Machine {
        client: Arc::clone(&shelf.client),
        node: shelf.node.clone(),
        kind: drill.kind,
        vmid,
        line: Arc::clone(line),
    };
    let maker = Maker { of: of.0, who: drill.who.clone(), process: std::process::id(), at: now() };
    let beside = Beside {
        name: format!("{NAME}{of}"),
        description: maker.description(),
        over: drill.over.clone(),
        isolated: Some(Isolation { address: drill.address.clone(), gateway: drill.gateway.clone() }),
    };
    let begun = Instant::now();
    let tried = async {
        shelf.restore_beside(&drill.stored, &machine, beside).await?;
        machine.start().await?;
        boots(&machine).await?;
        let took = begun.elapsed();
        Ok((took, look(machine.clone()).await?))
    };
    let result = tried.await;
    let mut gone = take_away(&machine, &maker).await;
    // Nothing may stay behind because the node had a bad moment.
    for _ in 0..4 {
        if gone.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
        gone = take_away(&machine, &maker).await;
    }
    match (result, gone) {
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        (Ok(found), Ok(())) => Ok(found),
    }
}

/// Takes the guest of a drill away, where it was made; never one that another made under the same number.
async fn take_away(machine: &Machine, maker: &Maker) -> Result<(), BackupError> {
    let there = Machine::find(&machine.client, &machine.node, machine.vmid, &machine.line).await?;
    let Some(there) = there else { return Ok(()) };
    let description = there.config().await?.text("description").unwrap_or_default();
    match Maker::find(&description) {
        Some(found) if found == *maker => there.destroy().await,
        _ => Ok(()),
    }
}

/// Waits until it runs, and until its agent answers where it has one.
async fn boots(machine: &Machine) -> Result<(), BackupError> {
    let begun = Instant::now();
    while machine.power().await? != Power::Running {
        if begun.elapsed() > Duration::from_secs(120) {
            return Err(BackupError::Refused("the restored guest does not start".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let has_agent = machine.kind == GuestKind::Qemu
        && machine
            .config()
            .await?
            .text("agent")
            .is_some_and(|text| text.split(',').any(|part| matches!(part, "1" | "enabled=1")));
    if !has_agent {
        return Ok(());
    }
    loop {
        let ping = AgentPing { node: machine.node.clone(), vmid: machine.vmid };
        match machine.client.call(&ping).await {
            Ok(_) => return Ok(()),
            Err(error) if begun.elapsed() > Duration::from_secs(300) => {
                return Err(BackupError::Refused(format!(
                    "the agent of the restored guest does not answer: {error}"
                )));
            }
            Err(_) => tokio::time::sleep(Duration::from_secs(2)).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maker_of_a_guest_is_found_in_its_description() {
        let maker = Maker { of: 107, who: "ada@desk".to_owned(), process: 4, at: 9 };
        assert_eq!(Maker::find(&format!("{}\n", maker.description())), Some(maker));
        assert_eq!(Maker::find("a guest of somebody"), None);
    }
}
