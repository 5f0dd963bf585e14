//! The virtual machines of a lab: which there are, which run, and what is known of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::agent::Agent;
use super::disks::Disks;
use super::power::Running;
use super::usage::{self, Meter};
use super::work;
use crate::backend::files::{Files, private};
use crate::backend::lxc::machine::Machine;
use crate::backend::{GuestAgent, GuestSpec, Operation, Usage};
use crate::host::{HostError, Tool};

/// Virtual machines of one lab.
pub(in crate::backend) struct Vms {
    folder: PathBuf,
    label: String,
    /// Whether QEMU is older than release 8.
    pub(super) old: bool,
    running: Mutex<BTreeMap<u32, Running>>,
    meters: Mutex<BTreeMap<u32, Meter>>,
}

impl Vms {
    pub(in crate::backend) fn open(machine: &Machine) -> Result<Self, HostError> {
        let folder = machine.folder.join("vms");
        private(&folder)?;
        let said = Tool::new(super::power::PROGRAM).arg("--version").run()?;
        Ok(Self {
            folder,
            label: machine.label.clone(),
            old: major(&said).is_none_or(|major| major < 8),
            running: Mutex::default(),
            meters: Mutex::default(),
        })
    }

    pub(super) fn running(&self) -> MutexGuard<'_, BTreeMap<u32, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder of a virtual machine.
    pub(super) fn home(&self, vmid: u32) -> PathBuf {
        self.folder.join(self.name(vmid))
    }

    /// The name of its process.
    pub(super) fn name(&self, vmid: u32) -> String {
        format!("{}-{vmid}", self.label)
    }

    pub(super) fn disks(&self, vmid: u32) -> Disks {
        Disks::of(&self.home(vmid))
    }

    /// Whether an operation is about a virtual machine: where it does not say so, by what is there.
    pub(in crate::backend) fn concerns(&self, operation: &Operation) -> bool {
        match operation.spec() {
            Some(spec) => !spec.container,
            None => self.home(operation.vmid()).exists(),
        }
    }

    pub(in crate::backend) fn perform(
        &self,
        machine: &Machine,
        files: &Files,
        operation: Operation,
    ) -> Result<Vec<String>, HostError> {
        work::perform(&work::World { vms: self, machine, files }, operation)
    }

    /// Those that have ended by themselves since the last question.
    pub(in crate::backend) fn ended(&self) -> Vec<u32> {
        let mut running = self.running();
        let ended: Vec<u32> =
            running.iter_mut().filter_map(|(vmid, one)| one.has_ended().then_some(*vmid)).collect();
        for vmid in &ended {
            running.remove(vmid);
        }
        ended
    }

    pub(in crate::backend) fn process(&self, vmid: u32) -> Option<u32> {
        self.running().get(&vmid).map(Running::pid)
    }

    pub(in crate::backend) fn memory(&self, vmid: u32) -> Option<u64> {
        usage::memory(self.process(vmid)?)
    }

    pub(in crate::backend) fn usage(&self, guest: &GuestSpec) -> Option<Usage> {
        let pid = self.process(guest.vmid)?;
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        Some(usage::read(meters.entry(guest.vmid).or_default(), guest, pid))
    }

    pub(in crate::backend) fn agent(&self, vmid: u32) -> Option<Arc<dyn GuestAgent>> {
        let agent: Arc<Agent> = self.running().get(&vmid)?.agent.clone();
        Some(agent)
    }

    /// Gives a volume's disk another name.
    pub(in crate::backend) fn rename(&self, from: &str, to: &str) -> Result<(), String> {
        for disks in self.everyone() {
            let (old, new) = (disks.file(from), disks.file(to));
            if old.exists() {
                return std::fs::rename(&old, &new)
                    .map_err(|error| format!("cannot rename '{from}' to '{to}': {error}"));
            }
        }
        Ok(())
    }

    /// Forgets a volume of any virtual machine.
    pub(in crate::backend) fn drop_volume(&self, volume: &str) {
        self.everyone().for_each(|disks| disks.remove(volume));
    }

    fn everyone(&self) -> impl Iterator<Item = Disks> {
        let homes = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        homes.map(|home| Disks::of(&home.path()))
    }
}

/// The first number of `QEMU emulator version 7.2.22 (…)`.
fn major(said: &str) -> Option<u32> {
    let version = said.split_whitespace().skip_while(|word| *word != "version").nth(1)?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_release_is_read_from_what_qemu_says() {
        assert_eq!(major("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright"), Some(7));
        assert_eq!(major("QEMU emulator version 10.0.2"), Some(10));
        assert_eq!(major("something else"), None);
    }
}
