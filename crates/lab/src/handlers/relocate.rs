//! Disks that move: to another storage, or to another guest (`move_volume` of containers, `move_disk` of machines).

use std::sync::{Arc, Mutex};

use plimsoll_pve::property::{PropertyString, Size};

use super::config::{changeable, detach};
use super::digest::unmodified;
use crate::backend::Operation;
use crate::cx::{Cx, locked, no_such};
use crate::guest::{Guest, Kind, volume_of, with_volume};
use crate::reply::{Answer, Refusal};
use crate::state::State;
use crate::task::Plan;

/// The node's word for a disk of the kind.
fn word(kind: Kind) -> &'static str {
    if kind.is_container() { "volume" } else { "disk" }
}

pub(super) fn relocate(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let storage = cx.args.get("storage").map(str::to_owned);
    let other = cx.args.get("target-vmid").and_then(|text| text.parse::<u32>().ok());
    match (storage, other) {
        (Some(storage), None) => to_storage(cx, kind, storage),
        (None, Some(other)) => to_guest(cx, kind, other),
        (Some(_), Some(_)) => {
            both(&format!("either set '{}' or '{}', but not both", "storage", "target-vmid"))
        }
        (None, None) => both("both 'storage' and 'target-vmid' missing, either needs to be set"),
    }
}

fn both(text: &str) -> Answer {
    let errors = ["storage", "target-vmid"].map(|name| (name.to_owned(), text.to_owned()));
    Err(Refusal::parameters(errors.into()))
}

fn is_kept(guest: &Guest, volume: &str) -> bool {
    let of = |value: &String| volume_of(value).is_some_and(|kept| kept == volume);
    guest.snapshots.values().any(|snapshot| snapshot.config.values().any(of))
}

/// The value and the volume of a disk.
fn disk_of(guest: &Guest, key: &str) -> Result<(String, String), Refusal> {
    let what = word(guest.kind);
    let value = guest.config.get(key);
    let value = value.ok_or_else(|| Refusal::died(format!("{what} '{key}' does not exist")))?;
    if value.contains("media=cdrom") && !value.contains("cloudinit") {
        return Err(Refusal::died("you can't move a cdrom"));
    }
    let volume = volume_of(value).filter(|volume| volume.contains(':') && !volume.starts_with('/'));
    let volume = volume.ok_or_else(|| Refusal::died(format!("{what} '{key}' has no associated volume")))?;
    Ok((value.clone(), volume))
}

/// The format that a machine's disk would have on a storage.
fn format_on(state: &State, storage: &str, wanted: Option<&str>) -> String {
    match state.storages.get(storage) {
        Some(storage) if storage.is_files() => wanted.unwrap_or("qcow2").to_owned(),
        _ => "raw".to_owned(),
    }
}

fn to_storage(cx: &mut Cx<'_>, kind: Kind, storage: String) -> Answer {
    let (vmid, what, remove) = (cx.args.vmid(), word(kind), cx.args.flag("delete"));
    let key = cx.args.text(what);
    cx.need(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"])?;
    changeable(cx, kind)?;
    let guest = cx.guest(kind)?;
    if kind.is_container() && guest.running.is_some() {
        return Err(Refusal::died("cannot move volumes of a running container"));
    }
    if kind.is_container() && key.starts_with("unused") {
        return Err(Refusal::died(format!(
            "cannot move volume '{key}', only configured volumes can be moved to another storage"
        )));
    }
    let (_, old) = disk_of(guest, &key)?;
    if remove && is_kept(guest, &old) {
        return Err(Refusal::died(format!("you can't move a {what} with snapshots and delete the source")));
    }
    let Some(store) = cx.state.storages.get(&storage) else {
        return Err(Refusal::died(format!("storage '{storage}' does not exist")));
    };
    if store.is_disabled() {
        return Err(Refusal::died(format!("storage '{storage}' is disabled")));
    }
    let format = format_on(cx.state, &storage, cx.args.get("format"));
    let from = old.split(':').next().unwrap_or_default();
    if !kind.is_container()
        && from == storage
        && cx.state.volume(&old).is_some_and(|volume| volume.format == format)
    {
        return Err(Refusal::died("you can't move to the same storage with same format"));
    }
    // A container is locked with its configuration, a machine by the task alone.
    if let Some(guest) = cx.state.guests.get_mut(&vmid).filter(|_| kind.is_container()) {
        guest.lock = Some("disk".to_owned());
    }
    let long = cx.state.ms(200);
    // The new volume, once there is one.
    let made = Arc::new(Mutex::new(None::<String>));
    let (begun, undone) = (made.clone(), made.clone());
    let (of, at) = (old.clone(), key.clone());
    let plan = Plan::new(kind.task("move_volume", "qmmove"), vmid.to_string())
        .work(
            long,
            move |state| {
                let guest = state.guest_mut(vmid)?.clone();
                if !kind.is_container()
                    && let Some(text) = locked(state, &guest)
                {
                    return Err(text);
                }
                let bytes = size_of(state, &guest, &at, &of);
                let to = state.allocate(&storage, vmid, kind.is_container(), bytes)?;
                let to = if kind.is_container() { to } else { reformat(state, &to, &format) };
                if let Ok(mut made) = begun.lock() {
                    *made = Some(to.clone());
                }
                Ok(Some(Operation::Move { spec: guest.spec(), disk: at, volume: to }))
            },
            move |state| {
                let to = made.lock().ok().and_then(|mut made| made.take()).unwrap_or_default();
                swap(state, kind, vmid, &key, &old, &to, remove)
            },
        )
        .or_else(move |state| {
            if let Some(to) = undone.lock().ok().and_then(|mut made| made.take()) {
                state.free(&to);
            }
            let guest = state.guest_mut(vmid)?;
            if guest.lock.as_deref() == Some("disk") {
                guest.lock = None;
            }
            Ok(Vec::new())
        });
    Ok(cx.spawn(plan).into())
}

fn size_of(state: &State, guest: &Guest, key: &str, volume: &str) -> u64 {
    let list: PropertyString = guest.config.get(key).and_then(|text| text.parse().ok()).unwrap_or_default();
    let said = list.get("size").and_then(|size| size.parse::<Size>().ok()).map(|size| size.0);
    said.or_else(|| state.volume(volume).map(|volume| volume.size)).unwrap_or(4 << 20)
}

/// Gives a new volume the format that was asked for, which stands in its name where it is a file.
fn reformat(state: &mut State, volume: &str, format: &str) -> String {
    let (storage, name) = volume.split_once(':').unwrap_or_default();
    let new = match name.strip_suffix(".qcow2") {
        Some(stem) => format!("{stem}.{format}"),
        None => name.to_owned(),
    };
    if let Some(store) = state.storages.get_mut(storage)
        && let Some(mut kept) = store.volumes.remove(name)
    {
        format.clone_into(&mut kept.format);
        store.volumes.insert(new.clone(), kept);
    }
    format!("{storage}:{new}")
}

/// Puts the new volume where the old one was.
fn swap(
    state: &mut State,
    kind: Kind,
    vmid: u32,
    key: &str,
    old: &str,
    to: &str,
    remove: bool,
) -> Result<Vec<String>, String> {
    let guest = state.guest_mut(vmid)?;
    if kind.is_container() {
        guest.lock = None;
    }
    let value = guest.config.get(key).cloned().unwrap_or_default();
    guest.config.insert(key.to_owned(), with_volume(&value, to));
    let mut lines = vec![format!(
        "create full clone of {} {key} ({old})",
        if kind.is_container() { "mountpoint" } else { "drive" }
    )];
    if remove {
        state.free(old);
        lines.push(format!("removed volume '{old}'"));
    } else {
        detach(state, vmid, key, old)?;
    }
    Ok(lines)
}

fn to_guest(cx: &mut Cx<'_>, kind: Kind, other: u32) -> Answer {
    let (vmid, node, what) = (cx.args.vmid(), cx.node(), word(kind));
    let key = cx.args.text(what);
    let other_key = cx.args.get(&format!("target-{what}")).unwrap_or(&key).to_owned();
    let whose = if kind.is_container() { "container" } else { "VM" };
    cx.need(&format!("/vms/{other}"), &["VM.Config.Disk"])?;
    if other == vmid {
        let text = format!("must be different than source VMID to move disk to another {whose}");
        return Err(Refusal::parameter("target-vmid", text));
    }
    changeable(cx, kind)?;
    let guest = cx.guest(kind)?;
    let target = cx.state.guests.get(&other).filter(|target| target.kind == kind);
    let target = target.ok_or_else(|| Refusal::died(no_such(kind, &node, other)))?;
    if target.node != node {
        return Err(Refusal::died(format!(
            "Both {whose}s need to be on the same node ({node}) but target {whose} is on {}.",
            target.node
        )));
    }
    let boots = if kind.is_container() {
        cx.state.backend.templates().is_some()
    } else {
        cx.state.backend.images().is_some()
    };
    if boots {
        return Err(Refusal::new(501, "the lab moves no volume from one guest that boots to another"));
    }
    if let Some(text) = locked(cx.state, target) {
        return Err(Refusal::died(text));
    }
    unmodified(&target.digest(), cx.args.get("target-digest"))?;
    if guest.running.is_some() && !key.starts_with("unused")
        || kind.is_container() && target.running.is_some()
    {
        return Err(Refusal::died(format!("cannot move {what}s of a running {whose}")));
    }
    let (value, old) = disk_of(guest, &key)?;
    if key == "rootfs" {
        return Err(Refusal::died("cannot move the rootfs of a container to another one"));
    }
    if is_kept(guest, &old) {
        return Err(Refusal::died(format!("Can't move {what} used by a snapshot to another {whose}")));
    }
    if target.config.contains_key(&other_key) {
        let name = if kind.is_container() { "volume" } else { "disk" };
        return Err(Refusal::died(format!(
            "Target {name} key '{other_key}' is already in use for {whose} '{other}'"
        )));
    }
    let id = format!("{vmid}-{key}>{other}-{other_key}");
    let plan = Plan::new(kind.task("move_volume", "qmmove"), id).then(cx.state.ms(50), move |state| {
        for of in [vmid, other] {
            let guest = state.guest_mut(of)?.clone();
            if let Some(text) = locked(state, &guest) {
                return Err(text);
            }
        }
        let to = rename(state, kind, &old, other)?;
        state.guest_mut(vmid)?.config.remove(&key);
        let new = if other_key.starts_with("unused") { to.clone() } else { with_volume(&value, &to) };
        state.guest_mut(other)?.config.insert(other_key.clone(), new);
        Ok(vec![
            format!("moving {what} '{key}' from {whose} '{vmid}' to '{other}'"),
            format!("renamed '{old}' to '{to}'"),
        ])
    });
    Ok(cx.spawn(plan).into())
}

/// A volume belongs to the guest that its name says.
fn rename(state: &mut State, kind: Kind, old: &str, other: u32) -> Result<String, String> {
    let (storage, name) = old.split_once(':').unwrap_or_default();
    let missing = || format!("volume '{old}' does not exist");
    let store = state.storages.get_mut(storage).ok_or_else(missing)?;
    let mut volume = store.volumes.remove(name).ok_or_else(missing)?;
    let prefix = if store.kind == "zfspool" && kind.is_container() { "subvol" } else { "vm" };
    let new = store.next_disk(other, prefix, &volume.format);
    volume.vmid = Some(other);
    store.volumes.insert(new.clone(), volume);
    Ok(format!("{storage}:{new}"))
}
