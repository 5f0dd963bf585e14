//! The backend: what guests share, and what the lab asks of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::leases::Leases;
use super::machine::{Machine, Place};
use super::power::Running;
use super::usage::Meter;
use super::work;
use crate::backend::files::Files;
use crate::backend::qemu::{self, Vms};
use crate::backend::workers::{Perform, Workers};
use crate::backend::{
    Address, Backend, GuestAgent, GuestSpec, Network, Operation, Progress, Simulated, Template, Usage,
};
use crate::host::{HostError, TEMPLATE_NAME, VM_IMAGE_NAME, file};

/// Containers by LXC, with systemd, SSH and Docker as on a node. Virtual machines beside them boot by QEMU, or are simulated.
pub struct Lxc {
    world: Arc<World>,
    simulated: Simulated,
    workers: Workers<World>,
    image: PathBuf,
    vm_image: Option<PathBuf>,
    closed: bool,
}

/// What the threads of all guests share.
pub(super) struct World {
    pub(super) machine: Machine,
    /// Contents of templates, images and backups.
    pub(super) files: Files,
    /// Virtual machines, where they boot.
    vms: Option<Vms>,
    shared: Mutex<Shared>,
}

#[derive(Default)]
pub(super) struct Shared {
    pub(super) running: BTreeMap<u32, Running>,
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

    /// The name that LXC knows a guest by.
    pub(super) fn name(&self, vmid: u32) -> String {
        format!("{}-{vmid}", self.machine.label)
    }
}

impl Lxc {
    /// Makes the lab's network. What killed labs left is taken away first.
    pub fn open(place: &Place) -> Result<Self, HostError> {
        let machine = Machine::open(place)?;
        let files = Files::new(machine.folder.join("volumes"));
        let vms = place.vms.as_ref().map(|_| Vms::open(&machine)).transpose();
        let vms = vms.inspect_err(|_| machine.close())?;
        let world = Arc::new(World { machine, files, vms, shared: Mutex::default() });
        let lxc = Self {
            workers: Workers::new(world.clone()),
            world,
            simulated: Simulated,
            image: place.image.clone(),
            vm_image: place.vms.clone(),
            closed: false,
        };
        lxc.furnish()?;
        Ok(lxc)
    }

    fn furnish(&self) -> Result<(), HostError> {
        let guests = self.world.guests();
        std::fs::create_dir_all(&guests).map_err(file(&guests))?;
        super::machine::passable(&guests)?;
        self.world.files.furnish()?;
        self.world.files.put(format!("local:vztmpl/{TEMPLATE_NAME}"), self.image.clone());
        if let Some(image) = &self.vm_image {
            self.world.files.put(format!("local:import/{VM_IMAGE_NAME}"), image.clone());
        }
        Ok(())
    }
}

impl Perform for World {
    fn perform(&self, operation: Operation) -> Result<Vec<String>, HostError> {
        match &self.vms {
            Some(vms) if vms.concerns(&operation) => vms.perform(&self.machine, &self.files, operation),
            _ => work::perform(self, operation),
        }
    }

    fn boots(&self, guest: &GuestSpec) -> bool {
        guest.container || self.vms.is_some()
    }
}

impl Backend for Lxc {
    fn name(&self) -> &'static str {
        "lxc"
    }

    fn vms(&self) -> &'static str {
        self.world.vms.as_ref().map_or("simulated", |_| qemu::NAME)
    }

    fn limits(&self) -> Vec<&'static str> {
        let containers = [
            "AppArmor is the machine's own, or absent",
            "the size of a disk is kept and not enforced",
            "a snapshot is a copy, and a guest that runs stands still while it is made",
            "no folder and no device of the machine, no VLAN, no hook script",
            "the firewall is kept and shown, and filters nothing",
            "an address by DHCP is given by the lab without asking",
        ];
        let vms: &[&str] =
            if self.world.vms.is_some() { &qemu::LIMITS } else { &["virtual machines are simulated"] };
        vms.iter().copied().chain(containers).collect()
    }

    fn begin(&mut self, operation: Operation) -> u64 {
        self.workers.begin(operation)
    }

    fn poll(&mut self, number: u64) -> Progress {
        self.workers.poll(number)
    }

    fn addresses(&mut self, guest: &GuestSpec) -> Vec<Address> {
        if !guest.container {
            // Where they boot, their agent knows.
            return if self.world.vms.is_some() { Vec::new() } else { self.simulated.addresses(guest) };
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
        drop(shared);
        ended.into_iter().chain(self.world.vms.iter().flat_map(Vms::ended)).collect()
    }

    fn process(&self, vmid: u32) -> Option<u32> {
        let container = self.world.shared().running.get(&vmid).map(|running| running.pid);
        container.or_else(|| self.world.vms.as_ref()?.process(vmid))
    }

    fn memory(&self, vmid: u32) -> Option<u64> {
        let vm = self.world.vms.as_ref().and_then(|vms| vms.memory(vmid));
        vm.or_else(|| super::leftovers::memory(&self.world.name(vmid)))
    }

    fn usage(&self, guest: &GuestSpec) -> Option<Usage> {
        if !guest.container {
            return self.world.vms.as_ref()?.usage(guest);
        }
        let pid = self.process(guest.vmid)?;
        Some(super::usage::read(&self.world, guest, pid))
    }

    fn size(&self, volume: &str) -> Option<u64> {
        self.world.files.size(volume)
    }

    fn image_size(&self, volume: &str) -> Option<Result<u64, String>> {
        self.world.vms.as_ref()?;
        let size = self.world.files.need(volume).and_then(|path| qemu::image_size(&path));
        Some(size.map_err(|error| error.story()))
    }

    fn agent(&self, vmid: u32) -> Option<Arc<dyn GuestAgent>> {
        self.world.vms.as_ref()?.agent(vmid)
    }

    fn network(&self) -> Option<Network> {
        Some(self.world.machine.network.clone())
    }

    fn templates(&self) -> Option<Vec<Template>> {
        let bytes = self.image.metadata().map_or(0, |found| found.len());
        Some(vec![Template { name: TEMPLATE_NAME.to_owned(), bytes }])
    }

    fn images(&self) -> Option<Vec<Template>> {
        self.world.vms.as_ref()?;
        let bytes = self.vm_image.as_ref()?.metadata().map_or(0, |found| found.len());
        Some(vec![Template { name: VM_IMAGE_NAME.to_owned(), bytes }])
    }

    fn spool(&mut self) -> Option<PathBuf> {
        let number = self.workers.number();
        Some(self.world.files.spool(number))
    }

    fn keep(&mut self, volume: &str, from: &Path) -> Result<(), String> {
        self.world.files.keep(volume, from)
    }

    fn rename_volume(&mut self, from: &str, to: &str) -> Result<(), String> {
        self.world.vms.as_ref().map_or(Ok(()), |vms| vms.rename(from, to))
    }

    fn drop_volume(&mut self, volume: &str) {
        self.world.files.drop_volume(volume);
        super::disks::drop_moved(&self.world.guests(), volume);
        if let Some(vms) = &self.world.vms {
            vms.drop_volume(volume);
        }
    }

    fn clean(&mut self) {
        self.workers.finish();
        *self.world.shared() = Shared::default();
        self.world.files.clear();
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
