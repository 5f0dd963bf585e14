//! The backend: each guest has a thread that does what is asked of it, one thing after the other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::leases::Leases;
use super::machine::{Machine, Place};
use super::power::Running;
use super::usage::Meter;
use super::work;
use crate::backend::{Address, Backend, GuestSpec, Network, Operation, Progress, Simulated, Template, Usage};
use crate::host::{HostError, TEMPLATE_NAME, file};

/// Containers by LXC, with systemd, SSH and Docker as on a node. Virtual machines beside them are simulated.
pub struct Lxc {
    world: Arc<World>,
    machines: Simulated,
    workers: BTreeMap<u32, Worker>,
    image: PathBuf,
    last: u64,
    closed: bool,
}

/// A guest's thread.
struct Worker {
    queue: Sender<(u64, Operation)>,
    thread: JoinHandle<()>,
}

/// What the threads of all guests share.
pub(super) struct World {
    pub(super) machine: Machine,
    shared: Mutex<Shared>,
}

#[derive(Default)]
pub(super) struct Shared {
    /// Operations and their ends. One that still runs is there as such.
    progress: BTreeMap<u64, Progress>,
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
            world,
            machines: Simulated,
            workers: BTreeMap::new(),
            image: place.image.clone(),
            last: 0,
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

    fn worker(&mut self, vmid: u32) -> Option<&Worker> {
        if self.workers.get(&vmid).is_none_or(|worker| worker.thread.is_finished()) {
            let (queue, work) = channel();
            let world = self.world.clone();
            let thread = std::thread::Builder::new().name(format!("guest {vmid}"));
            let thread = thread.spawn(move || obey(&world, &work)).ok()?;
            self.workers.insert(vmid, Worker { queue, thread });
        }
        self.workers.get(&vmid)
    }
}

fn obey(world: &World, work: &Receiver<(u64, Operation)>) {
    for (number, operation) in work {
        let end = match work::perform(world, operation) {
            Ok(lines) => Progress::Done(lines),
            Err(error) => Progress::Failed(error.story()),
        };
        world.shared().progress.insert(number, end);
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
        self.last += 1;
        let number = self.last;
        let vmid = operation.vmid();
        let container = match &operation {
            Operation::Create(guest) => guest.spec.container,
            Operation::Start(spec)
            | Operation::Copy { to: spec, .. }
            | Operation::Dump { spec, .. }
            | Operation::Move { spec, .. } => spec.container,
            _ => self.workers.contains_key(&vmid),
        };
        if !container {
            // Nothing to do is done at once.
            self.world.shared().progress.insert(number, Progress::Done(Vec::new()));
            return number;
        }
        self.world.shared().progress.insert(number, Progress::Running);
        let sent = self.worker(vmid).is_some_and(|worker| worker.queue.send((number, operation)).is_ok());
        if !sent {
            let text = "the lab cannot start a thread".to_owned();
            self.world.shared().progress.insert(number, Progress::Failed(text));
        }
        number
    }

    fn poll(&mut self, number: u64) -> Progress {
        let mut shared = self.world.shared();
        match shared.progress.remove(&number) {
            Some(Progress::Running) => {
                shared.progress.insert(number, Progress::Running);
                Progress::Running
            }
            Some(end) => end,
            None => Progress::Failed("the operation is not known".to_owned()),
        }
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
        self.last += 1;
        Some(self.world.volumes().join(format!("upload-{}", self.last)))
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
        let vmids: Vec<u32> = self.workers.keys().copied().collect();
        for vmid in vmids {
            self.begin(Operation::Destroy { vmid });
        }
        for (_, Worker { queue, thread }) in std::mem::take(&mut self.workers) {
            drop(queue);
            // A thread that panicked has nothing more to do.
            let _ = thread.join();
        }
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
