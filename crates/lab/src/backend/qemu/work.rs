//! What is done for each operation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use plimsoll_pve::property::{PropertyString, Size};
use serde_json::{Value, json};

use super::config::{self, Medium, Surroundings};
use super::disks::{self, Info};
use super::monitor::Monitor;
use super::power;
use super::vms::Vms;
use crate::backend::files::Files;
use crate::backend::lxc::disks::packing;
use crate::backend::lxc::machine::Machine;
use crate::backend::{GuestAgent as _, GuestSpec, NewGuest, Operation};
use crate::guest::volume_of;
use crate::host::{HostError, Tool, file};

/// Where it is done.
pub(super) struct World<'a> {
    pub(super) vms: &'a Vms,
    pub(super) machine: &'a Machine,
    pub(super) files: &'a Files,
}

type Lines = Result<Vec<String>, HostError>;

pub(super) fn perform(world: &World<'_>, operation: Operation) -> Lines {
    match operation {
        Operation::Create(guest) => create(world, &guest),
        Operation::Start(spec) => start(world, &spec, None),
        Operation::Resume { spec, name } => start(world, &spec, Some(&name)),
        Operation::Stop { vmid, ask } => stop(world, vmid, ask),
        Operation::Reset { vmid } => match monitor(world, vmid) {
            Some(monitor) => monitor.run("system_reset", json!({})).map(|_| Vec::new()),
            None => Err(HostError::Other(format!("VM {vmid} not running"))),
        },
        Operation::Snapshot { vmid, name, memory } => snapshot(world, vmid, &name, memory),
        Operation::Rollback { vmid, name } => rollback(world, vmid, &name),
        Operation::Forget { vmid, name } => forget(world, vmid, &name),
        Operation::Grow { spec, disk, bytes } => grow(world, &spec, &disk, bytes),
        Operation::Copy { from, snapshot, to } => copy(world, &from, snapshot.as_deref(), &to),
        Operation::Dump { spec, volume } => dump(world, &spec, volume),
        Operation::Move { spec, disk, volume } => relocate(world, &spec, &disk, &volume),
        Operation::Destroy { vmid } => destroy(world, vmid),
    }
}

fn list(text: &str) -> PropertyString {
    text.parse().unwrap_or_default()
}

fn monitor(world: &World<'_>, vmid: u32) -> Option<Monitor> {
    world.vms.running().get(&vmid).map(|running| running.monitor.clone())
}

/// Its disks: option, volume, bytes.
fn sized(spec: &GuestSpec) -> Vec<(String, String, u64)> {
    let bytes = |key: &str| {
        let size = list(spec.config.get(key)?).get("size")?.parse::<Size>().ok()?;
        Some(size.0)
    };
    let disks = config::disks(spec).into_iter();
    disks.map(|(key, volume)| (key.clone(), volume, bytes(&key).unwrap_or(1 << 30))).collect()
}

fn create(world: &World<'_>, guest: &NewGuest) -> Lines {
    let spec = &guest.spec;
    if let Some(text) = config::refusal(spec, &world.machine.network) {
        return Err(HostError::Other(text));
    }
    let disks = world.vms.disks(spec.vmid);
    disks.make()?;
    if !guest.source.is_empty() {
        return restore(world, guest);
    }
    for (key, volume, bytes) in sized(spec) {
        match guest.imports.get(&key) {
            Some(image) => disks.import(&volume, &world.files.need(image)?)?,
            None => disks.create(&volume, bytes)?,
        }
    }
    Ok(Vec::new())
}

fn restore(world: &World<'_>, guest: &NewGuest) -> Lines {
    let disks = world.vms.disks(guest.spec.vmid);
    let from = world.files.need(&guest.source)?;
    let folder = world.vms.home(guest.spec.vmid).join("restore");
    std::fs::create_dir_all(&folder).map_err(file(&folder))?;
    Tool::new("tar").args(packing(&from)).arg("-xf").arg(&from).arg("-C").arg(&folder).run()?;
    for (key, volume, bytes) in sized(&guest.spec) {
        let (held, to) = (folder.join(format!("{key}.qcow2")), disks.file(&volume));
        if held.exists() {
            std::fs::rename(&held, &to).map_err(file(&held))?;
        } else {
            // A disk with `backup=0`, or one that the restore adds.
            disks.create(&volume, bytes)?;
        }
    }
    std::fs::remove_dir_all(&folder).map_err(file(&folder))?;
    Ok(Vec::new())
}

/// What its drives hold now.
fn media(world: &World<'_>, spec: &GuestSpec) -> Result<BTreeMap<String, Medium>, HostError> {
    let disks = world.vms.disks(spec.vmid);
    let mut media = BTreeMap::new();
    for (key, value) in config::drives(spec) {
        let volume = volume_of(value).unwrap_or_default();
        let medium = match volume.as_str() {
            "none" | "cdrom" | "" => Medium::Empty,
            _ if volume.contains("-cloudinit") => Medium::Cdrom(told(world, spec, key)?),
            _ if config::is_cdrom(value) => Medium::Cdrom(world.files.need(&volume)?),
            _ => Medium::Disk(disks.file(&volume)),
        };
        media.insert(key.clone(), medium);
    }
    Ok(media)
}

/// Writes the drive by which the node tells a machine what it is, anew before each start.
#[expect(clippy::disallowed_methods, reason = "a drive of a guest is made here, not read for an evaluation")]
fn told(world: &World<'_>, spec: &GuestSpec, key: &str) -> Result<PathBuf, HostError> {
    let path = world.vms.home(spec.vmid).join(format!("{key}-cloudinit.iso"));
    let usual = format!("VM{}", spec.vmid);
    let name = spec.config.get("name").unwrap_or(&usual);
    std::fs::write(&path, crate::cloudinit::image(&spec.config, name)).map_err(file(&path))?;
    Ok(path)
}

fn start(world: &World<'_>, spec: &GuestSpec, resume: Option<&str>) -> Lines {
    let vmid = spec.vmid;
    if world.vms.running().contains_key(&vmid) {
        return Err(HostError::Other(format!("VM {vmid} already running")));
    }
    if let Some(text) = config::refusal(spec, &world.machine.network) {
        return Err(HostError::Other(text));
    }
    let (home, disks) = (world.vms.home(vmid), world.vms.disks(vmid));
    disks.make()?;
    for (_, volume, bytes) in sized(spec).into_iter().filter(|(_, volume, _)| !disks.file(volume).exists()) {
        // One that was added since.
        disks.create(&volume, bytes)?;
    }
    let (name, media) = (world.vms.name(vmid), media(world, spec)?);
    let around = Surroundings { name: &name, home: &home, media: &media, old: world.vms.old, resume };
    let arguments = config::arguments(spec, &around).map_err(HostError::Other)?;
    let (cards, has_agent) = (config::cards(spec), config::has_agent(spec));
    let running = power::start(world.machine, &home, vmid, &cards, arguments, has_agent)?;
    let agent = running.agent.clone();
    world.vms.running().insert(vmid, running);
    if resume.is_some() && has_agent && agent.wait(Duration::from_secs(60)) {
        // Its clock shows the time at which its memory was kept. An agent that cannot set it says so to nobody.
        let _ = agent.ask("guest-set-time", json!({ "time": now() }));
    }
    Ok(vec![format!("virtual machine by {}, emulated in software", super::NAME)])
}

/// Nanoseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a machine's clock shows the time of day")]
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or_default())
}

fn stop(world: &World<'_>, vmid: u32, ask: bool) -> Lines {
    let running = world.vms.running().remove(&vmid);
    let Some(mut running) = running else { return Ok(Vec::new()) };
    let stopped = running.stop(ask);
    if stopped.is_err() {
        world.vms.running().insert(vmid, running);
    }
    stopped.map(|()| Vec::new())
}

/// Drives of a running machine whose disks are its own: the drive and its file.
fn attached(monitor: &Monitor) -> Result<Vec<(String, PathBuf)>, HostError> {
    let said = monitor.run("query-block", json!({}))?;
    let drives = said.as_array().into_iter().flatten().filter_map(|drive| {
        let inserted = drive.get("inserted")?;
        let writable = inserted.get("ro")? == &Value::Bool(false);
        let name = drive.get("device")?.as_str()?.to_owned();
        let file = PathBuf::from(inserted.pointer("/image/filename")?.as_str()?);
        writable.then_some((name, file))
    });
    Ok(drives.collect())
}

/// Does something while the machine's file systems stand still, where its agent can hold them.
fn frozen<T>(
    world: &World<'_>,
    vmid: u32,
    act: impl FnOnce() -> Result<T, HostError>,
) -> Result<(T, Vec<String>), HostError> {
    let agent = world.vms.running().get(&vmid).filter(|one| one.has_agent).map(|one| one.agent.clone());
    let Some(agent) = agent.filter(|agent| agent.answers(Duration::from_secs(10))) else {
        return Ok((
            act()?,
            vec!["INFO: no guest agent answers: its file systems were not frozen".to_owned()],
        ));
    };
    let held = agent.ask("guest-fsfreeze-freeze", json!({}));
    let done = act();
    // Also where it failed: half of them may be held.
    let thawed = agent.ask("guest-fsfreeze-thaw", json!({}));
    let mut lines = Vec::new();
    for (what, said) in [("freeze", held), ("thaw", thawed)] {
        lines.push(match said {
            Ok(count) => format!("INFO: fs-{what}: {count} file systems"),
            Err(text) => format!("INFO: fs-{what} failed: {text}"),
        });
    }
    Ok((done?, lines))
}

fn snapshot(world: &World<'_>, vmid: u32, name: &str, memory: bool) -> Lines {
    let Some(monitor) = monitor(world, vmid) else {
        let all = world.vms.disks(vmid).all();
        for (count, disk) in all.iter().enumerate() {
            disks::keep(disk, name).inspect_err(|_| {
                // Half a snapshot is none.
                for done in all.iter().take(count) {
                    let _ = disks::forget(done, name);
                }
            })?;
        }
        return Ok(Vec::new());
    };
    if memory {
        monitor.line(&format!("savevm {name}"))?;
        return Ok(vec!["saved the machine's memory with its disks".to_owned()]);
    }
    let ((), lines) = frozen(world, vmid, || {
        let actions: Vec<Value> = attached(&monitor)?
            .into_iter()
            .map(|(device, _)| {
                json!({ "type": "blockdev-snapshot-internal-sync", "data": { "device": device, "name": name } })
            })
            .collect();
        monitor.run("transaction", json!({ "actions": actions })).map(drop)
    })?;
    Ok(lines)
}

fn rollback(world: &World<'_>, vmid: u32, name: &str) -> Lines {
    stop(world, vmid, false)?;
    let mut found = false;
    for disk in world.vms.disks(vmid).all() {
        if Info::of_own(&disk)?.keeps(name) {
            disks::back(&disk, name)?;
            found = true;
        }
    }
    if found { Ok(Vec::new()) } else { Err(HostError::Other(format!("no disk has a snapshot '{name}'"))) }
}

fn forget(world: &World<'_>, vmid: u32, name: &str) -> Lines {
    let monitor = monitor(world, vmid);
    let used = monitor.as_ref().map_or(Ok(Vec::new()), attached)?;
    for disk in world.vms.disks(vmid).all() {
        if !Info::of_own(&disk)?.keeps(name) {
            continue;
        }
        match (&monitor, used.iter().find(|(_, file)| *file == disk)) {
            (Some(monitor), Some((device, _))) => {
                let which = json!({ "device": device, "name": name });
                monitor.run("blockdev-snapshot-delete-internal-sync", which)?;
            }
            _ => disks::forget(&disk, name)?,
        }
    }
    Ok(Vec::new())
}

fn grow(world: &World<'_>, spec: &GuestSpec, disk: &str, bytes: u64) -> Lines {
    match monitor(world, spec.vmid) {
        Some(monitor) => {
            let which = json!({ "device": format!("drive-{disk}"), "size": bytes });
            monitor.run("block_resize", which)?;
        }
        None => {
            let volume = spec.config.get(disk).and_then(|value| volume_of(value)).unwrap_or_default();
            world.vms.disks(spec.vmid).grow(&volume, bytes)?;
        }
    }
    Ok(Vec::new())
}

/// Writes whole copies of disks into a folder, named by their options. A machine that runs goes on.
fn copies(
    world: &World<'_>,
    spec: &GuestSpec,
    keys: &[(String, String)],
    snapshot: Option<&str>,
    folder: &Path,
) -> Lines {
    let disks = world.vms.disks(spec.vmid);
    let to = |key: &str| folder.join(format!("{key}.qcow2"));
    let monitor = monitor(world, spec.vmid).filter(|_| snapshot.is_none());
    let Some(monitor) = monitor else {
        for (key, volume) in keys {
            disks::copy(&disks.file(volume), snapshot, &to(key))?;
        }
        return Ok(Vec::new());
    };
    let actions: Vec<Value> = keys
        .iter()
        .map(|(key, _)| {
            let data = json!({ "job-id": format!("copy-{key}"), "device": format!("drive-{key}"), "sync": "full",
                "format": "qcow2", "target": to(key), "auto-dismiss": false });
            json!({ "type": "drive-backup", "data": data })
        })
        .collect();
    let ((), lines) =
        frozen(world, spec.vmid, || monitor.run("transaction", json!({ "actions": actions })).map(drop))?;
    for (key, _) in keys {
        finished(&monitor, &format!("copy-{key}"))?;
    }
    Ok(lines)
}

/// Waits for a copy. Its end is kept until it is asked for.
fn finished(monitor: &Monitor, job: &str) -> Result<(), HostError> {
    let begin = Instant::now();
    loop {
        let said = monitor.run("query-jobs", json!({}))?;
        let of = |one: &&Value| one.get("id").and_then(Value::as_str) == Some(job);
        let found = said.as_array().and_then(|jobs| jobs.iter().find(of));
        let Some(found) = found else {
            return Err(HostError::Other(format!("`{job}` has got lost")));
        };
        if found.get("status").and_then(Value::as_str) == Some("concluded") {
            let error = found.get("error").and_then(Value::as_str).map(str::to_owned);
            monitor.run("job-dismiss", json!({ "id": job }))?;
            return error.map_or(Ok(()), |text| Err(HostError::Other(text)));
        }
        if begin.elapsed() > Duration::from_secs(1800) {
            let _ = monitor.run("job-cancel", json!({ "id": job }));
            return Err(HostError::Other(format!("`{job}` takes more than half an hour")));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn copy(world: &World<'_>, from: &GuestSpec, snapshot: Option<&str>, to: &GuestSpec) -> Lines {
    let (source, target) = (config::disks(from), config::disks(to));
    let disks = world.vms.disks(to.vmid);
    disks.make()?;
    let folder = world.vms.home(to.vmid).join("copy");
    std::fs::create_dir_all(&folder).map_err(file(&folder))?;
    let wanted: Vec<(String, String)> =
        source.into_iter().filter(|(key, _)| target.iter().any(|(other, _)| other == key)).collect();
    let lines = copies(world, from, &wanted, snapshot, &folder)?;
    for (key, volume) in target {
        let (made, own) = (folder.join(format!("{key}.qcow2")), disks.file(&volume));
        std::fs::rename(&made, &own).map_err(file(&made))?;
    }
    std::fs::remove_dir_all(&folder).map_err(file(&folder))?;
    Ok(lines)
}

fn dump(world: &World<'_>, spec: &GuestSpec, volume: String) -> Lines {
    let out = |key: &str| spec.config.get(key).is_some_and(|value| list(value).get("backup") == Some("0"));
    let wanted: Vec<(String, String)> =
        config::disks(spec).into_iter().filter(|(key, _)| !out(key)).collect();
    let folder = world.vms.home(spec.vmid).join("dump");
    // What a dump that was cut short left is in the way.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(file(&folder))?;
    let to = world.files.place(&volume);
    let made = copies(world, spec, &wanted, None, &folder).and_then(|lines| {
        let part = to.with_extension("part");
        let names = wanted.iter().map(|(key, _)| format!("{key}.qcow2"));
        let packed = Tool::new("tar")
            .args(packing(&to))
            .args(["--sparse", "-cf"])
            .arg(&part)
            .arg("-C")
            .arg(&folder)
            .args(names)
            .run();
        packed.inspect_err(|_| {
            // Half a backup is none.
            let _ = std::fs::remove_file(&part);
        })?;
        std::fs::rename(&part, &to).map_err(file(&to))?;
        Ok(lines)
    });
    let _ = std::fs::remove_dir_all(&folder);
    let mut lines = made?;
    let bytes = to.metadata().map_or(0, |found| found.len());
    world.files.put(volume, to);
    lines.push(format!("INFO: archive file size: {}MB", bytes >> 20));
    Ok(lines)
}

fn relocate(world: &World<'_>, spec: &GuestSpec, disk: &str, volume: &str) -> Lines {
    if monitor(world, spec.vmid).is_some() {
        return Err(HostError::Other("the lab moves no disk of a virtual machine that runs".to_owned()));
    }
    let old = spec.config.get(disk).and_then(|value| volume_of(value)).unwrap_or_default();
    let disks = world.vms.disks(spec.vmid);
    disks::copy(&disks.file(&old), None, &disks.file(volume))?;
    Ok(Vec::new())
}

fn destroy(world: &World<'_>, vmid: u32) -> Lines {
    stop(world, vmid, false)?;
    let home = world.vms.home(vmid);
    if home.exists() {
        std::fs::remove_dir_all(&home).map_err(file(&home))?;
    }
    Ok(Vec::new())
}
