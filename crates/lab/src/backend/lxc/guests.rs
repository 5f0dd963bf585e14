//! The backend: what guests share, and what the lab asks of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::leases::Leases;
use super::machine::{Machine, Place};
use super::power::Running;
use super::usage::Meter;
use super::work;
use crate::backend::workers::{Perform, Workers};
use crate::backend::{Address, Backend, GuestSpec, Network, Operation, Progress, Simulated, Template, Usage};
use crate::host::{HostError, TEMPLATE_NAME, file};

/// Containers by LXC, with systemd, SSH and Docker as on a node. Virtual machines beside them are simulated.
pub struct Lxc {
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
}

impl World {
    pub(super) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Folders of guests, as LXC wants them.
    pub(super) fn guests(&self) -> PathBuf {
        self.machine.folder.join("guests")
    }

    /// Files of storages.
    fn volumes(&self) -> PathBuf {
        self.machine.folder.join("volumes")
    }

    /// Where the content of a volume lies, or will.
    pub(super) fn content(&self, volume: &str) -> PathBuf {
        self.volumes().join(volume.replace(['/', ':'], "_"))
    }

    /// The name that LXC knows a guest by.
    pub(super) fn name(&self, vmid: u32) -> String {
        format!("{}-{vmid}", self.machine.label)
    }
}

impl Lxc {
    /// Makes the lab's network. What killed labs left is taken away first.
    pub fn open(place: &Place) -> Result<Self, HostError> {
        let machine = Machine::open(place)?;
        let world = Arc::new(World { machine, shared: Mutex::default() });
        let lxc = Self {
            workers: Workers::new(world.clone()),
            world,
            machines: Simulated,
            image: place.image.clone(),
            closed: false,
        };
        lxc.furnish()?;
        Ok(lxc)
    }

    fn furnish(&self) -> Result<(), HostError> {
        for folder in [self.world.guests(), self.world.volumes()] {
            std::fs::create_dir_all(&folder).map_err(file(&folder))?;
        }
        super::machine::passable(&self.world.guests())?;
        let volume = format!("local:vztmpl/{TEMPLATE_NAME}");
        self.world.shared().files.insert(volume, self.image.clone());
        Ok(())
    }
}

impl Perform for World {
    fn perform(&self, operation: Operation) -> Result<Vec<String>, HostError> {
        work::perform(self, operation)
    }
}

impl Backend for Lxc {
    fn name(&self) -> &'static str {
        "lxc"
    }

    fn limits(&self) -> &'static [&'static str] {
        &[
            "virtual machines are simulated",
            "AppArmor is the machine's own, or absent",
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
        super::config::addresses(guest, &leases)
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
        }
        ended
    }

    fn process(&self, vmid: u32) -> Option<u32> {
        self.world.shared().running.get(&vmid).map(|running| running.pid)
    }

    fn memory(&self, vmid: u32) -> Option<u64> {
        super::leftovers::memory(&self.world.name(vmid))
    }

    fn usage(&self, guest: &GuestSpec) -> Option<Usage> {
        let pid = self.process(guest.vmid)?;
        Some(super::usage::read(&self.world, guest, pid))
    }

    fn size(&self, volume: &str) -> Option<u64> {
        let path = self.world.shared().files.get(volume).cloned()?;
        path.metadata().ok().map(|found| found.len())
    }

    fn network(&self) -> Option<Network> {
        Some(self.world.machine.network.clone())
    }

    fn templates(&self) -> Option<Vec<Template>> {
        let bytes = self.image.metadata().map_or(0, |found| found.len());
        Some(vec![Template { name: TEMPLATE_NAME.to_owned(), bytes }])
    }

    fn spool(&mut self) -> Option<PathBuf> {
        let number = self.workers.number();
        Some(self.world.volumes().join(format!("upload-{number}")))
    }

    fn keep(&mut self, volume: &str, from: &Path) -> Result<(), String> {
        let to = self.world.content(volume);
        std::fs::rename(from, &to).map_err(|error| format!("cannot keep the upload: {error}"))?;
        self.world.shared().files.insert(volume.to_owned(), to);
        Ok(())
    }

    fn drop_volume(&mut self, volume: &str) {
        let removed = self.world.shared().files.remove(volume);
        super::disks::drop_moved(&self.world.guests(), volume);
        // The image is the cache's, and stays.
        if let Some(path) = removed.filter(|path| *path != self.image) {
            let _ = std::fs::remove_file(path);
        }
    }

    fn clean(&mut self) {
        self.workers.finish();
        *self.world.shared() = Shared::default();
        let _ = std::fs::remove_dir_all(self.world.volumes());
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

impl Drop for Lxc {
    fn drop(&mut self) {
        self.close();
    }
}
