//! Virtual machines.

use std::collections::BTreeMap;

use super::request::requests;
use crate::property::{Drive, IpConfig, QemuNet, Startup};
use crate::{Secret, Upid, UrlEncoded, Vmid};

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
