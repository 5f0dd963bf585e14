//! Making guests, from nothing or from a backup, and taking them away.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use plimsoll_pve::Secret;
use plimsoll_pve::property::{PropertyString, Size};
use serde_json::json;

use super::config::{permit_lxc, permit_qemu, storages_permitted};
use super::power::{sid_of, spawn_start};
use crate::backend::{NewGuest, Operation};
use crate::contract::Release;
use crate::cx::{Cx, locked};
use crate::guest::{Guest, Kind, is_disk, volume_of, with_volume};
use crate::reply::{Answer, Refusal};
use crate::state::State;
use crate::storage::Storage;
use crate::task::Plan;

/// Parameters that say how to make a guest, not what it is.
const HOW: [&str; 18] = [
    "node",
    "vmid",
    "ostemplate",
    "restore",
    "force",
    "start",
    "password",
    "ssh-public-keys",
    "pool",
    "storage",
    "unique",
    "bwlimit",
    "ignore-unpack-errors",
    "ha-managed",
    "archive",
    "live-restore",
    "import-working-storage",
    "skiplock",
];

/// What both kinds of guests are asked first.
fn may_create(cx: &Cx<'_>, kind: Kind) -> Result<Option<String>, Refusal> {
    let (vmid, node) = (cx.args.vmid(), cx.node());
    let overwrite = cx.args.flag("force") && (cx.args.flag("restore") || cx.args.get("archive").is_some());
    if let Some(guest) = cx.state.guests.get(&vmid) {
        let text = format!("{} {vmid} already exists on node '{}'", guest.kind.word(), guest.node);
        let same = guest.kind == kind && guest.node == node;
        if !(overwrite && same) {
            let racing = guest.lock.as_deref() == Some("create") || kind == Kind::Qemu;
            let text =
                if racing { format!("unable to create {} {vmid} - {text}", kind.word()) } else { text };
            return Err(Refusal::died(text));
        }
        if guest.running.is_some() {
            let text = if kind.is_container() {
                "can't overwrite running container"
            } else {
                "unable to restore VM - VM is running"
            };
            return Err(Refusal::died(text));
        }
        if guest.is_on("protection") {
            return Err(Refusal::died(format!(
                "can't overwrite {} {vmid} - protection mode enabled",
                kind.word()
            )));
        }
    }
    let pool = cx.args.get("pool").map(str::to_owned);
    if let Some(pool) = pool.as_deref().filter(|pool| !cx.state.pools.contains_key(*pool)) {
        return Err(Refusal::denied(&format!("pool '{pool}' does not exist")));
    }
    let by_pool = pool.as_deref().is_some_and(|pool| cx.may(&format!("/pool/{pool}"), "VM.Allocate"));
    let by_backup =
        overwrite && cx.state.guests.contains_key(&vmid) && cx.may(&format!("/vms/{vmid}"), "VM.Backup");
    if !by_pool && !by_backup && !cx.may(&format!("/vms/{vmid}"), "VM.Allocate") {
        return Err(Refusal::denied(""));
    }
    Ok(pool)
}

fn wanted(cx: &Cx<'_>) -> BTreeMap<String, Option<String>> {
    let what = cx.args.0.iter().filter(|(key, _)| !HOW.contains(&key.as_str()));
    what.map(|(key, values)| (key.clone(), values.first().cloned())).collect()
}

/// A volume that somebody else made, to be read.
fn may_read(cx: &Cx<'_>, volid: &str) -> Result<(), Refusal> {
    let storage = volid.split(':').next().unwrap_or_default();
    let path = format!("/storage/{storage}");
    if cx.may(&path, "Datastore.Allocate") {
        return Ok(());
    }
    if let Some(owner) =
        cx.state.volume(volid).filter(|volume| volume.content == "backup").and_then(|volume| volume.vmid)
    {
        cx.need(&path, &["Datastore.AllocateSpace"])?;
        let own = owner == cx.args.vmid();
        return if own { Ok(()) } else { cx.need(&format!("/vms/{owner}"), &["VM.Backup"]) };
    }
    cx.need(&path, &["Datastore.AllocateSpace", "Datastore.Audit"])
}

pub(super) fn lxc(cx: &mut Cx<'_>) -> Answer {
    let restore = cx.args.flag("restore");
    let source = cx.args.text("ostemplate");
    let pool = may_create(cx, Kind::Lxc)?;
    let keys = cx.args.text("ssh-public-keys");
    let is_key = |line: &str| {
        ["ssh-", "ecdsa-", "sk-"].iter().any(|start| line.trim().starts_with(start))
            && line.trim().contains(' ')
    };
    if keys.lines().any(|line| !line.trim().is_empty() && !line.trim().starts_with('#') && !is_key(line)) {
        return Err(Refusal::died("SSH public key validation error"));
    }
    let mut new = wanted(cx);
    let unprivileged = match cx.args.get("unprivileged") {
        Some(flag) => flag == "1",
        None => !restore && cx.state.release == Release::V9,
    };
    if !unprivileged && !restore && cx.state.release == Release::V9 {
        cx.need("/", &["Sys.Modify"])?;
    }
    permit_lxc(cx, cx.args.vmid(), pool.as_deref(), unprivileged, None, &new)?;
    if !restore {
        let storage = cx.args.get("storage").unwrap_or("local");
        if let Some(Some(root)) = new.get_mut("rootfs")
            && root.parse::<f64>().is_ok()
        {
            *root = format!("{storage}:{root}");
        }
        new.entry("rootfs".to_owned()).or_insert_with(|| Some(format!("{storage}:4")));
    }
    storages_permitted(cx, &new)?;
    may_read(cx, &source)?;
    if !restore {
        if !source.contains(":vztmpl/") {
            return Err(Refusal::died(format!(
                "unable to use volume {source} - content type needs to be 'vztmpl'"
            )));
        }
        for (key, value) in [("memory", "512"), ("swap", "512"), ("ostype", "debian"), ("arch", "amd64")] {
            new.entry(key.to_owned()).or_insert_with(|| Some(value.to_owned()));
        }
        new.entry("hostname".to_owned()).or_insert_with(|| Some(format!("CT{}", cx.args.vmid())));
        if unprivileged {
            new.insert("unprivileged".to_owned(), Some("1".to_owned()));
        } else {
            new.remove("unprivileged");
        }
    }
    Ok(make(cx, Kind::Lxc, pool, source, new, restore).into())
}

pub(super) fn qemu(cx: &mut Cx<'_>) -> Answer {
    let archive = cx.args.get("archive").map(str::to_owned);
    let pool = may_create(cx, Kind::Qemu)?;
    let mut new = wanted(cx);
    permit_qemu(cx, cx.args.vmid(), pool.as_deref(), &new)?;
    storages_permitted(cx, &new)?;
    let restore = archive.is_some();
    if let Some(archive) = &archive {
        may_read(cx, archive)?;
    } else {
        let uuid = cx.state.rng.uuid();
        new.insert("vmgenid".to_owned(), Some(cx.state.rng.uuid()));
        new.entry("smbios1".to_owned()).or_insert_with(|| Some(format!("uuid={uuid}")));
    }
    Ok(make(cx, Kind::Qemu, pool, archive.unwrap_or_default(), new, restore).into())
}

fn make(
    cx: &mut Cx<'_>,
    kind: Kind,
    pool: Option<String>,
    source: String,
    new: BTreeMap<String, Option<String>>,
    restore: bool,
) -> serde_json::Value {
    let (vmid, node, caller) = (cx.args.vmid(), cx.node(), cx.caller.clone());
    let start = cx.args.flag("start");
    let storage = cx.args.get("storage").map(str::to_owned);
    let unique = cx.args.flag("unique");
    // What is overwritten is gone before the new one is there.
    if let Some(old) = cx.state.guests.remove(&vmid) {
        for (_, volume) in old.disks() {
            cx.state.free(&volume);
        }
        // Operations on a guest come one after the other: what follows finds it gone.
        let _ = cx.state.backend.begin(Operation::Destroy { vmid });
    }
    let mut guest = Guest::new(kind, vmid, &node);
    guest.lock = Some("create".to_owned());
    cx.state.guests.insert(vmid, guest);
    let word = kind.word();
    let failed = move |text: String| {
        let verb = if restore { "restore" } else { "create" };
        format!("unable to {verb} {word} {vmid} - {text}")
    };
    let (first, second) = (cx.state.ms(80), cx.state.ms(250));
    let task = if restore { kind.task("vzrestore", "qmrestore") } else { kind.task("vzcreate", "qmcreate") };
    let (from, said) = (source.clone(), source.clone());
    let keys = cx.args.text("ssh-public-keys");
    let password = cx.args.take("password").map(Secret::new);
    // What the first step finds for the second one.
    let imports = Arc::new(Mutex::new(BTreeMap::new()));
    let images = imports.clone();
    let plan = Plan::new(task, vmid.to_string())
        .then(first, move |state| {
            let mut config = new;
            let mut files = BTreeMap::new();
            if restore {
                let kept = state.volume(&source).and_then(|volume| volume.backup.clone());
                let kept = kept.ok_or_else(|| failed(format!("volume '{source}' does not exist")))?;
                files = kept.files;
                for (key, value) in kept.config {
                    config.entry(key).or_insert(Some(value));
                }
                relocate(&mut config, storage.as_deref(), kind);
                if unique {
                    renew_cards(&mut config);
                }
            } else if !source.is_empty() && state.volume(&source).is_none() {
                return Err(failed(format!("volume '{source}' does not exist")));
            }
            let mut lines = Vec::new();
            let mut made = BTreeMap::new();
            for (key, value) in config {
                let Some(value) = value else { continue };
                if let Some(image) = import_of(&value).filter(|_| is_disk(&key)) {
                    images.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), image);
                }
                let value = if is_disk(&key) {
                    realize_disk(state, kind, vmid, &value, &mut lines).map_err(failed)?
                } else if key.trim_end_matches(|c: char| c.is_ascii_digit()) == "net" {
                    realize_net(state, kind, &value, None)
                } else {
                    value
                };
                made.insert(key, value);
            }
            let guest = state.guest_mut(vmid)?;
            guest.config = made;
            guest.files = files;
            Ok(lines)
        })
        .work(
            second,
            move |state| {
                let spec = state.guest_mut(vmid)?.spec();
                let imports = imports.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Ok(Some(Operation::Create(NewGuest { spec, source: from, imports, keys, password })))
            },
            move |state| {
                let mut lines =
                    if said.is_empty() { Vec::new() } else { vec![format!("extracting archive '{said}'")] };
                if kind.is_container() && !restore {
                    lines.push("Detected container architecture: amd64".to_owned());
                    if state.backend.name() == "simulated" {
                        lines.extend(host_keys(state, vmid)?);
                    }
                }
                state.guest_mut(vmid)?.lock = None;
                if let Some(pool) = pool.as_ref().and_then(|pool| state.pools.get_mut(pool)) {
                    pool.guests.push(vmid);
                }
                if start {
                    let node = state.guest_mut(vmid)?.node.clone();
                    spawn_start(state, &node, &caller, kind, vmid);
                }
                Ok(lines)
            },
        )
        .or_else(move |state| {
            state.discard(vmid);
            Ok(Vec::new())
        });
    cx.spawn(plan)
}

/// What a node says of the host keys that it makes. Nobody holds these.
fn host_keys(state: &mut State, vmid: u32) -> Result<Vec<String>, String> {
    let name = state.guest_mut(vmid)?.config.get("hostname").cloned().unwrap_or_default();
    let name = name.split('.').next().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    for kind in ["ecdsa", "ed25519"] {
        lines.push(format!("Creating SSH host key 'ssh_host_{kind}_key' - this may take some time ..."));
        let digest: String = (0..2).map(|_| state.rng.uuid().replace('-', "")).collect();
        // 32 bytes of base64 end with a character that carries four bits.
        lines.push(format!("done: SHA256:{}A root@{name}", digest.get(..42).unwrap_or_default()));
    }
    Ok(lines)
}

/// Disks of a backup are made anew, with the size that they had.
fn relocate(config: &mut BTreeMap<String, Option<String>>, storage: Option<&str>, kind: Kind) {
    config.retain(|key, _| !key.starts_with("unused"));
    for (_, value) in config.iter_mut().filter(|(key, _)| is_disk(key)) {
        let Some(text) = value.as_deref() else { continue };
        let Some(volume) = volume_of(text) else { continue };
        let Some((own, name)) = volume.split_once(':') else { continue };
        if name.parse::<f64>().is_ok()
            || name.starts_with("iso/")
            || (name.contains("cloudinit") && !kind.is_container())
        {
            continue;
        }
        let list: PropertyString = text.parse().unwrap_or_default();
        let bytes = list.get("size").and_then(|size| size.parse::<Size>().ok()).unwrap_or(Size(1 << 30)).0;
        #[expect(clippy::cast_precision_loss, reason = "sizes of disks in GiB")]
        let gib = bytes as f64 / f64::from(1u32 << 30);
        *value = Some(with_volume(text, &format!("{}:{gib}", storage.unwrap_or(own))));
    }
}

pub(super) fn renew_cards(config: &mut BTreeMap<String, Option<String>>) {
    for (_, value) in config.iter_mut().filter(|(key, _)| key.starts_with("net")) {
        if let Some(Ok(mut list)) = value.as_deref().map(str::parse::<PropertyString>) {
            list.remove("hwaddr");
            if list.get("virtio").is_some() {
                list.remove("virtio");
                list.set("model", "virtio");
            }
            *value = Some(list.to_string());
        }
    }
}

/// The image that a disk begins as.
fn import_of(value: &str) -> Option<String> {
    let list: PropertyString = value.parse().ok()?;
    list.get("import-from").map(str::to_owned)
}

/// A disk as it is written into the configuration: volumes that the value asks for are made.
pub(super) fn realize_disk(
    state: &mut State,
    kind: Kind,
    vmid: u32,
    value: &str,
    lines: &mut Vec<String>,
) -> Result<String, String> {
    let Some(volume) = volume_of(value) else { return Ok(value.to_owned()) };
    let Some((storage, what)) = volume.split_once(':').filter(|_| !volume.starts_with('/')) else {
        return Ok(value.to_owned());
    };
    if what == "cloudinit" || what.contains("-cloudinit") {
        let volid = format!("{storage}:vm-{vmid}-cloudinit");
        let now = state.now();
        let store =
            state.storages.get_mut(storage).ok_or_else(|| format!("storage '{storage}' does not exist"))?;
        let mut made = crate::storage::Volume::new("images", "raw", 4 << 20, now);
        made.vmid = Some(vmid);
        store.volumes.insert(format!("vm-{vmid}-cloudinit"), made);
        return Ok(format!("{volid},media=cdrom"));
    }
    let Ok(gib) = what.parse::<f64>() else { return Ok(value.to_owned()) };
    let list: PropertyString = value.parse().unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes of disks in GiB")]
    let mut bytes = (gib.max(0.0) * f64::from(1u32 << 30)) as u64;
    if let Some(image) = list.get("import-from") {
        let found = state
            .volume(image)
            .ok_or_else(|| format!("cannot import from '{image}' - volume does not exist"))?;
        let size = found.size.next_multiple_of(1 << 30);
        bytes = match state.backend.image_size(image) {
            None => size,
            Some(held) => held.map_err(|text| format!("cannot import from '{image}' - {text}"))?,
        };
        lines.push(format!("importing disk '{image}'"));
    }
    let volid = state.allocate(storage, vmid, kind.is_container(), bytes)?;
    lines.push(match state.storages.get(storage).map(Storage::is_files) {
        Some(true) => format!("Formatting '{volid}', size={bytes}"),
        _ => format!("  Logical volume \"{}\" created.", volid.rsplit(':').next().unwrap_or_default()),
    });
    let mut list: PropertyString = with_volume(value, &volid).parse().unwrap_or_default();
    list.set("size", Size(bytes).to_string());
    Ok(list.to_string())
}

/// A card as it is written into the configuration: with an address, and in the node's order.
pub(super) fn realize_net(state: &mut State, kind: Kind, value: &str, before: Option<&str>) -> String {
    let Ok(mut list) = value.parse::<PropertyString>() else { return value.to_owned() };
    let old: Option<PropertyString> = before.and_then(|text| text.parse().ok());
    if kind.is_container() {
        if list.get("hwaddr").is_none() {
            let kept = old.as_ref().and_then(|old| old.get("hwaddr")).map(str::to_owned);
            list.set("hwaddr", kept.unwrap_or_else(|| state.rng.mac()));
        }
        if list.get("type").is_none() {
            list.set("type", "veth");
        }
        let mut pairs: Vec<(String, String)> =
            list.iter().filter_map(|(key, value)| Some((key?.to_owned(), value.to_owned()))).collect();
        pairs.sort_by_key(|(key, _)| (key != "name", key.clone()));
        return pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
    }
    let model = list.get_or_bare("model").map(str::to_owned);
    let Some(model) = model else { return value.to_owned() };
    let mac = list.get("macaddr").map_or_else(|| state.rng.mac(), str::to_owned);
    let rest = list.iter().filter(|(key, _)| !matches!(key, None | Some("model" | "macaddr")));
    let rest: Vec<String> = rest.map(|(key, value)| format!("{}={value}", key.unwrap_or_default())).collect();
    [vec![format!("{model}={mac}")], rest].concat().join(",")
}

pub(super) fn destroy(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let vmid = cx.args.vmid();
    let (purge, force) = (cx.args.flag("purge"), cx.args.flag("force"));
    let guest = cx.guest(kind)?;
    if let Some(text) = locked(cx.state, guest) {
        return Err(Refusal::died(text));
    }
    if guest.is_on("protection") {
        return Err(Refusal::died(format!("can't remove {} {vmid} - protection mode enabled", kind.word())));
    }
    let sid = sid_of(kind, vmid);
    if cx.state.ha.contains_key(&sid) && !purge {
        let word = kind.word();
        return Err(Refusal::died(format!(
            "unable to remove {word} {vmid} - used in HA resources and purge parameter not set."
        )));
    }
    if guest.running.is_some() && !(force && kind.is_container()) {
        return Err(Refusal::died(match kind {
            Kind::Lxc => format!("unable to destroy CT {vmid} - container is running"),
            Kind::Qemu => format!("VM {vmid} is running - destroy failed"),
        }));
    }
    let plan = Plan::new(kind.task("vzdestroy", "qmdestroy"), vmid.to_string()).work(
        cx.state.ms(100),
        move |_| Ok(Some(Operation::Destroy { vmid })),
        move |state| {
            let guest = state.guests.remove(&vmid).ok_or_else(|| format!("guest {vmid} is gone"))?;
            let mut lines = Vec::new();
            for (_, volume) in guest.disks() {
                state.free(&volume);
                let name = volume.rsplit(':').next().unwrap_or_default();
                lines.push(format!("  Logical volume \"{name}\" successfully removed."));
            }
            state.access.acl.remove(&format!("/vms/{vmid}"));
            for pool in state.pools.values_mut() {
                pool.guests.retain(|member| *member != vmid);
            }
            if purge {
                lines.push(format!("purging {} {vmid} from related configurations..", guest.kind.word()));
                state.ha.remove(&sid_of(guest.kind, vmid));
                state.replication.retain(|_, job| job.get("guest") != Some(&json!(vmid)));
                super::backup::purge(state, vmid);
            }
            Ok(lines)
        },
    );
    Ok(cx.spawn(plan).into())
}
