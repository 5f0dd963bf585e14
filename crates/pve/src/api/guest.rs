//! What containers and virtual machines have in common.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::request::requests;
use crate::values::{flag, maybe_number};
use crate::{GuestConfig, Upid, Vmid};

/// A container or a virtual machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuestKind {
    /// A container.
    Lxc,
    /// A virtual machine.
    Qemu,
}

impl fmt::Display for GuestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lxc => "lxc",
            Self::Qemu => "qemu",
        })
    }
}

/// Whether a guest runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// It runs.
    Running,
    /// It does not.
    Stopped,
}

/// The state of a guest.
#[derive(Clone, Debug, Deserialize)]
pub struct GuestStatus {
    /// Its number.
    pub vmid: Vmid,
    /// Whether it runs.
    pub status: Power,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Why it is locked.
    #[serde(default)]
    pub lock: Option<String>,
    /// Tags with `;` between them.
    #[serde(default)]
    pub tags: Option<String>,
    /// Whether it is a template.
    #[serde(default, deserialize_with = "flag")]
    pub template: bool,
    /// Seconds since it started.
    #[serde(default, deserialize_with = "maybe_number")]
    pub uptime: Option<u64>,
    /// Used memory in bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub mem: Option<u64>,
    /// Most memory in bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub maxmem: Option<u64>,
    /// Used bytes of the root file system; of containers that run.
    #[serde(default, deserialize_with = "maybe_number")]
    pub disk: Option<u64>,
    /// Bytes that its cards took in.
    #[serde(default, deserialize_with = "maybe_number")]
    pub netin: Option<u64>,
    /// Bytes that its cards sent.
    #[serde(default, deserialize_with = "maybe_number")]
    pub netout: Option<u64>,
    /// What the emulator says; machines only.
    #[serde(default)]
    pub qmpstatus: Option<String>,
}

/// A snapshot. The list ends with `current`, which is none.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// A remark.
    #[serde(default)]
    pub description: Option<String>,
    /// Seconds since 1970.
    #[serde(default, deserialize_with = "maybe_number")]
    pub snaptime: Option<u64>,
    /// The snapshot before it.
    #[serde(default)]
    pub parent: Option<String>,
}

/// An option with what it will be.
#[derive(Clone, Debug, Deserialize)]
pub struct Pending {
    /// The option.
    pub key: String,
    /// What it is.
    #[serde(default)]
    pub value: Option<Value>,
    /// What it will be after the next start.
    #[serde(default)]
    pub pending: Option<Value>,
    /// Whether it will be gone after the next start.
    #[serde(default, deserialize_with = "maybe_number")]
    pub delete: Option<u64>,
}

/// Whether the guest's storages can do something.
#[derive(Clone, Debug, Deserialize)]
pub struct Feature {
    /// Whether they can.
    #[serde(rename = "hasFeature", deserialize_with = "flag")]
    pub has: bool,
}

requests! {
    /// Guests of one kind on a node, as far as the caller may see them.
    GetGuests = Get "/nodes/{node}/{kind}" -> Vec<GuestStatus> {
        node: String = "node",
        kind: GuestKind = "kind",
    }

    /// The configuration: as it will be, or as it is with `current`.
    GetConfig = Get "/nodes/{node}/{kind}/{vmid}/config" -> GuestConfig {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        current: Option<bool> = "current",
        snapshot: Option<String> = "snapshot",
    }

    /// What waits for the next start.
    GetPending = Get "/nodes/{node}/{kind}/{vmid}/pending" -> Vec<Pending> {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
    }

    /// Whether it runs, and what it uses.
    GetStatus = Get "/nodes/{node}/{kind}/{vmid}/status/current" -> GuestStatus {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
    }

    /// Starts it.
    PowerOn = Post "/nodes/{node}/{kind}/{vmid}/status/start" -> Upid {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
    }

    /// Stops it at once.
    PowerOff = Post "/nodes/{node}/{kind}/{vmid}/status/stop" -> Upid {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
    }

    /// Asks it to stop, and stops it after `timeout` seconds if `force_stop` says so.
    Shutdown = Post "/nodes/{node}/{kind}/{vmid}/status/shutdown" -> Upid {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        timeout: Option<u32> = "timeout",
        force_stop: Option<bool> = "forceStop",
    }

    /// Stops and starts it, which brings pending changes in.
    Reboot = Post "/nodes/{node}/{kind}/{vmid}/status/reboot" -> Upid {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        timeout: Option<u32> = "timeout",
    }

    /// Makes a disk bigger: `+4G` or `12G`.
    Resize = Put "/nodes/{node}/{kind}/{vmid}/resize" -> Upid {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        disk: String = "disk",
        size: String = "size",
        digest: Option<String> = "digest",
    }

    /// Whether the storages of the guest can do `snapshot`, `clone` or `copy`.
    HasFeature = Get "/nodes/{node}/{kind}/{vmid}/feature" -> Feature {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        feature: String = "feature",
        snapname: Option<String> = "snapname",
    }

    /// Snapshots, oldest first, then `current`.
    GetSnapshots = Get "/nodes/{node}/{kind}/{vmid}/snapshot" -> Vec<Snapshot> {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
    }

    /// Takes a snapshot. Duplicate names and storages without snapshots show only in the task.
    CreateSnapshot = Post "/nodes/{node}/{kind}/{vmid}/snapshot" -> Upid {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        snapname: String = "snapname",
        description: Option<String> = "description",
    }

    /// The configuration at a snapshot.
    GetSnapshotConfig = Get "/nodes/{node}/{kind}/{vmid}/snapshot/{snapname}/config" -> GuestConfig {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        snapname: String = "snapname",
    }

    /// Takes configuration and disks back to a snapshot. A running guest is stopped.
    Rollback = Post "/nodes/{node}/{kind}/{vmid}/snapshot/{snapname}/rollback" -> Upid {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        snapname: String = "snapname",
        start: Option<bool> = "start",
    }

    /// Takes a snapshot away.
    DeleteSnapshot = Delete "/nodes/{node}/{kind}/{vmid}/snapshot/{snapname}" -> Upid {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        snapname: String = "snapname",
        force: Option<bool> = "force",
    }

    /// Makes the guest a template. A container's answer is nothing, though a task runs; a machine's is the task.
    MakeTemplate = Post "/nodes/{node}/{kind}/{vmid}/template" -> Option<Upid> {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
    }

    /// Takes the guest and its disks away. With `purge`, backup jobs, replication and high availability forget it too.
    DeleteGuest = Delete "/nodes/{node}/{kind}/{vmid}" -> Upid {
        node: String = "node",
        kind: GuestKind = "kind",
        vmid: Vmid = "vmid",
        purge: Option<bool> = "purge",
        destroy_unreferenced_disks: Option<bool> = "destroy-unreferenced-disks",
    }
}
