//! Copies of guests, and templates to copy from.

use std::collections::BTreeMap;

use plimsoll_pve::property::{PropertyString, Size};
use serde_json::Value;

use super::config::bridge_need;
use super::create::{realize_disk, realize_net, renew_cards};
use crate::backend::{GuestSpec, Operation};
use crate::cx::{Cx, locked};
use crate::guest::{Guest, Kind, is_disk, volume_of, with_volume};
use crate::reply::{Answer, Refusal};
use crate::state::State;
use crate::task::Plan;

pub(super) fn clone(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let vmid = cx.args.vmid();
    let newid = cx.args.get("newid").and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
    let pool = cx.args.get("pool").map(str::to_owned);
    let node = cx.args.get("target").map_or_else(|| cx.node(), str::to_owned);
    let guest = cx.guest(kind)?;
    let by_pool = pool.as_deref().is_some_and(|pool| cx.may(&format!("/pool/{pool}"), "VM.Allocate"));
    if !by_pool {
        cx.need(&format!("/vms/{newid}"), &["VM.Allocate"])?;
    }
    if let Some(taken) = cx.state.guests.get(&newid) {
        let text = format!("{} {newid} already exists on node '{}'", taken.kind.word(), taken.node);
        return Err(Refusal::died(format!("unable to create {} {newid}: {text}", kind.word())));
    }
    if let Some(text) = locked(cx.state, guest) {
        return Err(Refusal::died(text));
    }
    let snapshot = cx.args.get("snapname").map(str::to_owned);
    let full = cx.args.get("full").map_or(!guest.is_template(), |flag| flag == "1");
    if !full && cx.args.get("storage").is_some() {
        return Err(Refusal::parameter("storage", "parameter 'storage' not allowed for linked clones"));
    }
    if !full && !guest.is_template() && snapshot.is_none() {
        return Err(Refusal::died("Linked clone feature is not available"));
    }
    if kind.is_container() && full && guest.running.is_some() && snapshot.is_none() {
        return Err(Refusal::died("Full clone of a running container is only possible from a snapshot"));
    }
    let (config, files) = match &snapshot {
        None => (guest.config.clone(), guest.files.clone()),
        Some(name) => {
            let kept = guest.snapshots.get(name);
            let kept = kept.ok_or_else(|| Refusal::died(format!("snapshot '{name}' does not exist")))?;
            (kept.config.clone(), kept.files.clone())
        }
    };
    if let Some((key, value)) =
        config.iter().find(|(key, value)| key.starts_with("mp") && value.starts_with('/'))
    {
        let what = if value.starts_with("/dev/") { "device" } else { "bind" };
        return Err(Refusal::died(format!("unable to clone mountpoint '{key}' (type {what})")));
    }
    let storage = cx.args.get("storage").map(str::to_owned);
    for (_, volume) in guest.disks() {
        let own = volume.split(':').next().unwrap_or_default();
        let path = format!("/storage/{}", storage.as_deref().unwrap_or(own));
        cx.need(&path, &["Datastore.AllocateSpace"])?;
    }
    for (_, net) in config.iter().filter(|(key, _)| key.starts_with("net")) {
        bridge_need(cx, net)?;
    }
    let name_key = if kind.is_container() { "hostname" } else { "name" };
    let name = cx.args.get(name_key).map(str::to_owned);
    let description = cx.args.get("description").map(str::to_owned);
    let mut copy = Guest::new(kind, newid, &node);
    copy.lock = Some("create".to_owned());
    cx.state.guests.insert(newid, copy);
    if let Some(source) = cx.state.guests.get_mut(&vmid).filter(|_| kind.is_container()) {
        source.lock = Some("disk".to_owned());
    }
    let from = GuestSpec { vmid, container: kind.is_container(), config: config.clone() };
    let long = cx.state.ms(if full { 300 } else { 80 });
    let plan = Plan::new(kind.task("vzclone", "qmclone"), vmid.to_string())
        .then(long, move |state| {
            let verb = if full { "full" } else { "linked" };
            let what = if kind.is_container() { "container" } else { "VM" };
            let mut lines = vec![format!("creating a clone of {what} {vmid} with ID {newid}")];
            let mut made = BTreeMap::new();
            let mut config: BTreeMap<String, Option<String>> =
                config.into_iter().map(|(key, value)| (key, Some(value))).collect();
            renew_cards(&mut config);
            for (key, value) in config {
                let Some(mut value) = value else { continue };
                if key == "template" || key.starts_with("unused") {
                    continue;
                }
                // A CD stays in its drive (qemu-server `PVE/API2/Qemu.pm` clone_vm).
                if is_disk(&key)
                    && let Some(volume) = volume_of(&value)
                    && !volume.contains(":iso/")
                    && state.volume(&volume).is_some()
                {
                    let own = volume.split(':').next().unwrap_or_default();
                    if volume.contains("-cloudinit") {
                        let wanted = format!("{}:cloudinit", storage.as_deref().unwrap_or(own));
                        let drive = realize_disk(state, kind, newid, &wanted, &mut lines)?;
                        made.insert(key, drive);
                        continue;
                    }
                    let list: PropertyString = value.parse().unwrap_or_default();
                    let bytes = list
                        .get("size")
                        .and_then(|size| size.parse::<Size>().ok())
                        .unwrap_or(Size(4 << 20))
                        .0;
                    let to = state.allocate(
                        storage.as_deref().unwrap_or(own),
                        newid,
                        kind.is_container(),
                        bytes,
                    )?;
                    lines.push(format!("create {verb} clone of {key} ({volume})"));
                    value = with_volume(&value, &to);
                }
                if key.starts_with("net") {
                    value = realize_net(state, kind, &value, None);
                }
                made.insert(key, value);
            }
            if !kind.is_container() {
                renew_identity(state, &mut made);
            }
            made.extend(name.map(|name| (name_key.to_owned(), name)));
            made.extend(description.map(|text| ("description".to_owned(), text)));
            let copy = state.guest_mut(newid)?;
            copy.config = made;
            copy.files = files;
            Ok(lines)
        })
        .work(
            0,
            move |state| {
                let to = state.guest_mut(newid)?.spec();
                Ok(Some(Operation::Copy { from, snapshot, to }))
            },
            move |state| {
                state.guest_mut(newid)?.lock = None;
                if kind.is_container() {
                    state.guest_mut(vmid)?.lock = None;
                }
                if let Some(pool) = pool.and_then(|pool| state.pools.get_mut(&pool)) {
                    pool.guests.push(newid);
                }
                Ok(Vec::new())
            },
        )
        .or_else(move |state| {
            state.discard(newid);
            let source = state.guest_mut(vmid)?;
            if source.lock.as_deref() == Some("disk") {
                source.lock = None;
            }
            Ok(Vec::new())
        });
    Ok(cx.spawn(plan).into())
}

/// A copy of a machine is another machine to its system, which may go by the firmware's number (qemu-server `PVE/API2/Qemu.pm`
/// clone_vm).
fn renew_identity(state: &mut State, config: &mut BTreeMap<String, String>) {
    let firmware = config.get("smbios1").and_then(|text| text.parse::<PropertyString>().ok());
    let mut firmware = firmware.unwrap_or_default();
    firmware.set("uuid", state.rng.uuid());
    config.insert("smbios1".to_owned(), firmware.to_string());
    if let Some(generation) = config.get_mut("vmgenid") {
        *generation = state.rng.uuid();
    }
}

pub(super) fn template(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let vmid = cx.args.vmid();
    let guest = cx.guest(kind)?;
    let word = kind.word();
    if let Some(text) = locked(cx.state, guest) {
        return Err(Refusal::died(text));
    }
    if !guest.snapshots.is_empty() {
        return Err(Refusal::died(format!("unable to create template, because {word} contains snapshots")));
    }
    if guest.is_template() {
        return Err(Refusal::died("you can't convert a template to a template"));
    }
    if guest.running.is_some() {
        return Err(Refusal::died(format!(
            "you can't convert a {word} to template if the {word} is running"
        )));
    }
    for (_, volume) in guest.disks() {
        let storage = volume.split(':').next().and_then(|name| cx.state.storages.get(name));
        if storage
            .is_some_and(|storage| storage.kind == "lvm" || !storage.has_clones(true) && kind.is_container())
        {
            return Err(Refusal::died("Template feature is not available for this volume"));
        }
    }
    let plan = Plan::new(kind.task("vztemplate", "qmtemplate"), vmid.to_string()).then(
        cx.state.ms(50),
        move |state| {
            let mut lines = Vec::new();
            for (key, volume) in state.guest_mut(vmid)?.disks() {
                let base = volume.replace(&format!("vm-{vmid}-"), &format!("base-{vmid}-"));
                let (storage, name) = volume.split_once(':').unwrap_or_default();
                state.backend.rename_volume(&volume, &base)?;
                if let Some(store) = state.storages.get_mut(storage)
                    && let Some(kept) = store.volumes.remove(name)
                {
                    store.volumes.insert(
                        base.split_once(':').map(|(_, name)| name.to_owned()).unwrap_or_default(),
                        kept,
                    );
                }
                lines.push(format!(
                    "Renamed \"{name}\" to \"{}\"",
                    base.rsplit(':').next().unwrap_or_default()
                ));
                let guest = state.guest_mut(vmid)?;
                if let Some(value) = guest.config.get_mut(&key) {
                    *value = value.replace(&volume, &base);
                }
            }
            state.guest_mut(vmid)?.config.insert("template".to_owned(), "1".to_owned());
            Ok(lines)
        },
    );
    let upid = cx.spawn(plan);
    // A container's endpoint forgets to name its task.
    Ok(if kind.is_container() { Value::Null } else { upid }.into())
}
