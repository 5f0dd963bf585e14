//! What is done for each operation.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::config::{self, Surroundings};
use super::guests::World;
use super::power;
use super::usage::settle;
use crate::backend::lxc::config::{cards, mounts};
use crate::backend::{GuestSpec, NewGuest, Operation};
use crate::host::{HostError, file};

type Lines = Result<Vec<String>, HostError>;

pub(super) fn perform(world: &World, operation: Operation) -> Lines {
    let tools = |vmid, words: &[&str]| world.machine.tools(vmid, words).run().map(|_| Vec::new());
    match operation {
        Operation::Create(guest) => create(world, &guest),
        Operation::Start(spec) | Operation::Resume { spec, .. } => start(world, &spec),
        Operation::Stop { vmid, ask } => stop(world, vmid, ask),
        Operation::Snapshot { vmid, name, .. } => still(world, vmid, || tools(vmid, &["keep", &name])),
        Operation::Rollback { vmid, name } => {
            stop(world, vmid, false)?;
            tools(vmid, &["back", &name])
        }
        Operation::Forget { vmid, name } => tools(vmid, &["forget", &name]),
        Operation::Copy { from, snapshot, to } => copy(world, from.vmid, snapshot, &to),
        Operation::Dump { spec, volume } => dump(world, &spec, volume),
        // The size of a disk is kept and not enforced; only virtual machines are reset.
        Operation::Grow { .. } | Operation::Reset { .. } => Ok(Vec::new()),
        Operation::Move { spec, disk, volume } => {
            world.shared().moved.insert(volume.clone(), spec.vmid);
            tools(spec.vmid, &["move", &disk, &volume])
        }
        Operation::Destroy { vmid } => destroy(world, vmid),
    }
}

/// Disks with their volumes, as the tools want them.
fn volumes(spec: &GuestSpec) -> Vec<String> {
    crate::guest::disks(&spec.config).into_iter().map(|(key, volume)| format!("{key}={volume}")).collect()
}

fn with<'a>(words: &[&'a str], volumes: &'a [String]) -> Vec<&'a str> {
    words.iter().copied().chain(volumes.iter().map(String::as_str)).collect()
}

/// The ending of an archive's name, which says how it is packed.
fn ending(archive: &Path) -> String {
    archive.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default()
}

fn archive(world: &World, volume: &str) -> Result<PathBuf, HostError> {
    let found = world.shared().files.get(volume).cloned();
    found.ok_or_else(|| HostError::Other(format!("volume '{volume}' has no content in this lab")))
}

fn create(world: &World, guest: &NewGuest) -> Lines {
    let (spec, vmid) = (&guest.spec, guest.spec.vmid);
    if let Some(text) = config::refusal(spec, &world.machine.network) {
        return Err(HostError::Other(text));
    }
    let from = archive(world, &guest.source)?;
    power::volume(&world.machine.name(vmid), &world.machine.labels)?;
    let (volumes, packed) = (volumes(spec), ending(&from));
    let opened = File::open(&from).map_err(file(&from))?;
    let mut lines = Vec::new();
    if spec.config.get("unprivileged").is_some_and(|flag| flag == "1") {
        // No warning: a task that ends with one is not `OK`, and every guest of a rehearsal would.
        let text = "INFO: root of this guest is root of the engine's machine: Docker shifts no users";
        lines.push(text.to_owned());
    }
    if guest.source.contains(":backup/") {
        world.machine.tools(vmid, &with(&["backup", &packed], &volumes)).from(opened).run()?;
        return Ok(lines);
    }
    world.machine.tools(vmid, &with(&["template", &packed], &volumes)).from(opened).run()?;
    let name = spec.config.get("hostname").map_or("localhost", String::as_str);
    let comment = format!("root@{}", name.split('.').next().unwrap_or(name));
    let password = guest.password.as_ref().map_or("", |password| password.expose());
    if password.contains('\n') {
        return Err(HostError::Other("password: a line break".to_owned()));
    }
    let input = format!("{password}\n{}", guest.keys.trim());
    let said = world.machine.tools(vmid, &["first", &comment]).input(input).run()?;
    lines.extend(said.lines().map(str::to_owned));
    Ok(lines)
}

fn start(world: &World, spec: &GuestSpec) -> Lines {
    let vmid = spec.vmid;
    if world.shared().running.contains_key(&vmid) {
        return Err(HostError::Other(format!("CT {vmid} already running")));
    }
    let machine = &world.machine;
    let asking = cards(spec).into_iter().filter(|(_, card)| card.get("ip") == Some("dhcp"));
    let leases = {
        let mut shared = world.shared();
        for (card, _) in asking {
            shared.leases.give(vmid, card).map_err(HostError::Other)?;
        }
        shared.leases.of(vmid, &machine.network)
    };
    let name = machine.name(vmid);
    let around = Surroundings {
        name: &name,
        network: &machine.network,
        label: &machine.label,
        leases: &leases,
        published: machine.published,
        processors: machine.processors,
        capabilities: &machine.capabilities,
        labels: &machine.labels,
        image: &machine.image,
    };
    let words = config::words(spec, &around).map_err(HostError::Other)?;
    let get = |key: &str| spec.config.get(key).map(String::as_str);
    // A guest without servers of its own has those of the node.
    let servers = get("nameserver").or(machine.network.nameserver.as_deref()).unwrap_or_default();
    let servers = servers.replace([',', ';'], " ");
    let volumes = volumes(spec);
    let hostname = get("hostname").unwrap_or("CT");
    let domain = get("searchdomain").unwrap_or_default();
    machine.tools(vmid, &with(&["prepare", hostname, domain, &servers], &volumes)).run()?;
    let is_published = words.iter().any(|word| word == "--publish");
    let running = power::start(&name, words)?;
    world.shared().running.insert(vmid, running);
    if !is_published {
        return Ok(Vec::new());
    }
    let at = power::published(&name)?;
    world.shared().published.insert(vmid, at.clone());
    Ok(vec![format!("INFO: the SSH server of CT {vmid} is published at {at}")])
}

fn stop(world: &World, vmid: u32, ask: bool) -> Lines {
    let running = world.shared().running.remove(&vmid);
    let Some(mut running) = running else { return Ok(Vec::new()) };
    let stopped = power::stop(&world.machine.name(vmid), &mut running, ask);
    let mut shared = world.shared();
    if stopped.is_err() {
        shared.running.insert(vmid, running);
    } else {
        shared.meters.remove(&vmid);
        shared.published.remove(&vmid);
    }
    stopped.map(|()| Vec::new())
}

fn still<T>(world: &World, vmid: u32, act: impl FnOnce() -> Result<T, HostError>) -> Result<T, HostError> {
    let running = world.shared().running.contains_key(&vmid);
    power::still(&world.machine.name(vmid), running, act)
}

fn copy(world: &World, from: u32, snapshot: Option<String>, to: &GuestSpec) -> Lines {
    let folder = snapshot.map_or_else(|| "disks".to_owned(), |name| format!("snapshots/{name}"));
    power::volume(&world.machine.name(to.vmid), &world.machine.labels)?;
    let volumes = volumes(to);
    world.machine.tools_from(from, to.vmid, &with(&["copy", &folder], &volumes)).run()?;
    Ok(Vec::new())
}

fn dump(world: &World, spec: &GuestSpec, volume: String) -> Lines {
    let to = world.content(&volume);
    let part = to.with_extension("part");
    let packed = ending(&to);
    // Only what says so is in a backup, as on the node.
    let wanted = |key: &str| spec.config.get(key).is_some_and(|value| value.contains("backup=1"));
    let keys: Vec<String> = mounts(spec).into_iter().map(|(key, _)| key).filter(|key| wanted(key)).collect();
    let opened = File::create(&part).map_err(file(&part))?;
    let words = with(&["pack", &packed, "rootfs"], &keys);
    still(world, spec.vmid, || world.machine.tools(spec.vmid, &words).to(opened).run()).inspect_err(
        |_| {
            // Half a backup is none.
            let _ = std::fs::remove_file(&part);
        },
    )?;
    std::fs::rename(&part, &to).map_err(file(&to))?;
    let bytes = to.metadata().map_or(0, |found| found.len());
    world.shared().files.insert(volume, to);
    Ok(vec![format!("INFO: archive file size: {}MB", bytes >> 20)])
}

fn destroy(world: &World, vmid: u32) -> Lines {
    stop(world, vmid, false)?;
    {
        let mut shared = world.shared();
        shared.leases.take(vmid);
        shared.moved.retain(|_, of| *of != vmid);
    }
    settle(world, vmid);
    power::destroy(&world.machine.name(vmid))?;
    Ok(Vec::new())
}
