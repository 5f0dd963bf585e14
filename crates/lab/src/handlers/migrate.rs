//! Guests that move to another node: containers by a stop and a start, machines as they are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::power::{sid_of, then_down, then_up};
use crate::access::Caller;
use crate::contract::Release;
use crate::cx::{Cx, locked};
use crate::guest::{Guest, Kind, with_volume};
use crate::reply::{Answer, Refusal};
use crate::state::State;
use crate::task::Plan;

/// How a guest moves.
#[derive(Clone, Debug, Default)]
struct Move {
    vmid: u32,
    node: String,
    target: String,
    online: bool,
    restart: bool,
    local_disks: bool,
    storages: Storages,
}

/// Where volumes of a storage go: `1` says to the same one, a name says all to that one (`storage-pair-list`).
#[derive(Clone, Debug, Default)]
struct Storages {
    all: Option<String>,
    pairs: BTreeMap<String, String>,
}

impl Storages {
    fn read(text: &str) -> Result<Self, String> {
        let mut out = Self::default();
        let mut identity = false;
        for entry in text.split([',', ';', ' ']).filter(|entry| !entry.is_empty()) {
            match entry.split_once(':') {
                Some((from, to)) => {
                    if out.pairs.insert(from.to_owned(), to.to_owned()).is_some() {
                        return Err(format!("duplicate mapping for source '{from}'"));
                    }
                }
                None if entry == "1" => identity = true,
                None => {
                    if out.all.replace(entry.to_owned()).is_some() {
                        return Err("default target ID can only be provided once".to_owned());
                    }
                }
            }
        }
        if identity && (out.all.is_some() || !out.pairs.is_empty()) {
            return Err("identity (1) mapping cannot be combined with any other mapping".to_owned());
        }
        Ok(out)
    }

    fn of<'a>(&'a self, storage: &'a str) -> &'a str {
        self.pairs.get(storage).or(self.all.as_ref()).map_or(storage, String::as_str)
    }

    fn is_identity(&self) -> bool {
        self.all.is_none() && self.pairs.is_empty()
    }

    fn targets(&self) -> impl Iterator<Item = &String> {
        self.all.iter().chain(self.pairs.values())
    }
}

pub(super) fn migrate(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let (vmid, node, target) = (cx.args.vmid(), cx.node(), cx.args.text("target"));
    if target == node {
        return Err(Refusal::parameter("target", "target is local node."));
    }
    if !cx.state.nodes.contains(&target) {
        return Err(Refusal::died(format!("no such cluster node '{target}'")));
    }
    if let Some(name) = ["force", "migration_type", "migration_network"]
        .into_iter()
        .find(|name| cx.args.get(name).is_some() && !cx.caller.is_root())
    {
        return Err(Refusal::parameter(name, "Only root may use this option."));
    }
    let guest = cx.guest(kind)?;
    let running = guest.running.is_some();
    let (online, restart) = (cx.args.flag("online"), cx.args.flag("restart"));
    match kind {
        Kind::Lxc if running && !online && !restart => {
            return Err(Refusal::died("can't migrate running container without --online or --restart"));
        }
        Kind::Qemu => {
            if let Some(text) = locked(cx.state, guest) {
                return Err(Refusal::died(text));
            }
            if running && !online {
                return Err(Refusal::died("can't migrate running VM without --online"));
            }
        }
        Kind::Lxc => {}
    }
    let option = if kind.is_container() { "target-storage" } else { "targetstorage" };
    let storages = Storages::read(cx.args.get(option).unwrap_or_default())
        .map_err(|text| Refusal::parameter(option, format!("failed to parse storage map: {text}")))?;
    if !storages.is_identity() && !kind.is_container() {
        cx.need(&format!("/vms/{vmid}"), &["VM.Config.Disk"])?;
    }
    for storage in storages.targets() {
        usable(cx, kind, storage)?;
    }
    let how =
        Move { vmid, node, target, online, restart, local_disks: cx.args.flag("with-local-disks"), storages };
    if cx.state.ha.contains_key(&sid_of(kind, vmid)) {
        return Ok(by_manager(cx, kind, how).into());
    }
    let plan = plan(cx.state, kind, how);
    Ok(cx.spawn(plan).into())
}

fn usable(cx: &Cx<'_>, kind: Kind, storage: &str) -> Result<(), Refusal> {
    cx.need(&format!("/storage/{storage}"), &["Datastore.AllocateSpace"])?;
    let Some(store) = cx.state.storages.get(storage) else {
        return Err(Refusal::died(format!("storage '{storage}' does not exist")));
    };
    let (content, what) =
        if kind.is_container() { ("rootdir", "container directories") } else { ("images", "vm images") };
    if store.is_disabled() {
        return Err(Refusal::died(format!("storage '{storage}' is disabled")));
    }
    if !store.content.contains(content) {
        return Err(Refusal::parameter("storage", format!("storage '{storage}' does not support {what}")));
    }
    Ok(())
}

/// What high availability manages is moved by its manager, in a task after the one that asks for it.
fn by_manager(cx: &mut Cx<'_>, kind: Kind, how: Move) -> Value {
    let (vmid, long) = (how.vmid, cx.state.ms(100));
    let plan = Plan::new("hamigrate", vmid.to_string()).then(long, move |state| {
        let lines =
            vec![format!("Requesting HA migration for {} {vmid} to node {}", kind.word(), how.target)];
        let (of, manager) = (how.node.clone(), Caller { user: "root@pam".to_owned(), token: None });
        // A manager that cannot move a container that runs restarts it there.
        let how = Move { online: !kind.is_container(), restart: kind.is_container(), ..how };
        let plan = plan(state, kind, how);
        state.start(&of, &manager, plan);
        Ok(lines)
    });
    cx.spawn(plan)
}

/// What a task noted that ends it after its log was written.
type Trouble = Arc<Mutex<bool>>;

/// The lines of a step, with why the migration ends here where it does.
fn noted(trouble: &Trouble, outcome: Result<Vec<String>, String>) -> Vec<String> {
    outcome.unwrap_or_else(|text| {
        if let Ok(mut trouble) = trouble.lock() {
            *trouble = true;
        }
        text.lines().map(str::to_owned).collect()
    })
}

/// Ends the task where a step before it noted trouble: the node tells the reason in the log only.
fn checked(plan: Plan, trouble: &Trouble) -> Plan {
    let trouble = trouble.clone();
    plan.then(0, move |_| match trouble.lock() {
        Ok(held) if *held => Err("migration aborted".to_owned()),
        _ => Ok(Vec::new()),
    })
}

fn plan(state: &State, kind: Kind, how: Move) -> Plan {
    let Move { vmid, .. } = how;
    let trouble = Trouble::default();
    let running = state.guests.get(&vmid).is_some_and(|guest| guest.running.is_some());
    let restart = kind.is_container() && running;
    let (first, second, asked, sent) = (how.clone(), how, trouble.clone(), trouble.clone());
    let mut plan = Plan::new(kind.task("vzmigrate", "qmigrate"), vmid.to_string())
        .then(0, move |state| Ok(noted(&asked, prepare(state, kind, &first))));
    plan = checked(plan, &trouble);
    if restart {
        plan = then_down(plan, state.ms(200), vmid, true);
    }
    plan = plan.then(state.ms(300), move |state| Ok(noted(&sent, transfer(state, kind, &second))));
    plan = checked(plan, &trouble);
    if restart {
        plan = then_up(plan, state.ms(150), vmid);
    }
    plan.then(0, |_| Ok(vec!["migration finished successfully (duration 00:00:01)".to_owned()])).or_else(
        move |state| {
            let guest = state.guest_mut(vmid)?;
            if guest.lock.as_deref() == Some("migrate") {
                guest.lock = None;
            }
            Ok(Vec::new())
        },
    )
}

fn aborted(text: &str) -> String {
    format!("ERROR: migration aborted (duration 00:00:00): {text}")
}

/// The first phase: whether it can be done, and the lock.
fn prepare(state: &mut State, kind: Kind, how: &Move) -> Result<Vec<String>, String> {
    let guest = state.guests.get(&how.vmid).filter(|guest| guest.node == how.node);
    let guest = guest.ok_or_else(|| aborted(&format!("{} {} is gone", kind.word(), how.vmid)))?;
    let running = guest.running.is_some();
    if let Some(text) = locked(state, guest) {
        return Err(aborted(&text));
    }
    if kind.is_container() && running {
        if how.online {
            return Err(aborted("lxc live migration is currently not implemented"));
        }
        if !how.restart {
            return Err(aborted("running container can only be migrated in restart mode"));
        }
    }
    let local = local_resources(guest);
    if !local.is_empty() {
        return Err(aborted(&format!("can't migrate VM which uses local devices: {}", local.join(", "))));
    }
    let what = if kind.is_container() { "volume" } else { "disk" };
    let mut lines = vec![format!(
        "starting migration of {} {} to node '{}' ({})",
        kind.word(),
        how.vmid,
        how.target,
        address(state, &how.target)
    )];
    let mut wrong = Vec::new();
    for (key, volume, is_cdrom) in local_disks(state, guest) {
        match obstacle(state, guest, how, &volume, is_cdrom) {
            None if kind.is_container() => {
                lines.push(format!("found local volume '{volume}' (in current VM config)"));
            }
            None => lines.push(format!(
                "found local disk '{volume}' ({})",
                if key.starts_with("unused") { "unused" } else { "attached" }
            )),
            Some(text) => wrong.push(format!("can't migrate local {what} '{volume}': {text}")),
        }
    }
    if kind.is_container()
        && let Some(key) = bound(guest)
    {
        return Err(aborted(&format!("cannot migrate local bind mount point '{key}'")));
    }
    if !wrong.is_empty() {
        lines.extend(wrong);
        lines.push(aborted(&format!("can't migrate {} - check log", kind.word())));
        return Err(lines.join("\n"));
    }
    if kind.is_container() && running {
        lines.push(format!("shutdown CT {}", how.vmid));
    }
    state.guest_mut(how.vmid).map_err(|text| aborted(&text))?.lock = Some("migrate".to_owned());
    Ok(lines)
}

fn address(state: &State, node: &str) -> String {
    let index = state.nodes.iter().position(|known| known == node).unwrap_or_default();
    format!("10.99.0.{}", index + 1)
}

/// Devices of the node that a machine holds.
fn local_resources(guest: &Guest) -> Vec<&str> {
    let holds = |key: &str, value: &str| {
        key.starts_with("hostpci") && !value.contains("mapping=")
            || key.starts_with("usb") && value.contains("host=") && !value.contains("spice")
            || key.starts_with("serial") && value.starts_with("/dev/")
            || key.starts_with("parallel")
            || key == "ivshmem"
    };
    let held = guest.config.iter().filter(|(key, value)| !guest.kind.is_container() && holds(key, value));
    held.map(|(key, _)| key.as_str()).collect()
}

/// A folder or device of the node that a container mounts, and that the other node is not said to have.
fn bound(guest: &Guest) -> Option<&String> {
    let local = |(key, value): &(&String, &String)| {
        key.starts_with("mp") && value.starts_with('/') && !value.contains("shared=1")
    };
    guest.config.iter().find(local).map(|(key, _)| key)
}

/// Disks on storages of one node, with their volume and whether they are images in a drive.
fn local_disks(state: &State, guest: &Guest) -> Vec<(String, String, bool)> {
    let shared = |volume: &str| {
        let storage = volume.split(':').next().and_then(|name| state.storages.get(name));
        storage.is_some_and(crate::storage::Storage::is_shared)
    };
    let drives = guest.config.iter().filter(|(_, value)| value.contains(":iso/"));
    let drives = drives.filter_map(|(key, value)| Some((key.clone(), crate::guest::volume_of(value)?, true)));
    let disks = guest.disks().into_iter().map(|(key, volume)| (key, volume, false));
    disks.chain(drives).filter(|(_, volume, _)| !shared(volume)).collect()
}

fn obstacle(state: &State, guest: &Guest, how: &Move, volume: &str, is_cdrom: bool) -> Option<String> {
    if is_cdrom {
        return Some("local cdrom image".to_owned());
    }
    let container = guest.kind.is_container();
    let (name, _) = volume.split_once(':').unwrap_or_default();
    let kind = state.storages.get(name).map(|storage| storage.kind.as_str()).unwrap_or_default();
    let found = state.volume(volume);
    if found.is_none() {
        return Some(format!("volume '{volume}' does not exist"));
    }
    let files = !container && found.is_some_and(|volume| volume.format == "qcow2");
    let kept =
        guest.snapshots.values().any(|snapshot| snapshot.config.values().any(|value| value.contains(volume)));
    if kept && !matches!(kind, "zfspool" | "btrfs") && !files {
        return Some("non-migratable snapshot exists".to_owned());
    }
    let live = !container && guest.running.is_some() && !volume.contains("-cloudinit");
    if live && kept {
        return Some("online storage migration not possible if snapshot exists".to_owned());
    }
    if live && !how.local_disks {
        return Some("can't live migrate attached local disks without with-local-disks option".to_owned());
    }
    let target = how.storages.of(name);
    let content = if container { "rootdir" } else { "images" };
    let fits = state.storages.get(target).is_some_and(|storage| storage.content.contains(content));
    (!fits).then(|| format!("content type '{content}' is not available on storage '{target}'"))
}

/// The second phase: disks and configuration go to the other node.
fn transfer(state: &mut State, kind: Kind, how: &Move) -> Result<Vec<String>, String> {
    let wrong = |text: String| aborted(&text);
    let guest = state.guest_mut(how.vmid).map_err(wrong)?.clone();
    let live = !kind.is_container() && guest.running.is_some();
    let mut lines = Vec::new();
    let mut renamed: Vec<(String, String)> = Vec::new();
    for (_, volume, _) in local_disks(state, &guest) {
        let (storage, _) = volume.split_once(':').unwrap_or_default();
        let target = how.storages.of(storage).to_owned();
        if state.faults.storage_full(&target) {
            free(state, &renamed);
            return Err(aborted(&format!(
                "storage migration for '{volume}' to storage '{target}' failed - no space left"
            )));
        }
        if target != storage {
            let bytes = state.volume(&volume).map_or(0, |volume| volume.size);
            match state.allocate(&target, how.vmid, kind.is_container(), bytes) {
                Ok(to) => renamed.push((volume.clone(), to)),
                Err(text) => {
                    free(state, &renamed);
                    return Err(aborted(&format!(
                        "storage migration for '{volume}' to storage '{target}' failed - {text}"
                    )));
                }
            }
        }
        let to = renamed.last().filter(|(from, _)| *from == volume).map_or(&volume, |(_, to)| to);
        lines.push(format!("volume '{volume}' is '{to}' on the target"));
    }
    for (old, to) in &renamed {
        state.backend.rename_volume(old, to).map_err(|text| aborted(&text))?;
        state.free(old);
    }
    let guest = state.guest_mut(how.vmid).map_err(wrong)?;
    for value in guest.config.values_mut() {
        let of = crate::guest::volume_of(value);
        if let Some((_, to)) = renamed.iter().find(|(old, _)| of.as_deref() == Some(old)) {
            *value = with_volume(value, to);
        }
    }
    guest.node.clone_from(&how.target);
    guest.lock = None;
    turn_replication(state, how);
    if live {
        lines.push(format!("starting VM {} on remote node '{}'", how.vmid, how.target));
        lines.push("starting online/live migration".to_owned());
        lines.push("migration completed".to_owned());
    } else {
        lines.push("start final cleanup".to_owned());
        if kind.is_container() && how.restart {
            lines.push("start container on target node".to_owned());
        }
    }
    Ok(lines)
}

fn free(state: &mut State, made: &[(String, String)]) {
    for (_, volume) in made {
        state.free(volume);
    }
}

/// A job that copied the guest to where it is now copies it back from there.
fn turn_replication(state: &mut State, how: &Move) {
    for job in state.replication.values_mut() {
        if job.get("guest") == Some(&json!(how.vmid)) && job.get("target") == Some(&json!(how.target)) {
            job.insert("target".to_owned(), json!(how.node));
        }
    }
}

/// What stands in the way of a migration, before it is asked for.
pub(super) fn outlook(cx: &mut Cx<'_>, kind: Kind) -> Answer {
    let node = cx.node();
    let guest = cx.guest(kind)?;
    let others: Vec<&String> = cx.state.nodes.iter().filter(|known| **known != node).collect();
    let running = guest.running.is_some();
    if kind.is_container() {
        let out = json!({ "running": running, "allowed-nodes": others, "not-allowed-nodes": {} });
        return Ok(out.into());
    }
    let disks = local_disks(cx.state, guest).into_iter().map(|(key, volume, is_cdrom)| {
        let size = cx.state.volume(&volume).map_or(0, |volume| volume.size);
        json!({ "volid": volume, "size": size, "cdrom": u8::from(is_cdrom), "is_unused": u8::from(key.starts_with("unused")) })
    });
    let mut out = Map::from_iter([
        ("running".to_owned(), json!(u8::from(running))),
        ("local_disks".to_owned(), Value::Array(disks.collect())),
        ("local_resources".to_owned(), json!(local_resources(guest))),
        ("mapped-resources".to_owned(), json!([])),
        ("mapped-resource-info".to_owned(), json!({})),
    ]);
    if cx.state.release == Release::V9 {
        out.insert("has-dbus-vmstate".to_owned(), json!(0));
    }
    if !running {
        out.insert("allowed_nodes".to_owned(), json!(others));
        out.insert("not_allowed_nodes".to_owned(), json!({}));
    }
    Ok(Value::Object(out).into())
}

#[cfg(test)]
mod tests {
    use super::Storages;

    #[test]
    fn storages_are_mapped_one_by_one_or_all_at_once() {
        let map = Storages::read("local-lvm:fast,slow").unwrap();
        assert_eq!((map.of("local-lvm"), map.of("other")), ("fast", "slow"));
        assert_eq!(Storages::read("1").unwrap().of("local"), "local");
        assert!(Storages::read("1,fast").is_err());
        assert!(Storages::read("a:b,a:c").is_err());
    }
}
