//! The cluster as a whole.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::request::requests;
use crate::Vmid;
use crate::values::{flag, maybe_number};

/// A guest, node, storage, pool or network in the list of everything.
#[derive(Clone, Debug, Deserialize)]
pub struct Resource {
    /// `lxc/100`, `node/pve1`, `storage/pve1/local`.
    pub id: String,
    /// `lxc`, `qemu`, `node`, `storage`, `pool`, `sdn`, `network`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The node that holds it.
    #[serde(default)]
    pub node: Option<String>,
    /// The guest's number.
    #[serde(default)]
    pub vmid: Option<Vmid>,
    /// The guest's name.
    #[serde(default)]
    pub name: Option<String>,
    /// `running`, `stopped`, `online`, `available` …
    #[serde(default)]
    pub status: Option<String>,
    /// Tags with `;` between them.
    #[serde(default)]
    pub tags: Option<String>,
    /// Why the guest is locked.
    #[serde(default)]
    pub lock: Option<String>,
    /// The pool that the guest is in.
    #[serde(default)]
    pub pool: Option<String>,
    /// Whether the guest is a template.
    #[serde(default, deserialize_with = "flag")]
    pub template: bool,
    /// Most memory, in bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub maxmem: Option<u64>,
    /// Size of the disk, in bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub maxdisk: Option<u64>,
}

/// A line of the cluster's state: the cluster itself, or one of its nodes.
#[derive(Clone, Debug, Deserialize)]
pub struct ClusterEntry {
    /// `cluster` or `node`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether the cluster can write (on the line of the cluster).
    #[serde(default, deserialize_with = "flag")]
    pub quorate: bool,
    /// Whether the node is there (on the line of a node).
    #[serde(default, deserialize_with = "flag")]
    pub online: bool,
    /// The node's address.
    #[serde(default)]
    pub ip: Option<String>,
}

/// A resource that high availability looks after.
#[derive(Clone, Debug, Deserialize)]
pub struct HaResource {
    /// `ct:105` or `vm:105`.
    pub sid: String,
    /// What it should be: `started`, `stopped`, `ignored`, `disabled`.
    #[serde(default)]
    pub state: Option<String>,
}

/// A job that copies a guest's disks to another node.
#[derive(Clone, Debug, Deserialize)]
pub struct ReplicationJob {
    /// `105-0`.
    pub id: String,
    /// The guest.
    pub guest: Vmid,
    /// The node that gets the copy.
    pub target: String,
    /// When.
    #[serde(default)]
    pub schedule: Option<String>,
}

/// A pool.
#[derive(Clone, Debug, Deserialize)]
pub struct Pool {
    /// Its name.
    pub poolid: String,
    /// A remark.
    #[serde(default)]
    pub comment: Option<String>,
}

requests! {
    /// A free number, or whether one is free. It reserves nothing.
    NextId = Get "/cluster/nextid" -> Vmid {
        vmid: Option<Vmid> = "vmid",
    }

    /// Everything that the caller may see.
    GetResources = Get "/cluster/resources" -> Vec<Resource> {
        kind: Option<String> = "type",
    }

    /// Quorum and nodes.
    GetClusterStatus = Get "/cluster/status" -> Vec<ClusterEntry> {}

    /// Options of the datacenter.
    GetClusterOptions = Get "/cluster/options" -> Map<String, Value> {}

    /// Resources that high availability looks after.
    GetHaResources = Get "/cluster/ha/resources" -> Vec<HaResource> {}

    /// Puts a guest under high availability.
    #[derive(Default)]
    CreateHaResource = Post "/cluster/ha/resources" -> () {
        sid: String = "sid",
        state: Option<String> = "state",
        max_restart: Option<u32> = "max_restart",
        max_relocate: Option<u32> = "max_relocate",
        comment: Option<String> = "comment",
    }

    /// Changes how high availability looks after a guest; `state` may be `started`, `stopped`, `disabled` or `ignored`.
    #[derive(Default)]
    UpdateHaResource = Put "/cluster/ha/resources/{sid}" -> () {
        sid: String = "sid",
        state: Option<String> = "state",
        max_restart: Option<u32> = "max_restart",
        max_relocate: Option<u32> = "max_relocate",
        comment: Option<String> = "comment",
        digest: Option<String> = "digest",
    }

    /// Takes a guest out of high availability.
    DeleteHaResource = Delete "/cluster/ha/resources/{sid}" -> () {
        sid: String = "sid",
    }

    /// State of high availability.
    GetHaStatus = Get "/cluster/ha/status/current" -> Vec<Map<String, Value>> {}

    /// Jobs that copy disks to other nodes.
    GetReplication = Get "/cluster/replication" -> Vec<ReplicationJob> {}

    /// Adds a job that copies a guest's disks to another node, as `105-0`. Storages that cannot are refused.
    #[derive(Default)]
    CreateReplication = Post "/cluster/replication" -> () {
        id: String = "id",
        target: String = "target",
        kind: String = "type",
        schedule: Option<String> = "schedule",
        rate: Option<f64> = "rate",
        comment: Option<String> = "comment",
    }

    /// Takes a job away; the copies go with it unless `keep` says otherwise.
    DeleteReplication = Delete "/cluster/replication/{id}" -> () {
        id: String = "id",
        keep: Option<bool> = "keep",
        force: Option<bool> = "force",
    }

    /// Pools that the caller may see.
    GetPools = Get "/pools" -> Vec<Pool> {}

    /// Makes a pool.
    CreatePool = Post "/pools" -> () {
        poolid: String = "poolid",
        comment: Option<String> = "comment",
    }

    /// Puts guests and storages into a pool, or takes them out.
    #[derive(Default)]
    UpdatePool = Put "/pools" -> () {
        poolid: String = "poolid",
        vms: Option<String> = "vms",
        storage: Option<String> = "storage",
        delete: Option<bool> = "delete",
        allow_move: Option<bool> = "allow-move",
        comment: Option<String> = "comment",
    }

    /// Takes an empty pool away.
    DeletePool = Delete "/pools" -> () {
        poolid: String = "poolid",
    }
}
