//! The situation as data.

use std::collections::BTreeSet;

use plimsoll_model::commands::Machine;
use plimsoll_model::services::{Access, Reach};
use plimsoll_rules::{Profile, Severity};
use plimsoll_text::Place;

use crate::Evidence;

/// A deployment, as far as judging needs it. Alternatives are this with some fields changed.
#[derive(Clone, Debug)]
pub struct Situation {
    /// What the deployment is for.
    pub profile: Profile,
    /// The guests that run the app, by position.
    pub guests: Vec<GuestModel>,
    /// The deployed services, by name.
    pub containers: Vec<Container>,
    /// Findings of rules that open a way.
    pub weaknesses: Vec<Weakness>,
    /// Whether strangers reach the published ports, with why that is assumed.
    pub internet: Option<Evidence>,
}

/// How a guest is separated from its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    /// An LXC guest whose root is root of the node.
    PrivilegedLxc,
    /// An LXC guest in a user namespace.
    UnprivilegedLxc,
    /// A VM with a kernel of its own.
    Vm,
    /// The files do not tell.
    Unknown,
}

impl Isolation {
    /// The words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::PrivilegedLxc => "privileged LXC guest",
            Self::UnprivilegedLxc => "unprivileged LXC guest",
            Self::Vm => "VM",
            Self::Unknown => "guest of unknown kind",
        }
    }
}

/// A guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestModel {
    /// What the report calls it.
    pub name: String,
    /// How it is separated.
    pub isolation: Isolation,
    /// Whether AppArmor or the capability limits are lifted.
    pub unconfined: Option<Evidence>,
    /// The facts that say so.
    pub evidence: Vec<Evidence>,
    /// Memory in MiB, where the files say it.
    pub memory_mib: Option<u64>,
    /// Root disk in GiB, where the files say it.
    pub disk_gib: Option<u64>,
}

/// A service of a deployed project.
#[derive(Clone, Debug)]
pub struct Container {
    /// The service's name, with its project's where two have the same.
    pub name: String,
    /// Where it is defined.
    pub place: Place,
    /// The position of the guest that runs it.
    pub guest: usize,
    /// Whether its processes may be root; nothing where the image is not known.
    pub root: Option<bool>,
    /// Why the container's own limits are the default ones (root, capabilities, new privileges).
    pub unhardened: Vec<Evidence>,
    /// What gives it control over the machine (privileged, the engine's socket, paths of the machine).
    pub controls: Vec<Evidence>,
    /// Published ports.
    pub entries: Vec<Entry>,
    /// Volumes.
    pub data: Vec<Volume>,
    /// Services that it shares a network with.
    pub reaches: BTreeSet<String>,
    /// Services that it depends on or names.
    pub needs: BTreeSet<String>,
    /// Whether it keeps state for others.
    pub is_data_service: bool,
    /// Whether its image is built from the repository.
    pub is_built: bool,
    /// Whether it asks for a credential.
    pub access: Access,
}

/// A published port.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `address:port/protocol` as on the machine.
    pub address: String,
    /// How far it reaches.
    pub reach: Reach,
    /// Where it is published.
    pub place: Place,
    /// Whether a rule says that it need not be published.
    pub needless: Option<Evidence>,
}

/// A volume with data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name or path.
    pub name: String,
    /// Where it is mounted in the service.
    pub target: String,
    /// Whether it is a folder of the machine.
    pub is_bind: bool,
    /// Where the mount is written.
    pub place: Place,
}

/// A finding that opens a way.
#[derive(Clone, Debug)]
pub struct Weakness {
    /// The rule's code.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What it says.
    pub evidence: Evidence,
    /// The machine of the command at its place, if it is one.
    pub machine: Option<Machine>,
    /// The services at its place or named by it.
    pub services: BTreeSet<String>,
}
