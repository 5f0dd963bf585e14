//! The backend: what guests share, and what the lab asks of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::machine::{Machine, Place, volumes};
use super::power::Running;
use super::usage::{Meter, refresh};
use super::work;
use crate::backend::lxc::config::addresses;
use crate::backend::lxc::leases::Leases;
use crate::backend::workers::{Perform, Workers};
use crate::backend::{Address, Backend, GuestSpec, Network, Operation, Progress, Simulated, Template, Usage};
use crate::host::{HostError, TEMPLATE_NAME, file};

/// Containers of a Docker engine, with systemd, SSH and Docker as on a node. Virtual machines beside them are simulated.
pub struct Docker {
    world: Arc<World>,
    machines: Simulated,
    workers: Workers<World>,
    image: PathBuf,
    closed: bool,
}

/// What the threads of all guests share.
pub(super) struct World {
    pub(super) machine: Machine,
    shared: Mutex<Shared>,
}

#[derive(Default)]
pub(super) struct Shared {
    pub(super) running: BTreeMap<u32, Running>,
    /// Contents of templates and backups by volume.
    pub(super) files: BTreeMap<String, PathBuf>,
    pub(super) leases: Leases,
    pub(super) meters: BTreeMap<u32, Meter>,
    /// Guests that are being read of.
    pub(super) read: BTreeSet<u32>,
    /// Where SSH servers are published.
    pub(super) published: BTreeMap<u32, String>,
    /// Volumes that were moved, with their guests.
    pub(super) moved: BTreeMap<String, u32>,
}

impl World {
    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the content of a volume lies, or will.
    pub(super) fn content(&self, volume: &str) -> PathBuf {
        volumes(&self.machine.folder).join(volume.replace(['/', ':'], "_"))
    }
}

impl Perform for World {
    fn perform(&self, operation: Operation) -> Result<Vec<String>, HostError> {
        work::perform(self, operation)
    }
}

impl Docker {
    /// Makes the lab's network. What killed labs left is taken away first.
    pub fn open(place: &Place) -> Result<Self, HostError> {
        let world = Arc::new(World { machine: Machine::open(place)?, shared: Mutex::default() });
        let image = place.image.clone();
        let docker =
            Self { workers: Workers::new(world.clone()), world, machines: Simulated, image, closed: false };
        docker.furnish()?;
        Ok(docker)
    }

    /// The label of everything that this lab has in the engine, for `docker ps --filter label=plimsoll.lab=…`.
    pub fn label(&self) -> &str {
        &self.world.machine.label
    }

    fn furnish(&self) -> Result<(), HostError> {
        let folder = volumes(&self.world.machine.folder);
        std::fs::create_dir_all(&folder).map_err(file(&folder))?;
        let volume = format!("local:vztmpl/{TEMPLATE_NAME}");
        self.world.shared().files.insert(volume, self.image.clone());
        Ok(())
    }
}

impl Backend for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn limits(&self) -> Vec<&'static str> {
        vec![
            "virtual machines are simulated",
            "an unprivileged container has the engine's users: its root is root of the engine's machine",
            "AppArmor and seccomp are off, with and without nesting",
            "a container has one card, called eth0, with an IPv4 address of the lab's network",
            "where the engine is in a virtual machine, as on macOS, a guest is reached at a published port of its SSH server only",
            "the size of a disk is kept and not enforced",
            "a snapshot is a copy, and a guest that runs stands still while it is made",
            "no folder and no device of the machine, no VLAN, no hook script",
            "the firewall is kept and shown, and filters nothing",
            "an address by DHCP is given by the lab without asking",
        ]
    }

    fn begin(&mut self, operation: Operation) -> u64 {
        self.workers.begin(operation)
    }

    fn poll(&mut self, number: u64) -> Progress {
        self.workers.poll(number)
    }

    fn addresses(&mut self, guest: &GuestSpec) -> Vec<Address> {
        if !guest.container {
            return self.machines.addresses(guest);
        }
        let leases = self.world.shared().leases.of(guest.vmid, &self.world.machine.network);
        addresses(guest, &leases)
    }

    fn ended(&mut self) -> Vec<u32> {
        let mut shared = self.world.shared();
        let ended: Vec<u32> = shared
            .running
            .iter_mut()
            .filter_map(|(vmid, running)| running.has_ended().then_some(*vmid))
            .collect();
        for vmid in &ended {
            shared.running.remove(vmid);
            shared.meters.remove(vmid);
            shared.published.remove(vmid);
        }
        ended
    }

    fn process(&self, vmid: u32) -> Option<u32> {
        self.world.shared().running.get(&vmid).map(|running| running.pid)
    }

    fn memory(&self, vmid: u32) -> Option<u64> {
        self.process(vmid)?;
        refresh(&self.world, vmid);
        self.world.shared().meters.get(&vmid)?.memory
    }

    fn usage(&self, guest: &GuestSpec) -> Option<Usage> {
        self.process(guest.vmid)?;
        refresh(&self.world, guest.vmid);
        self.world.shared().meters.get(&guest.vmid).map(|meter| meter.usage.clone())
    }

    fn size(&self, volume: &str) -> Option<u64> {
        let path = self.world.shared().files.get(volume).cloned()?;
        path.metadata().ok().map(|found| found.len())
    }

    fn network(&self) -> Option<Network> {
        Some(self.world.machine.network.clone())
    }

    fn published(&self, vmid: u32) -> Option<String> {
        self.world.shared().published.get(&vmid).cloned()
    }

    fn templates(&self) -> Option<Vec<Template>> {
        let bytes = self.image.metadata().map_or(0, |found| found.len());
        Some(vec![Template { name: TEMPLATE_NAME.to_owned(), bytes }])
    }

    fn spool(&mut self) -> Option<PathBuf> {
        let number = self.workers.number();
        Some(volumes(&self.world.machine.folder).join(format!("upload-{number}")))
    }

    fn keep(&mut self, volume: &str, from: &Path) -> Result<(), String> {
        let to = self.world.content(volume);
        std::fs::rename(from, &to).map_err(|error| format!("cannot keep the upload: {error}"))?;
        self.world.shared().files.insert(volume.to_owned(), to);
        Ok(())
    }

    fn drop_volume(&mut self, volume: &str) {
        let (removed, moved) = {
            let mut shared = self.world.shared();
            (shared.files.remove(volume), shared.moved.remove(volume))
        };
        if let Some(vmid) = moved {
            // A guest that is gone has taken it along.
            let _ = self.world.machine.tools(vmid, &["drop", volume]).run();
        }
        // The image is the cache's, and stays.
        if let Some(path) = removed.filter(|path| *path != self.image) {
            let _ = std::fs::remove_file(path);
        }
    }

    fn clean(&mut self) {
        self.workers.finish();
        *self.world.shared() = Shared::default();
        let _ = std::fs::remove_dir_all(volumes(&self.world.machine.folder));
        // A folder that cannot be made is told by the next operation.
        let _ = self.furnish();
    }

    fn close(&mut self) {
        if !self.closed {
            self.closed = true;
            self.clean();
            self.world.machine.close();
        }
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.close();
    }
}
