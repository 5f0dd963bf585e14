//! A thread for each guest, which does what is asked of it, one thing after the other.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::{GuestSpec, Operation, Progress};
use crate::host::HostError;

/// Who knows how an operation is done.
pub(super) trait Perform: Send + Sync + 'static {
    /// Does it, and answers lines for the log of its task.
    fn perform(&self, operation: Operation) -> Result<Vec<String>, HostError>;

    /// Whether a guest boots. What is asked of others is done at once: they are simulated.
    fn boots(&self, guest: &GuestSpec) -> bool {
        guest.container
    }
}

/// Threads of guests that boot, and what became of operations.
pub(super) struct Workers<W> {
    world: Arc<W>,
    workers: BTreeMap<u32, Worker>,
    /// Operations and their ends. One that still runs is there as such.
    progress: Arc<Mutex<BTreeMap<u64, Progress>>>,
    last: u64,
}

/// A guest's thread.
struct Worker {
    queue: Sender<(u64, Operation)>,
    thread: JoinHandle<()>,
}

type Ends = Mutex<BTreeMap<u64, Progress>>;

fn ends(progress: &Ends) -> MutexGuard<'_, BTreeMap<u64, Progress>> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Perform> Workers<W> {
    pub(super) fn new(world: Arc<W>) -> Self {
        Self { world, workers: BTreeMap::new(), progress: Arc::default(), last: 0 }
    }

    /// A number that nothing else has.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Begins an operation.
    pub(super) fn begin(&mut self, operation: Operation) -> u64 {
        let number = self.number();
        let vmid = operation.vmid();
        let boots = match operation.spec() {
            Some(spec) => self.world.boots(spec),
            None => self.workers.contains_key(&vmid),
        };
        if !boots {
            ends(&self.progress).insert(number, Progress::Done(Vec::new()));
            return number;
        }
        ends(&self.progress).insert(number, Progress::Running);
        let sent = self.worker(vmid).is_some_and(|worker| worker.queue.send((number, operation)).is_ok());
        if !sent {
            let text = "the lab cannot start a thread".to_owned();
            ends(&self.progress).insert(number, Progress::Failed(text));
        }
        number
    }

    /// Where an operation stands. An end is told once.
    pub(super) fn poll(&mut self, number: u64) -> Progress {
        let mut progress = ends(&self.progress);
        match progress.remove(&number) {
            Some(Progress::Running) => {
                progress.insert(number, Progress::Running);
                Progress::Running
            }
            Some(end) => end,
            None => Progress::Failed("the operation is not known".to_owned()),
        }
    }

    /// Takes all guests away, and returns when the last one is gone.
    pub(super) fn finish(&mut self) {
        let vmids: Vec<u32> = self.workers.keys().copied().collect();
        for vmid in vmids {
            self.begin(Operation::Destroy { vmid });
        }
        for (_, Worker { queue, thread }) in std::mem::take(&mut self.workers) {
            drop(queue);
            // A thread that panicked has nothing more to do.
            let _ = thread.join();
        }
        ends(&self.progress).clear();
    }

    fn worker(&mut self, vmid: u32) -> Option<&Worker> {
        if self.workers.get(&vmid).is_none_or(|worker| worker.thread.is_finished()) {
            let (queue, work) = channel();
            let (world, progress) = (self.world.clone(), self.progress.clone());
            let thread = std::thread::Builder::new().name(format!("guest {vmid}"));
            let thread = thread.spawn(move || obey(&*world, &progress, &work)).ok()?;
            self.workers.insert(vmid, Worker { queue, thread });
        }
        self.workers.get(&vmid)
    }
}

fn obey(world: &impl Perform, progress: &Ends, work: &Receiver<(u64, Operation)>) {
    for (number, operation) in work {
        let end = match world.perform(operation) {
            Ok(lines) => Progress::Done(lines),
            Err(error) => Progress::Failed(error.story()),
        };
        ends(progress).insert(number, end);
    }
}
