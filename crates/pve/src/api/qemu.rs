//! Virtual machines.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::request::requests;
use crate::property::{Drive, IpConfig, QemuNet, Startup};
use crate::values::flag;
use crate::{Secret, Upid, UrlEncoded, Vmid};

/// What stands in the way of a machine's migration.
#[derive(Clone, Debug, Deserialize)]
pub struct QemuOutlook {
    /// Whether it runs.
    #[serde(deserialize_with = "flag")]
    pub running: bool,
    /// Nodes that would take it; not said of a machine that runs.
    #[serde(default)]
    pub allowed_nodes: Vec<String>,
    /// Disks on storages of this node only.
    #[serde(default)]
    pub local_disks: Vec<LocalDisk>,
    /// Devices of this node that hold it here.
    #[serde(default)]
    pub local_resources: Vec<String>,
}

/// A disk on a storage of one node only.
#[derive(Clone, Debug, Deserialize)]
pub struct LocalDisk {
    /// The volume.
    pub volid: String,
    /// Whether it is an image in a drive.
    #[serde(default, deserialize_with = "flag")]
    pub cdrom: bool,
}

requests! {
    /// Makes a machine, or restores one from `archive`. Disks with `import-from` are copied inside the task.
    #[derive(Default)]
    QemuCreate = Post "/nodes/{node}/qemu" -> Upid {
        node: String = "node",
        vmid: Vmid = "vmid",
        name: Option<String> = "name",
        description: Option<String> = "description",
        tags: Option<String> = "tags",
        pool: Option<String> = "pool",
        ostype: Option<String> = "ostype",
        cores: Option<u32> = "cores",
        sockets: Option<u32> = "sockets",
        cpu: Option<String> = "cpu",
        memory: Option<String> = "memory",
        balloon: Option<u32> = "balloon",
        machine: Option<String> = "machine",
        bios: Option<String> = "bios",
        kvm: Option<bool> = "kvm",
        scsihw: Option<String> = "scsihw",
        scsi: BTreeMap<u16, Drive> = "scsi[n]",
        virtio: BTreeMap<u16, Drive> = "virtio[n]",
        sata: BTreeMap<u16, Drive> = "sata[n]",
        ide: BTreeMap<u16, Drive> = "ide[n]",
        efidisk: Option<Drive> = "efidisk0",
        boot: Option<String> = "boot",
        nets: BTreeMap<u16, QemuNet> = "net[n]",
        serial: BTreeMap<u16, String> = "serial[n]",
        vga: Option<String> = "vga",
        agent: Option<String> = "agent",
        ciuser: Option<String> = "ciuser",
        cipassword: Option<Secret> = "cipassword",
        ciupgrade: Option<bool> = "ciupgrade",
        cicustom: Option<String> = "cicustom",
        sshkeys: Option<UrlEncoded> = "sshkeys",
        ipconfig: BTreeMap<u16, IpConfig> = "ipconfig[n]",
        nameserver: Option<String> = "nameserver",
        searchdomain: Option<String> = "searchdomain",
        onboot: Option<bool> = "onboot",
        startup: Option<Startup> = "startup",
        protection: Option<bool> = "protection",
        start: Option<bool> = "start",
        archive: Option<String> = "archive",
        storage: Option<String> = "storage",
        force: Option<bool> = "force",
        unique: Option<bool> = "unique",
    }

    /// Changes a machine at once. What touches disks takes time: [`QemuUpdateTask`] does it in a task.
    #[derive(Default)]
    QemuUpdate = Put "/nodes/{node}/qemu/{vmid}/config" -> () {
        node: String = "node",
        vmid: Vmid = "vmid",
        digest: Option<String> = "digest",
        delete: Option<String> = "delete",
        revert: Option<String> = "revert",
        name: Option<String> = "name",
        description: Option<String> = "description",
        tags: Option<String> = "tags",
        cores: Option<u32> = "cores",
        cpu: Option<String> = "cpu",
        memory: Option<String> = "memory",
        agent: Option<String> = "agent",
        kvm: Option<bool> = "kvm",
        scsi: BTreeMap<u16, Drive> = "scsi[n]",
        ide: BTreeMap<u16, Drive> = "ide[n]",
        nets: BTreeMap<u16, QemuNet> = "net[n]",
        ciuser: Option<String> = "ciuser",
        cipassword: Option<Secret> = "cipassword",
        ciupgrade: Option<bool> = "ciupgrade",
        sshkeys: Option<UrlEncoded> = "sshkeys",
        ipconfig: BTreeMap<u16, IpConfig> = "ipconfig[n]",
        nameserver: Option<String> = "nameserver",
        onboot: Option<bool> = "onboot",
        startup: Option<Startup> = "startup",
        protection: Option<bool> = "protection",
    }

    /// Changes a machine in a task.
    #[derive(Default)]
    QemuUpdateTask = Post "/nodes/{node}/qemu/{vmid}/config" -> Option<Upid> {
        node: String = "node",
        vmid: Vmid = "vmid",
        digest: Option<String> = "digest",
        delete: Option<String> = "delete",
        cores: Option<u32> = "cores",
        memory: Option<String> = "memory",
        scsi: BTreeMap<u16, Drive> = "scsi[n]",
        ide: BTreeMap<u16, Drive> = "ide[n]",
        nets: BTreeMap<u16, QemuNet> = "net[n]",
    }

    /// Copies a machine. A template gives a linked copy unless `full` says otherwise.
    #[derive(Default)]
    QemuClone = Post "/nodes/{node}/qemu/{vmid}/clone" -> Upid {
        node: String = "node",
        vmid: Vmid = "vmid",
        newid: Vmid = "newid",
        name: Option<String> = "name",
        description: Option<String> = "description",
        full: Option<bool> = "full",
        storage: Option<String> = "storage",
        snapname: Option<String> = "snapname",
        pool: Option<String> = "pool",
        target: Option<String> = "target",
    }

    /// Moves a disk to another storage (`storage`), also while the machine runs, or to another machine (`target_vmid`). The old
    /// disk stays as `unusedN` unless `delete` says otherwise.
    #[derive(Default)]
    QemuMoveDisk = Post "/nodes/{node}/qemu/{vmid}/move_disk" -> Upid {
        node: String = "node",
        vmid: Vmid = "vmid",
        disk: String = "disk",
        storage: Option<String> = "storage",
        format: Option<String> = "format",
        target_vmid: Option<Vmid> = "target-vmid",
        target_disk: Option<String> = "target-disk",
        delete: Option<bool> = "delete",
        bwlimit: Option<u32> = "bwlimit",
        digest: Option<String> = "digest",
        target_digest: Option<String> = "target-digest",
    }

    /// Moves a machine to another node, while it runs with `online`, and with its local disks with `with_local_disks`.
    #[derive(Default)]
    QemuMigrate = Post "/nodes/{node}/qemu/{vmid}/migrate" -> Upid {
        node: String = "node",
        vmid: Vmid = "vmid",
        target: String = "target",
        online: Option<bool> = "online",
        with_local_disks: Option<bool> = "with-local-disks",
        targetstorage: Option<String> = "targetstorage",
        bwlimit: Option<u32> = "bwlimit",
        with_conntrack_state: Option<bool> = "with-conntrack-state" since V9_1,
    }

    /// What stands in the way of a migration.
    #[derive(Default)]
    QemuMigrationOutlook = Get "/nodes/{node}/qemu/{vmid}/migrate" -> QemuOutlook {
        node: String = "node",
        vmid: Vmid = "vmid",
        target: Option<String> = "target",
    }

    /// Writes the drive with cloud-init's data anew.
    RegenerateCloudInit = Put "/nodes/{node}/qemu/{vmid}/cloudinit" -> () {
        node: String = "node",
        vmid: Vmid = "vmid",
    }

    /// What cloud-init is told: `user`, `network` or `meta`.
    DumpCloudInit = Get "/nodes/{node}/qemu/{vmid}/cloudinit/dump" -> Secret {
        node: String = "node",
        vmid: Vmid = "vmid",
        kind: String = "type",
    }
}
