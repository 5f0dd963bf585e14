//! What is done for each operation.

use super::config::{self, Surroundings};
use super::disks::{Disks, copy};
use super::guests::World;
use super::{leftovers, power, seed};
use crate::backend::{GuestSpec, NewGuest, Operation};
use crate::host::{HostError, file};

type Lines = Result<Vec<String>, HostError>;

pub(super) fn perform(world: &World, operation: Operation) -> Lines {
    match operation {
        Operation::Create(guest) => create(world, &guest),
        Operation::Start(spec) | Operation::Resume { spec, .. } => start(world, &spec),
        Operation::Stop { vmid, ask } => stop(world, vmid, ask),
        Operation::Snapshot { vmid, name, .. } => {
            let disks = disks(world, vmid);
            let kept = disks.kept(&name);
            still(world, vmid, || copy(&disks.current(), &kept)).inspect_err(|_| {
                // Half a snapshot is none.
                let _ = std::fs::remove_dir_all(&kept);
            })?;
            Ok(Vec::new())
        }
        Operation::Rollback { vmid, name } => rollback(world, vmid, &name),
        Operation::Forget { vmid, name } => {
            let kept = disks(world, vmid).kept(&name);
            std::fs::remove_dir_all(&kept).map_err(file(&kept))?;
            Ok(Vec::new())
        }
        Operation::Copy { from, snapshot, to } => {
            let source = disks(world, from.vmid);
            let source = snapshot.map_or_else(|| source.current(), |name| source.kept(&name));
            let copied = disks(world, to.vmid);
            copied.make(&to)?;
            let current = copied.current();
            std::fs::remove_dir_all(&current).map_err(file(&current))?;
            copy(&source, &current)?;
            copied.label(&to)?;
            Ok(Vec::new())
        }
        Operation::Dump { spec, volume } => dump(world, &spec, volume),
        // The size of a disk is kept and not enforced; only virtual machines are reset.
        Operation::Grow { .. } | Operation::Reset { .. } => Ok(Vec::new()),
        Operation::Move { spec, disk, volume } => {
            disks(world, spec.vmid).copy_disk(&disk, &volume)?;
            Ok(Vec::new())
        }
        Operation::Destroy { vmid } => destroy(world, vmid),
    }
}

fn disks(world: &World, vmid: u32) -> Disks {
    Disks { home: world.guests().join(world.name(vmid)) }
}

fn create(world: &World, guest: &NewGuest) -> Lines {
    let spec = &guest.spec;
    if let Some(text) = config::refusal(spec, &world.machine.network) {
        return Err(HostError::Other(text));
    }
    let disks = disks(world, spec.vmid);
    let from = world.files.need(&guest.source)?;
    disks.make(spec)?;
    if guest.source.contains(":backup/") {
        disks.unpack_backup(&world.machine, spec, &from)?;
        return Ok(Vec::new());
    }
    disks.unpack_template(&world.machine, spec, &from)?;
    seed::first(&world.machine, &disks.current().join("rootfs"), guest)
}

fn start(world: &World, spec: &GuestSpec) -> Lines {
    let vmid = spec.vmid;
    if world.shared().running.contains_key(&vmid) {
        return Err(HostError::Other(format!("CT {vmid} already running")));
    }
    let disks = disks(world, vmid);
    let asking = config::cards(spec).into_iter().filter(|(_, card)| card.get("ip") == Some("dhcp"));
    let leases = {
        let mut shared = world.shared();
        for (card, _) in asking {
            shared.leases.give(vmid, card).map_err(HostError::Other)?;
        }
        shared.leases.of(vmid, &world.machine.network)
    };
    let name = world.name(vmid);
    let around = Surroundings {
        name: &name,
        disks: &disks.current(),
        network: &world.machine.network,
        leases: &leases,
        groups_v1: leftovers::has_old_groups(),
        apparmor: leftovers::has_apparmor(),
        processors: std::thread::available_parallelism()
            .map_or(1, |count| u32::try_from(count.get()).unwrap_or(1)),
    };
    let text = config::text(spec, &around).map_err(HostError::Other)?;
    leftovers::write(&disks.home.join("config"), &text)?;
    disks.adopt_moved(spec)?;
    disks.prepare_mounts(spec)?;
    seed::each_start(&disks.current().join("rootfs"), spec, world.machine.network.nameserver.as_deref())?;
    let running = power::start(&world.machine, &world.guests(), &name)?;
    world.shared().running.insert(vmid, running);
    Ok(Vec::new())
}

fn stop(world: &World, vmid: u32, ask: bool) -> Lines {
    let running = world.shared().running.remove(&vmid);
    let Some(mut running) = running else { return Ok(Vec::new()) };
    let stopped = power::stop(&world.machine, &world.guests(), &world.name(vmid), &mut running, ask);
    if stopped.is_err() {
        world.shared().running.insert(vmid, running);
    }
    stopped.map(|()| Vec::new())
}

fn still<T>(world: &World, vmid: u32, act: impl FnOnce() -> Result<T, HostError>) -> Result<T, HostError> {
    let running = world.shared().running.contains_key(&vmid);
    power::still(&world.machine, &world.guests(), &world.name(vmid), running, act)
}

fn rollback(world: &World, vmid: u32, name: &str) -> Lines {
    stop(world, vmid, false)?;
    let disks = disks(world, vmid);
    let (current, kept) = (disks.current(), disks.kept(name));
    let back = disks.home.join("rollback");
    // A copy that was cut short by an earlier failure is in the way.
    let _ = std::fs::remove_dir_all(&back);
    copy(&kept, &back)?;
    std::fs::remove_dir_all(&current).map_err(file(&current))?;
    std::fs::rename(&back, &current).map_err(file(&current))?;
    Ok(Vec::new())
}

fn dump(world: &World, spec: &GuestSpec, volume: String) -> Lines {
    let disks = disks(world, spec.vmid);
    let to = world.files.place(&volume);
    let bytes = still(world, spec.vmid, || disks.pack(&world.machine, spec, &to))?;
    world.files.put(volume, to);
    Ok(vec![format!("INFO: archive file size: {}MB", bytes >> 20)])
}

fn destroy(world: &World, vmid: u32) -> Lines {
    stop(world, vmid, false)?;
    world.shared().leases.take(vmid);
    let home = disks(world, vmid).home;
    if home.exists() {
        std::fs::remove_dir_all(&home).map_err(file(&home))?;
    }
    Ok(Vec::new())
}
