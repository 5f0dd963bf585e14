//! Containers.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::request::requests;
use crate::property::{Features, LxcNet, Mount, Startup};
use crate::values::flag;
use crate::{Secret, Upid, Vmid};

/// A network interface inside a running container.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The card's address.
    #[serde(default, rename = "hwaddr")]
    pub mac: Option<String>,
    /// The last IPv4 address with its length.
    #[serde(default)]
    pub inet: Option<String>,
    /// The last IPv6 address with its length.
    #[serde(default)]
    pub inet6: Option<String>,
}

/// Where a container could move.
#[derive(Clone, Debug, Deserialize)]
pub struct LxcOutlook {
    /// Whether it runs.
    #[serde(deserialize_with = "flag")]
    pub running: bool,
    /// Nodes that would take it.
    #[serde(default, rename = "allowed-nodes")]
    pub allowed_nodes: Vec<String>,
}

requests! {
    /// Makes a container from a template, or from a backup with `restore`. The task ends well before the container runs, if it is to.
    #[derive(Default)]
    LxcCreate = Post "/nodes/{node}/lxc" -> Upid {
        node: String = "node",
        vmid: Vmid = "vmid",
        ostemplate: String = "ostemplate",
        hostname: Option<String> = "hostname",
        description: Option<String> = "description",
        tags: Option<String> = "tags",
        pool: Option<String> = "pool",
        unprivileged: Option<bool> = "unprivileged",
        features: Option<Features> = "features",
        cores: Option<u32> = "cores",
        cpulimit: Option<f64> = "cpulimit",
        cpuunits: Option<u32> = "cpuunits",
        memory: Option<u32> = "memory",
        swap: Option<u32> = "swap",
        storage: Option<String> = "storage",
        rootfs: Option<Mount> = "rootfs",
        mounts: BTreeMap<u16, Mount> = "mp[n]",
        nets: BTreeMap<u16, LxcNet> = "net[n]",
        nameserver: Option<String> = "nameserver",
        searchdomain: Option<String> = "searchdomain",
        password: Option<Secret> = "password",
        ssh_public_keys: Option<String> = "ssh-public-keys",
        onboot: Option<bool> = "onboot",
        startup: Option<Startup> = "startup",
        protection: Option<bool> = "protection",
        cmode: Option<String> = "cmode",
        ostype: Option<String> = "ostype",
        arch: Option<String> = "arch",
        timezone: Option<String> = "timezone",
        entrypoint: Option<String> = "entrypoint" since V9_1,
        env: Option<Secret> = "env" since V9_1,
        start: Option<bool> = "start",
        restore: Option<bool> = "restore",
        force: Option<bool> = "force",
        unique: Option<bool> = "unique",
        ignore_unpack_errors: Option<bool> = "ignore-unpack-errors",
        bwlimit: Option<u32> = "bwlimit",
    }

    /// Changes a container, at once where that is possible, else at its next start ([`super::GetPending`]).
    #[derive(Default)]
    LxcUpdate = Put "/nodes/{node}/lxc/{vmid}/config" -> () {
        node: String = "node",
        vmid: Vmid = "vmid",
        digest: Option<String> = "digest",
        delete: Option<String> = "delete",
        revert: Option<String> = "revert",
        hostname: Option<String> = "hostname",
        description: Option<String> = "description",
        tags: Option<String> = "tags",
        features: Option<Features> = "features",
        cores: Option<u32> = "cores",
        cpulimit: Option<f64> = "cpulimit",
        cpuunits: Option<u32> = "cpuunits",
        memory: Option<u32> = "memory",
        swap: Option<u32> = "swap",
        rootfs: Option<Mount> = "rootfs",
        mounts: BTreeMap<u16, Mount> = "mp[n]",
        nets: BTreeMap<u16, LxcNet> = "net[n]",
        nameserver: Option<String> = "nameserver",
        searchdomain: Option<String> = "searchdomain",
        onboot: Option<bool> = "onboot",
        startup: Option<Startup> = "startup",
        protection: Option<bool> = "protection",
        timezone: Option<String> = "timezone",
        entrypoint: Option<String> = "entrypoint" since V9_1,
        env: Option<Secret> = "env" since V9_1,
    }

    /// Copies a container. Everything but the network cards' addresses is copied, flags that only root sets included.
    #[derive(Default)]
    LxcClone = Post "/nodes/{node}/lxc/{vmid}/clone" -> Upid {
        node: String = "node",
        vmid: Vmid = "vmid",
        newid: Vmid = "newid",
        hostname: Option<String> = "hostname",
        description: Option<String> = "description",
        full: Option<bool> = "full",
        storage: Option<String> = "storage",
        snapname: Option<String> = "snapname",
        pool: Option<String> = "pool",
        target: Option<String> = "target",
    }

    /// Moves a volume of a stopped container to another storage (`storage`) or to another container (`target_vmid`). The old
    /// volume stays as `unusedN` unless `delete` says otherwise.
    #[derive(Default)]
    LxcMoveVolume = Post "/nodes/{node}/lxc/{vmid}/move_volume" -> Upid {
        node: String = "node",
        vmid: Vmid = "vmid",
        volume: String = "volume",
        storage: Option<String> = "storage",
        target_vmid: Option<Vmid> = "target-vmid",
        target_volume: Option<String> = "target-volume",
        delete: Option<bool> = "delete",
        bwlimit: Option<u32> = "bwlimit",
        digest: Option<String> = "digest",
        target_digest: Option<String> = "target-digest",
    }

    /// Moves a container to another node. One that runs is stopped and started there with `restart`; containers do not move live.
    #[derive(Default)]
    LxcMigrate = Post "/nodes/{node}/lxc/{vmid}/migrate" -> Upid {
        node: String = "node",
        vmid: Vmid = "vmid",
        target: String = "target",
        restart: Option<bool> = "restart",
        timeout: Option<u32> = "timeout",
        target_storage: Option<String> = "target-storage",
        bwlimit: Option<u32> = "bwlimit",
    }

    /// Where a container could move.
    #[derive(Default)]
    LxcMigrationOutlook = Get "/nodes/{node}/lxc/{vmid}/migrate" since V9_2 -> LxcOutlook {
        node: String = "node",
        vmid: Vmid = "vmid",
        target: Option<String> = "target",
    }

    /// Interfaces inside a running container; nothing when it is stopped.
    GetInterfaces = Get "/nodes/{node}/lxc/{vmid}/interfaces" -> Option<Vec<Interface>> {
        node: String = "node",
        vmid: Vmid = "vmid",
    }
}
