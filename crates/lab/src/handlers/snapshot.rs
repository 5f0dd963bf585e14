//! Snapshots: configuration and disks under a name.

use serde_json::{Value, json};

use super::config::shown;
use super::power::{brought_up, spawn_start, taken_down};
use crate::backend::Operation;
use crate::cx::{Cx, locked};
use crate::guest::{Guest, Kind, Snapshot};
use crate::reply::{Answer, Refusal};
use crate::state::State;
use crate::task::Plan;

/// Whether all storages of the guest keep snapshots. Directories and devices of the node never do.
fn can_snapshot(state: &State, guest: &Guest) -> bool {
    let container = guest.kind.is_container();
    let foreign =
        container && guest.config.iter().any(|(key, value)| key.starts_with("mp") && value.starts_with('/'));
    !foreign
        && guest
            .disks()
            .iter()
            .filter(|(key, volume)| !key.starts_with("unused") && !volume.contains("-cloudinit"))
            .all(|(_, volume)| {
                let storage = volume.split(':').next().and_then(|name| state.storages.get(name));
                storage.is_some_and(|storage| storage.has_snapshots(container))
            })
}

pub(super) fn feature(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let guest = cx.guest(kind)?;
    let has = match cx.args.get("feature") {
        Some("snapshot" | "clone") => can_snapshot(cx.state, guest),
        _ => true,
    };
    let node = cx.node();
    let mut out = json!({ "hasFeature": u8::from(has) });
    if let (Kind::Qemu, Some(map)) = (kind, out.as_object_mut()) {
        map.insert("nodes".to_owned(), json!([node]));
    }
    Ok(out.into())
}

pub(super) fn list(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let guest = cx.guest(kind)?;
    let mut kept: Vec<(&String, &Snapshot)> = guest.snapshots.iter().collect();
    kept.sort_by_key(|(_, snapshot)| snapshot.number);
    let mut lines: Vec<Value> = kept
        .into_iter()
        .map(|(name, snapshot)| {
            let mut line = json!({ "name": name, "snaptime": snapshot.time, "description": with_end(&snapshot.description) });
            if let Some(map) = line.as_object_mut() {
                map.extend(snapshot.parent.as_ref().map(|parent| ("parent".to_owned(), json!(parent))));
                if kind == Kind::Qemu {
                    map.insert("vmstate".to_owned(), json!(u8::from(snapshot.memory)));
                }
            }
            line
        })
        .collect();
    let mut current = json!({
        "name": "current", "description": "You are here!", "digest": guest.digest(), "running": u8::from(guest.running.is_some()),
    });
    if let Some(map) = current.as_object_mut() {
        map.extend(guest.parent.as_ref().map(|parent| ("parent".to_owned(), json!(parent))));
    }
    lines.push(current);
    Ok(Value::Array(lines).into())
}

fn with_end(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{text}\n") }
}

pub(super) fn config(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let name = cx.args.text("snapname");
    let guest = cx.guest(kind)?;
    let kept = guest.snapshots.get(&name);
    let kept = kept.ok_or_else(|| Refusal::died(format!("snapshot '{name}' does not exist")))?;
    let mut out = shown(cx, kind, &kept.config);
    out.insert("snaptime".to_owned(), json!(kept.time));
    if !kept.description.is_empty() {
        out.insert("description".to_owned(), json!(with_end(&kept.description)));
    }
    out.extend(kept.parent.as_ref().map(|parent| ("parent".to_owned(), json!(parent))));
    Ok(Value::Object(out).into())
}

pub(super) fn describe(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (name, description) = (cx.args.text("snapname"), cx.args.take("description"));
    let kept = cx.guest_mut(kind)?.snapshots.get_mut(&name);
    let kept = kept.ok_or_else(|| Refusal::died(format!("snapshot '{name}' does not exist")))?;
    kept.description = description.unwrap_or_default();
    Ok(Value::Null.into())
}

/// The guest, if nothing holds it.
fn free(state: &State, vmid: u32) -> Result<&Guest, String> {
    let guest = state.guests.get(&vmid).ok_or_else(|| format!("guest {vmid} is gone"))?;
    match locked(state, guest) {
        Some(text) => Err(text),
        None => Ok(guest),
    }
}

pub(super) fn create(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (vmid, name) = (cx.args.vmid(), cx.args.text("snapname"));
    if matches!(name.as_str(), "current" | "pending") || (kind.is_container() && name == "vzdump") {
        return Err(Refusal::died(format!("unable to use snapshot name '{name}' (reserved name)")));
    }
    cx.guest(kind)?;
    let description = cx.args.text("description");
    let wants_memory = kind == Kind::Qemu && cx.args.flag("vmstate");
    let memory = wants_memory && cx.guest(kind)?.running.is_some();
    let long = cx.state.ms(80);
    let plan = Plan::new(kind.task("vzsnapshot", "qmsnapshot"), vmid.to_string())
        .then(0, {
            let name = name.clone();
            move |state| {
                let guest = free(state, vmid)?;
                if guest.snapshots.contains_key(&name) {
                    return Err(format!("snapshot name '{name}' already used"));
                }
                if !can_snapshot(state, guest) {
                    return Err("snapshot feature is not available".to_owned());
                }
                state.guest_mut(vmid)?.lock = Some("snapshot".to_owned());
                Ok(Vec::new())
            }
        })
        .work(long, keep(vmid, name.clone(), memory), move |state| {
            let time = state.seconds();
            let guest = state.guest_mut(vmid)?;
            let said = |volume: &str| {
                let disk = volume.rsplit(':').next().unwrap_or_default();
                format!("  Logical volume \"snap_{disk}_{name}\" created.")
            };
            let lines = guest.disks().iter().map(|(_, volume)| said(volume)).collect();
            let number = guest.snapshots.values().map(|kept| kept.number + 1).max().unwrap_or_default();
            let (config, files, parent) = (guest.config.clone(), guest.files.clone(), guest.parent.clone());
            guest
                .snapshots
                .insert(name.clone(), Snapshot { config, files, time, parent, description, number, memory });
            guest.parent = Some(name);
            guest.lock = None;
            Ok(lines)
        })
        .or_else(move |state| release(state, vmid, "snapshot"));
    Ok(cx.spawn(plan).into())
}

/// Checks and locks the guest, and stops it where it runs.
fn stop_to_roll_back(vmid: u32, name: String) -> impl FnOnce(&mut State) -> Asked {
    move |state| {
        let guest = free(state, vmid)?;
        let kept = guest.snapshots.get(&name).ok_or_else(|| format!("snapshot '{name}' does not exist"))?;
        let newest = guest.snapshots.values().all(|other| other.number <= kept.number);
        let of = |volume: &str| volume.split(':').next().and_then(|storage| state.storages.get(storage));
        let disks = guest.disks();
        let strict =
            disks.iter().find(|(_, volume)| of(volume).is_some_and(|storage| storage.kind == "zfspool"));
        if let Some((_, volume)) = strict.filter(|_| !newest) {
            return Err(format!("can't rollback, '{name}' is not most recent snapshot on '{volume}'"));
        }
        let guest = state.guest_mut(vmid)?;
        guest.lock = Some("rollback".to_owned());
        Ok(guest.running.is_some().then_some(Operation::Stop { vmid, ask: false }))
    }
}

type Asked = Result<Option<Operation>, String>;

fn keep(vmid: u32, name: String, memory: bool) -> impl FnOnce(&mut State) -> Asked {
    move |_| Ok(Some(Operation::Snapshot { vmid, name, memory }))
}

fn forget(vmid: u32, name: String) -> impl FnOnce(&mut State) -> Asked {
    move |_| Ok(Some(Operation::Forget { vmid, name }))
}

fn roll(vmid: u32, name: String) -> impl FnOnce(&mut State) -> Asked {
    move |_| Ok(Some(Operation::Rollback { vmid, name }))
}

/// Whether the snapshot that a guest was taken back to has its memory.
fn had_memory(state: &State, vmid: u32) -> bool {
    let kept = state.guests.get(&vmid).and_then(|guest| guest.snapshots.get(guest.parent.as_ref()?));
    kept.is_some_and(|kept| kept.memory)
}

fn resume(state: &mut State, vmid: u32) -> Asked {
    if !had_memory(state, vmid) {
        return Ok(None);
    }
    let guest = state.guest_mut(vmid)?;
    Ok(guest.parent.clone().map(|name| Operation::Resume { spec: guest.spec(), name }))
}

fn release(state: &mut State, vmid: u32, lock: &str) -> Result<Vec<String>, String> {
    let guest = state.guest_mut(vmid)?;
    if guest.lock.as_deref() == Some(lock) {
        guest.lock = None;
    }
    Ok(Vec::new())
}

pub(super) fn delete(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (vmid, name) = (cx.args.vmid(), cx.args.text("snapname"));
    cx.guest(kind)?;
    let long = cx.state.ms(80);
    let plan = Plan::new(kind.task("vzdelsnapshot", "qmdelsnapshot"), vmid.to_string())
        .then(0, {
            let name = name.clone();
            move |state| {
                if !free(state, vmid)?.snapshots.contains_key(&name) {
                    return Err(format!("snapshot '{name}' does not exist"));
                }
                state.guest_mut(vmid)?.lock = Some("snapshot-delete".to_owned());
                Ok(Vec::new())
            }
        })
        .work(long, forget(vmid, name.clone()), move |state| {
            let guest = state.guest_mut(vmid)?;
            guest.lock = None;
            let gone = guest.snapshots.remove(&name).and_then(|kept| kept.parent);
            let of = Some(name);
            for kept in guest.snapshots.values_mut().filter(|kept| kept.parent == of) {
                kept.parent.clone_from(&gone);
            }
            if guest.parent == of {
                guest.parent = gone;
            }
            Ok(Vec::new())
        })
        .or_else(move |state| release(state, vmid, "snapshot-delete"));
    Ok(cx.spawn(plan).into())
}

pub(super) fn rollback(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (vmid, name, start) = (cx.args.vmid(), cx.args.text("snapname"), cx.args.flag("start"));
    cx.guest(kind)?;
    if start && kind == Kind::Qemu {
        cx.need(&format!("/vms/{vmid}"), &["VM.PowerMgmt"])?;
    }
    let (node, caller, long) = (cx.node(), cx.caller.clone(), cx.state.ms(150));
    let plan = Plan::new(kind.task("vzrollback", "qmrollback"), vmid.to_string())
        .work(0, stop_to_roll_back(vmid, name.clone()), move |state| taken_down(state, vmid))
        .work(long, roll(vmid, name.clone()), move |state| {
            let guest = state.guest_mut(vmid)?;
            guest.lock = None;
            if let Some(kept) = guest.snapshots.get(&name).cloned() {
                guest.config = kept.config;
                guest.files = kept.files;
                guest.pending.clear();
                guest.parent = Some(name);
            }
            // With its memory it goes on by itself.
            if start && !had_memory(state, vmid) {
                spawn_start(state, &node, &caller, kind, vmid);
            }
            Ok(Vec::new())
        })
        .work(
            0,
            move |state| resume(state, vmid),
            move |state| {
                if had_memory(state, vmid) { brought_up(state, vmid) } else { Ok(Vec::new()) }
            },
        )
        .or_else(move |state| release(state, vmid, "rollback"));
    Ok(cx.spawn(plan).into())
}
