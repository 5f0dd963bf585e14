//! Configurations: reading, changing, what waits for the next start, and who may change what.

use std::collections::BTreeMap;

use plimsoll_pve::property::{PropertyString, Size};
use serde_json::{Value, json};

use super::create::{realize_disk, realize_net};
use super::digest::unmodified;
use crate::access::missing;
use crate::backend::Operation;
use crate::cx::{Cx, locked};
use crate::guest::{Guest, Kind, is_disk, volume_of};
use crate::reply::{Answer, Refusal};
use crate::state::State;
use crate::task::Plan;
use crate::validate::schema;

pub(super) fn get(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let guest = cx.guest(kind)?;
    if guest.lock.as_deref() == Some("create") {
        return Ok(json!({ "lock": "create", "digest": guest.digest() }).into());
    }
    let config = match cx.args.get("snapshot") {
        Some(name) => {
            let kept = guest.snapshots.get(name);
            kept.ok_or_else(|| Refusal::died(format!("snapshot '{name}' does not exist")))?.config.clone()
        }
        None if cx.args.flag("current") => guest.config.clone(),
        None => guest.future(),
    };
    let (digest, lock) = (guest.digest(), cx.state.faults.lock(guest.vmid).or_else(|| guest.lock.clone()));
    let mut out = shown(cx, kind, &config);
    out.insert("digest".to_owned(), json!(digest));
    out.extend(lock.map(|lock| ("lock".to_owned(), json!(lock))));
    Ok(Value::Object(out).into())
}

/// A configuration as it is shown: typed, secrets hidden, descriptions with a line break at their end.
pub(super) fn shown(
    cx: &Cx<'_>,
    kind: Kind,
    config: &BTreeMap<String, String>,
) -> serde_json::Map<String, Value> {
    let mut out = cx.typed(kind, config);
    if let Some(Value::String(text)) = out.get_mut("description")
        && !text.ends_with('\n')
    {
        text.push('\n');
    }
    if let Some(password) = out.get_mut("cipassword") {
        *password = json!("**********");
    }
    out
}

pub(super) fn pending(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let guest = cx.guest(kind)?;
    let now = shown(cx, kind, &guest.config);
    let later: BTreeMap<String, String> =
        guest.pending.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect();
    let later = shown(cx, kind, &later);
    let mut keys: Vec<&String> = now.keys().chain(guest.pending.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let lines = keys.into_iter().map(|key| {
        let mut line = json!({ "key": key });
        if let Some(map) = line.as_object_mut() {
            map.extend(now.get(key).map(|value| ("value".to_owned(), value.clone())));
            map.extend(later.get(key).map(|value| ("pending".to_owned(), value.clone())));
            if guest.pending.get(key) == Some(&None) {
                map.insert("delete".to_owned(), json!(1));
            }
        }
        line
    });
    Ok(Value::Array(lines.collect()).into())
}

fn stem(key: &str) -> &str {
    key.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// The privilege that changing an option of a container takes.
fn privilege_lxc(key: &str) -> &'static str {
    match stem(key) {
        "cores" | "cpulimit" | "cpuunits" => "VM.Config.CPU",
        "memory" | "swap" => "VM.Config.Memory",
        "rootfs" | "mp" | "unused" => "VM.Config.Disk",
        "net" | "hostname" | "nameserver" | "searchdomain" => "VM.Config.Network",
        _ => "VM.Config.Options",
    }
}

/// The privileges of which changing an option of a machine takes one.
fn privilege_qemu(key: &str) -> &'static [&'static str] {
    match stem(key) {
        "cores" | "cpu" | "cpulimit" | "cpuunits" | "sockets" | "vcpus" | "numa" => &["VM.Config.CPU"],
        "memory" | "balloon" | "shares" => &["VM.Config.Memory"],
        "scsi" | "virtio" | "sata" | "ide" | "efidisk" | "tpmstate" | "unused" | "boot" | "bootdisk" => {
            &["VM.Config.Disk"]
        }
        "net" => &["VM.Config.Network"],
        "ciuser" | "cipassword" | "citype" | "ciupgrade" | "cicustom" | "sshkeys" | "ipconfig"
        | "nameserver" | "searchdomain" => &["VM.Config.Cloudinit", "VM.Config.Network"],
        "serial" | "vga" | "machine" | "scsihw" | "rng" | "audio" | "usb" | "hostpci" | "tablet"
        | "vmgenid" | "smbios" => &["VM.Config.HWType"],
        _ => &["VM.Config.Options"],
    }
}

fn vm_need(cx: &Cx<'_>, vmid: u32, pool: Option<&str>, any: &[&str]) -> Result<(), Refusal> {
    let path = format!("/vms/{vmid}");
    let by_pool = pool.is_some_and(|pool| cx.may_any(&format!("/pool/{pool}"), any));
    if by_pool || cx.may_any(&path, any) { Ok(()) } else { Err(missing(&path, any)) }
}

/// The bridge of a card, with its VLAN: who plugs into it needs `SDN.Use` there.
pub(super) fn bridge_need(cx: &Cx<'_>, net: &str) -> Result<(), Refusal> {
    let Ok(list) = net.parse::<PropertyString>() else { return Ok(()) };
    let Some(bridge) = list.get("bridge") else { return Ok(()) };
    let tag = list.get("tag").map(|tag| format!("/{tag}")).unwrap_or_default();
    cx.need(&format!("/sdn/zones/localnetwork/{bridge}{tag}"), &["SDN.Use"])
}

/// What stands in the way of a change of a container (`check_ct_modify_config_perm`).
pub(super) fn permit_lxc(
    cx: &Cx<'_>,
    vmid: u32,
    pool: Option<&str>,
    unprivileged: bool,
    old: Option<&Guest>,
    new: &BTreeMap<String, Option<String>>,
) -> Result<(), Refusal> {
    if cx.caller.is_root() {
        return Ok(());
    }
    for (key, value) in new {
        let before = old.and_then(|guest| guest.config.get(key));
        match stem(key) {
            "features" => permit_features(cx, vmid, pool, unprivileged, before, value.as_deref())?,
            "rootfs" | "mp" => {
                let path = [value.as_ref(), before]
                    .into_iter()
                    .flatten()
                    .filter_map(|text| volume_of(text))
                    .find(|v| v.starts_with('/'));
                if let Some(path) = path {
                    let what = if path.starts_with("/dev/") { "device" } else { "bind" };
                    return Err(Refusal::denied(&format!(
                        "mount point type {what} is only allowed for root@pam"
                    )));
                }
                vm_need(cx, vmid, pool, &["VM.Config.Disk"])?;
            }
            "dev" => {
                return Err(Refusal::denied("configuring device passthrough is only allowed for root@pam"));
            }
            "hookscript" => {
                return Err(Refusal::denied("changing the hookscript is only allowed for root@pam"));
            }
            "net" => {
                vm_need(cx, vmid, pool, &["VM.Config.Network"])?;
                for net in [before, value.as_ref()].into_iter().flatten() {
                    bridge_need(cx, net)?;
                }
            }
            // Tags are judged without the pool.
            "tags" => vm_need(cx, vmid, None, &["VM.Config.Options"])?,
            _ => vm_need(cx, vmid, pool, &[privilege_lxc(key)])?,
        }
    }
    Ok(())
}

fn permit_features(
    cx: &Cx<'_>,
    vmid: u32,
    pool: Option<&str>,
    unprivileged: bool,
    before: Option<&String>,
    after: Option<&str>,
) -> Result<(), Refusal> {
    if !unprivileged {
        return Err(Refusal::denied(
            "changing feature flags for privileged container is only allowed for root@pam",
        ));
    }
    let read =
        |text: Option<&str>| text.and_then(|text| text.parse::<PropertyString>().ok()).unwrap_or_default();
    let (old, new) = (read(before.map(String::as_str)), read(after));
    let keys = old.iter().chain(new.iter()).filter_map(|(key, _)| key);
    if keys.into_iter().any(|key| key != "nesting" && old.get(key) != new.get(key)) {
        return Err(Refusal::denied("changing feature flags (except nesting) is only allowed for root@pam"));
    }
    vm_need(cx, vmid, pool, &["VM.Allocate"])
}

/// What stands in the way of a change of a machine (`check_vm_modify_config_perm`).
pub(super) fn permit_qemu(
    cx: &Cx<'_>,
    vmid: u32,
    pool: Option<&str>,
    new: &BTreeMap<String, Option<String>>,
) -> Result<(), Refusal> {
    if cx.caller.is_root() {
        return Ok(());
    }
    for (key, value) in new {
        if matches!(stem(key), "args" | "hookscript" | "affinity" | "lock" | "ivshmem") {
            return Err(Refusal::died(format!("only root can set '{key}' config")));
        }
        if key == "startup" {
            cx.need("/", &["Sys.Modify"])?;
            continue;
        }
        if matches!(key.as_str(), "skiplock") {
            return Err(Refusal::parameter("skiplock", "Only root may use this option."));
        }
        let cdrom = value.as_deref().is_some_and(|text| text.contains("media=cdrom"));
        let any: &[&str] = if cdrom { &["VM.Config.CDROM"] } else { privilege_qemu(key) };
        vm_need(cx, vmid, pool, any)?;
        if let (true, Some(net)) = (stem(key) == "net", value) {
            bridge_need(cx, net)?;
        }
    }
    Ok(())
}

/// Option to value, or to nothing where it is taken away.
type Change = BTreeMap<String, Option<String>>;

/// Options that say how to change, not what.
const HOW: [&str; 9] = [
    "node",
    "vmid",
    "digest",
    "delete",
    "revert",
    "skiplock",
    "force",
    "background_delay",
    "import-working-storage",
];

/// The change that a request asks for: option to value, or to nothing where it is taken away.
fn changes(cx: &Cx<'_>, kind: Kind) -> Result<(Change, Vec<String>), Refusal> {
    let mut new = BTreeMap::new();
    for (key, values) in cx.args.0.iter().filter(|(key, _)| !HOW.contains(&key.as_str())) {
        new.insert(key.clone(), values.first().cloned());
    }
    let revert = cx.args.list("revert");
    let path = ["nodes".to_owned(), String::new(), kind.api().to_owned()];
    let known = cx.contract.find("POST", &path).and_then(|(endpoint, _)| endpoint.detail.as_ref());
    for (what, keys) in [("delete", cx.args.list("delete")), ("revert", revert.clone())] {
        for key in keys {
            let exists = known.is_some_and(|detail| schema(&detail.params, &key).is_some());
            if !exists {
                return Err(Refusal::parameter(what, format!("unknown option '{key}'")));
            }
            if what == "delete" {
                if matches!(key.as_str(), "memory" | "rootfs" | "ostype" | "unprivileged")
                    && kind.is_container()
                {
                    return Err(Refusal::died(format!("unable to delete required option '{key}'")));
                }
                new.insert(key, None);
            }
        }
    }
    if new.is_empty() && revert.is_empty() {
        return Err(Refusal::died("no options specified"));
    }
    Ok((new, revert))
}

pub(super) fn changeable(cx: &Cx<'_>, kind: Kind) -> Result<(), Refusal> {
    let guest = cx.guest(kind)?;
    if guest.lock.as_deref() == Some("create") && kind.is_container() {
        let file = format!("/run/lock/lxc/pve-config-{}.lock", guest.vmid);
        return Err(Refusal::died(format!("can't lock file '{file}' - got timeout")));
    }
    if let Some(text) = locked(cx.state, guest) {
        return Err(Refusal::died(text));
    }
    unmodified(&guest.digest(), cx.args.get("digest"))
}

/// Whether a change of a running guest takes effect at once.
fn at_once(kind: Kind, key: &str, is_new: bool) -> bool {
    match (kind, stem(key)) {
        (
            _,
            "tags" | "onboot" | "startup" | "protection" | "description" | "net" | "hostname" | "nameserver"
            | "searchdomain",
        ) => kind.is_container() || !matches!(stem(key), "nameserver" | "searchdomain"),
        (Kind::Lxc, "cores" | "cpulimit" | "cpuunits" | "memory" | "swap" | "dev") => true,
        (Kind::Lxc, "mp") => is_new,
        (Kind::Qemu, "name" | "scsi" | "virtio" | "hookscript") => true,
        _ => false,
    }
}

/// Makes what a change needs, and puts it into effect or among what is pending.
pub(super) fn apply(
    state: &mut State,
    vmid: u32,
    new: BTreeMap<String, Option<String>>,
    revert: &[String],
) -> Result<Vec<String>, String> {
    let kind = state.guest_mut(vmid)?.kind;
    let mut lines = Vec::new();
    for (key, value) in new {
        let before = state.guest_mut(vmid)?.config.get(&key).cloned();
        let value = match value {
            Some(text)
                if is_disk(&key) && text.contains("import-from=") && state.backend.images().is_some() =>
            {
                return Err(format!("{key}: the lab imports disks only when it makes a virtual machine"));
            }
            Some(text) if is_disk(&key) => Some(realize_disk(state, kind, vmid, &text, &mut lines)?),
            Some(text) if stem(&key) == "net" => Some(realize_net(state, kind, &text, before.as_deref())),
            other => other,
        };
        let guest = state.guest_mut(vmid)?;
        let hot = guest.running.is_none() || at_once(kind, &key, before.is_none());
        if !hot {
            if value == before {
                guest.pending.remove(&key);
            } else {
                guest.pending.insert(key, value);
            }
            continue;
        }
        guest.pending.remove(&key);
        match value {
            Some(value) => {
                guest.config.insert(key, value);
            }
            None => {
                guest.config.remove(&key);
                if let Some(volume) = before.filter(|_| is_disk(&key)).as_deref().and_then(volume_of) {
                    detach(state, vmid, &key, &volume)?;
                }
            }
        }
    }
    let guest = state.guest_mut(vmid)?;
    for key in revert {
        guest.pending.remove(key);
    }
    Ok(lines)
}

/// A disk that is taken out stays as `unusedN`; taking that out frees it.
pub(super) fn detach(state: &mut State, vmid: u32, key: &str, volume: &str) -> Result<(), String> {
    if stem(key) == "unused" {
        state.free(volume);
        return Ok(());
    }
    if !volume.contains(':') || volume.contains(":iso/") {
        return Ok(());
    }
    let guest = state.guest_mut(vmid)?;
    let free = (0..256).map(|number| format!("unused{number}")).find(|key| !guest.config.contains_key(key));
    guest.config.extend(free.map(|key| (key, volume.to_owned())));
    Ok(())
}

pub(super) fn put_lxc(cx: &mut Cx<'_>) -> Answer {
    let vmid = cx.args.vmid();
    let (new, revert) = changes(cx, Kind::Lxc)?;
    let guest = cx.guest(Kind::Lxc)?;
    let mut judged = new.clone();
    judged.extend(revert.iter().map(|key| (key.clone(), guest.config.get(key).cloned())));
    // Taking a change back is judged like the change.
    if !cx.caller.is_root() && revert.iter().any(|key| key == "features") && !guest.is_plain_features() {
        return Err(Refusal::denied("changing feature flags (except nesting) is only allowed for root@pam"));
    }
    permit_lxc(cx, vmid, None, guest.is_on("unprivileged"), Some(guest), &judged)?;
    storages_permitted(cx, &new)?;
    if new.contains_key("unprivileged") {
        return Err(Refusal::died("unable to modify read-only option: 'unprivileged'"));
    }
    changeable(cx, Kind::Lxc)?;
    apply(cx.state, vmid, new, &revert).map_err(Refusal::died)?;
    Ok(Value::Null.into())
}

impl Guest {
    /// Whether neither the flags nor what is pending of them goes beyond nesting.
    fn is_plain_features(&self) -> bool {
        let plain = |text: &str| text.split(',').all(|part| part.starts_with("nesting="));
        let now = self.config.get("features").is_none_or(|text| plain(text));
        let later = self.pending.get("features");
        now && later.is_none_or(|value| value.as_deref().is_none_or(plain))
    }
}

/// New volumes need room that the caller may use.
pub(super) fn storages_permitted(cx: &Cx<'_>, new: &BTreeMap<String, Option<String>>) -> Result<(), Refusal> {
    for value in new.iter().filter(|(key, _)| is_disk(key)).filter_map(|(_, value)| value.as_deref()) {
        let Some(volume) = volume_of(value) else { continue };
        let Some((storage, what)) = volume.split_once(':').filter(|(storage, _)| !storage.starts_with('/'))
        else {
            continue;
        };
        let makes = what.parse::<f64>().is_ok() || what == "cloudinit";
        if makes {
            cx.need(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"])?;
        }
        if !cx.state.storages.contains_key(storage) {
            return Err(Refusal::died(format!("storage '{storage}' does not exist")));
        }
    }
    Ok(())
}

pub(super) fn put_qemu(cx: &mut Cx<'_>) -> Answer {
    let vmid = cx.args.vmid();
    let (new, revert) = changes(cx, Kind::Qemu)?;
    cx.guest(Kind::Qemu)?;
    permit_qemu(cx, vmid, None, &new)?;
    storages_permitted(cx, &new)?;
    changeable(cx, Kind::Qemu)?;
    apply(cx.state, vmid, new, &revert).map_err(Refusal::died)?;
    Ok(Value::Null.into())
}

pub(super) fn post_qemu(cx: &mut Cx<'_>) -> Answer {
    let vmid = cx.args.vmid();
    let (new, revert) = changes(cx, Kind::Qemu)?;
    cx.guest(Kind::Qemu)?;
    permit_qemu(cx, vmid, None, &new)?;
    storages_permitted(cx, &new)?;
    changeable(cx, Kind::Qemu)?;
    let options: Vec<String> =
        new.iter().map(|(key, value)| format!("-{key} {}", value.as_deref().unwrap_or_default())).collect();
    let said = format!("update VM {vmid}: {}", options.join(" "));
    let plan = Plan::new("qmconfig", vmid.to_string()).then(cx.state.ms(50), move |state| {
        let mut lines = vec![said];
        lines.extend(apply(state, vmid, new, &revert)?);
        Ok(lines)
    });
    Ok(cx.spawn(plan).into())
}

pub(super) fn resize(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (vmid, disk, wanted) = (cx.args.vmid(), cx.args.text("disk"), cx.args.text("size"));
    let guest = cx.guest(kind)?;
    let value = guest.config.get(&disk).cloned();
    let value = value.ok_or_else(|| Refusal::died(format!("disk '{disk}' does not exist")))?;
    if !cx.caller.is_root() && kind.is_container() {
        vm_need(cx, vmid, None, &["VM.Config.Options"])?;
    }
    changeable(cx, kind)?;
    let volume = volume_of(&value).unwrap_or_default();
    let storage = volume.split(':').next().unwrap_or_default().to_owned();
    cx.need(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"])?;
    let list: PropertyString = value.parse().unwrap_or_default();
    let old = list.get("size").and_then(|size| size.parse::<Size>().ok()).unwrap_or(Size(0));
    let given = wanted.trim_start_matches('+').parse::<Size>().unwrap_or(Size(0));
    let new = if wanted.starts_with('+') { Size(old.0.saturating_add(given.0)) } else { given };
    if new < old {
        return Err(Refusal::died("unable to shrink disk size"));
    }
    if new == old {
        return Err(Refusal::died("disk is already at specified size"));
    }
    let (at, key) = (storage, disk.clone());
    let grow = move |state: &mut State| {
        if state.faults.storage_full(&at) {
            return Err(format!("command '/sbin/lvextend' failed: no space left on storage '{at}'"));
        }
        let spec = state.guest_mut(vmid)?.spec();
        Ok(Some(Operation::Grow { spec, disk: key, bytes: new.0 }))
    };
    let plan = Plan::new("resize", vmid.to_string()).work(cx.state.ms(50), grow, move |state| {
        if let Some((storage, name)) = volume.split_once(':')
            && let Some(volume) =
                state.storages.get_mut(storage).and_then(|storage| storage.volumes.get_mut(name))
        {
            volume.size = new.0;
        }
        let mut list = list;
        list.set("size", new.to_string());
        state.guest_mut(vmid)?.config.insert(disk, list.to_string());
        Ok(vec!["Image resized.".to_owned()])
    });
    Ok(cx.spawn(plan).into())
}
