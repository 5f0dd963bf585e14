//! What a lab asks of a maker of guests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_pve::Secret;
use serde_json::Value;

/// A guest as a backend sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestSpec {
    /// Its number.
    pub vmid: u32,
    /// Whether it is a container; else it is a virtual machine.
    pub container: bool,
    /// Its configuration.
    pub config: BTreeMap<String, String>,
}

/// A guest to be made.
#[derive(Clone, Debug)]
pub struct NewGuest {
    /// What it shall be.
    pub spec: GuestSpec,
    /// The volume that it is made from: a template, a backup, or nothing.
    pub source: String,
    /// Disks that begin as a copy of an image: the option (`scsi0`) and the image's volume.
    pub imports: BTreeMap<String, String>,
    /// Public keys that may log in as root, one a line.
    pub keys: String,
    /// The password of its root.
    pub password: Option<Secret>,
}

/// An address that a guest has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface inside the guest.
    pub interface: String,
    /// The card's address.
    pub mac: String,
    /// The address with its length.
    pub cidr: String,
}

/// The network of guests that are reached from this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The bridge that cards name.
    pub bridge: String,
    /// Addresses that guests can have, as `10.99.7.0/24`.
    pub subnet: String,
    /// What guests take as their gateway.
    pub gateway: String,
    /// This machine, as guests see it.
    pub machine: String,
    /// Who knows names, where guests reach what this machine reaches.
    pub nameserver: Option<String>,
}

/// A template that is there from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its file's name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// Where an operation stands that takes its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It still runs.
    Running,
    /// It is done; these lines belong into the log.
    Done(Vec<String>),
    /// It failed.
    Failed(String),
}

/// What is asked of a backend.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Make the guest from a template, a backup or nothing.
    Create(NewGuest),
    /// Start it.
    Start(GuestSpec),
    /// Stop it, asking it first where `ask` says so.
    Stop {
        /// The guest.
        vmid: u32,
        /// Whether it is asked.
        ask: bool,
    },
    /// Start it where its memory was kept under a name.
    Resume {
        /// The guest.
        spec: GuestSpec,
        /// The name.
        name: String,
    },
    /// Begin anew as by the button of a real machine. Only virtual machines have one.
    Reset {
        /// The guest.
        vmid: u32,
    },
    /// Keep its disks under a name.
    Snapshot {
        /// The guest.
        vmid: u32,
        /// The name.
        name: String,
        /// Whether its memory is kept, too.
        memory: bool,
    },
    /// Take its disks back to what was kept under a name.
    Rollback {
        /// The guest.
        vmid: u32,
        /// The name.
        name: String,
    },
    /// Give a disk another volume, with everything that it holds. The old volume keeps its content until it is dropped.
    Move {
        /// The guest as it is.
        spec: GuestSpec,
        /// The disk: `rootfs`, `mp0`, `scsi0` …
        disk: String,
        /// The new volume.
        volume: String,
    },
    /// Make a disk larger.
    Grow {
        /// The guest as it is.
        spec: GuestSpec,
        /// The disk: `scsi0` …
        disk: String,
        /// Its new size.
        bytes: u64,
    },
    /// Forget what was kept under a name.
    Forget {
        /// The guest.
        vmid: u32,
        /// The name.
        name: String,
    },
    /// Copy its disks for another guest.
    Copy {
        /// The guest as it is, or as it was when the snapshot was made.
        from: GuestSpec,
        /// What was kept under this name, else what it has now.
        snapshot: Option<String>,
        /// The copy.
        to: GuestSpec,
    },
    /// Write its disks into a backup.
    Dump {
        /// The guest.
        spec: GuestSpec,
        /// The backup's volume.
        volume: String,
    },
    /// Take it and its disks away.
    Destroy {
        /// The guest.
        vmid: u32,
    },
}

impl Operation {
    /// The guest that is worked on.
    pub fn vmid(&self) -> u32 {
        match self {
            Self::Create(guest) => guest.spec.vmid,
            Self::Start(spec)
            | Self::Resume { spec, .. }
            | Self::Copy { to: spec, .. }
            | Self::Dump { spec, .. }
            | Self::Grow { spec, .. }
            | Self::Move { spec, .. } => spec.vmid,
            Self::Stop { vmid, .. }
            | Self::Reset { vmid }
            | Self::Snapshot { vmid, .. }
            | Self::Rollback { vmid, .. }
            | Self::Forget { vmid, .. }
            | Self::Destroy { vmid } => *vmid,
        }
    }

    /// The guest with its configuration, where the operation says it.
    pub fn spec(&self) -> Option<&GuestSpec> {
        match self {
            Self::Create(guest) => Some(&guest.spec),
            Self::Start(spec)
            | Self::Resume { spec, .. }
            | Self::Copy { to: spec, .. }
            | Self::Dump { spec, .. }
            | Self::Grow { spec, .. }
            | Self::Move { spec, .. } => Some(spec),
            _ => None,
        }
    }
}

/// The agent inside a running virtual machine.
pub trait GuestAgent: Send + Sync {
    /// Asks it, and waits for its answer as long as a node would. Commands and answers are those of the QEMU guest agent's own
    /// protocol; an error is in the node's words.
    fn ask(&self, command: &str, arguments: Value) -> Result<Value, String>;
}

/// What a running guest uses: the figures of its state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// Processors' worth of time since the last question: 1.5 is one and a half of them.
    pub processors: Option<f64>,
    /// Bytes that its root file system holds.
    pub disk: Option<u64>,
    /// Bytes that its cards took in and sent.
    pub net: Option<(u64, u64)>,
    /// Bytes that it read from and wrote to disks.
    pub io: Option<(u64, u64)>,
}

/// A maker of guests. Every call returns at once; what takes time is asked about with [`Backend::poll`].
pub trait Backend: Send {
    /// Its name, shown in every output that speaks of guests.
    fn name(&self) -> &'static str;

    /// What its virtual machines are made of: `simulated`, or how they boot.
    fn vms(&self) -> &'static str {
        "simulated"
    }

    /// What guests of this backend cannot show, for the documentation and for refusals.
    fn limits(&self) -> Vec<&'static str>;

    /// Begins an operation. The number is for [`Backend::poll`].
    fn begin(&mut self, operation: Operation) -> u64;

    /// Where an operation stands. An end is told once.
    fn poll(&mut self, number: u64) -> Progress;

    /// Addresses that a running guest has.
    fn addresses(&mut self, guest: &GuestSpec) -> Vec<Address>;

    /// Guests that were started and have ended by themselves since the last question.
    fn ended(&mut self) -> Vec<u32> {
        Vec::new()
    }

    /// The process that a guest runs in.
    fn process(&self, _vmid: u32) -> Option<u32> {
        None
    }

    /// Bytes of memory that a running guest uses, where that is known.
    fn memory(&self, _vmid: u32) -> Option<u64> {
        None
    }

    /// What a running guest uses beside memory, where that is known.
    fn usage(&self, _guest: &GuestSpec) -> Option<Usage> {
        None
    }

    /// Bytes that the content of a volume takes, where it has content.
    fn size(&self, _volume: &str) -> Option<u64> {
        None
    }

    /// Bytes of the disk that an image holds, where images have content; an error where it is none.
    fn image_size(&self, _volume: &str) -> Option<Result<u64, String>> {
        None
    }

    /// The agent of a running virtual machine, where it is a real one.
    fn agent(&self, _vmid: u32) -> Option<Arc<dyn GuestAgent>> {
        None
    }

    /// The network of its guests, where they can be reached.
    fn network(&self) -> Option<Network> {
        None
    }

    /// Where the SSH server of a running guest is reached from this machine, as `127.0.0.1:32768`, where that is not its own address.
    fn published(&self, _vmid: u32) -> Option<String> {
        None
    }

    /// Templates that it brings; `None` where templates are names without content.
    fn templates(&self) -> Option<Vec<Template>> {
        None
    }

    /// Images of disks that it brings; `None` where images are names without content.
    fn images(&self) -> Option<Vec<Template>> {
        None
    }

    /// Where the content of an upload is put, where it is of use.
    fn spool(&mut self) -> Option<PathBuf> {
        None
    }

    /// Keeps the content of a volume, from the place that [`Backend::spool`] gave.
    fn keep(&mut self, _volume: &str, _from: &Path) -> Result<(), String> {
        Ok(())
    }

    /// Gives the content of a volume another name.
    fn rename_volume(&mut self, _from: &str, _to: &str) -> Result<(), String> {
        Ok(())
    }

    /// Forgets the content of a volume.
    fn drop_volume(&mut self, _volume: &str) {}

    /// Takes all guests and volumes away.
    fn clean(&mut self);

    /// Takes everything away that the backend made on this machine.
    fn close(&mut self) {
        self.clean();
    }
}
