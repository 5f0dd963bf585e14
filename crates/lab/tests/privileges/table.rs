//! What each operation takes at least.

/// A request, and the least privileges that it takes.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) verb: &'static str,
    pub(crate) path: &'static str,
    pub(crate) form: &'static str,
    pub(crate) least: &'static [&'static str],
    /// The least on release 8.4; nothing where that has no such operation.
    pub(crate) least_on_8: Option<&'static [&'static str]>,
}

const fn op(
    verb: &'static str,
    path: &'static str,
    form: &'static str,
    least: &'static [&'static str],
) -> Operation {
    Operation { verb, path, form, least, least_on_8: Some(least) }
}

impl Operation {
    const fn on_8(mut self, least: &'static [&'static str]) -> Self {
        self.least_on_8 = Some(least);
        self
    }

    const fn not_on_8(mut self) -> Self {
        self.least_on_8 = None;
        self
    }
}

/// Changing operations that take no privilege that could be missing.
pub(crate) const WITHOUT_PRIVILEGES: &[(&str, &str, &str)] = &[
    ("POST", "/access/ticket", "whoever logs in is nobody yet"),
    ("POST", "/nodes/{node}/execute", "the contract names no privilege: root@pam only"),
];

/// From the permissions that the vendor's contract documents, in its words: `pve-api/pve-*.json`.
pub(crate) const OPERATIONS: &[Operation] = &[
    op(
        "POST",
        "/nodes/pve1/lxc",
        "vmid=110&ostemplate=local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst&unprivileged=1&rootfs=local-lvm:4&cores=2\
         &memory=512&hostname=app&onboot=1&features=nesting%3D1&net0=name%3Deth0,bridge%3Dvmbr0,ip%3Ddhcp",
        &[
            "VM.Allocate",
            "VM.Config.CPU",
            "VM.Config.Memory",
            "VM.Config.Disk",
            "VM.Config.Network",
            "VM.Config.Options",
            "Datastore.AllocateSpace",
            "SDN.Use",
        ],
    ),
    op(
        "POST",
        "/nodes/pve1/qemu",
        "vmid=210&name=vm&cores=2&memory=512&scsi0=local-lvm:4&net0=virtio,bridge%3Dvmbr0&ciuser=me&serial0=socket&ide2=none,media%3Dcdrom",
        &[
            "VM.Allocate",
            "VM.Config.CPU",
            "VM.Config.Memory",
            "VM.Config.Disk",
            "VM.Config.Network",
            "VM.Config.Options",
            "VM.Config.HWType",
            "VM.Config.CDROM",
            "Datastore.AllocateSpace",
            "SDN.Use",
        ],
    ),
    op("GET", "/nodes/pve1/lxc/100/config", "", &["VM.Audit"]),
    op("PUT", "/nodes/pve1/lxc/100/config", "memory=600", &["VM.Config.Memory"]),
    op(
        "PUT",
        "/nodes/pve1/lxc/100/config",
        "mp0=local-lvm:1,mp%3D/data",
        &["VM.Config.Disk", "Datastore.AllocateSpace"],
    ),
    op(
        "PUT",
        "/nodes/pve1/lxc/100/config",
        "net0=name%3Deth0,bridge%3Dvmbr0,ip%3Ddhcp",
        &["VM.Config.Network", "SDN.Use"],
    ),
    op("POST", "/nodes/pve1/lxc/100/status/start", "", &["VM.PowerMgmt"]),
    op("POST", "/nodes/pve1/qemu/200/status/stop", "", &["VM.PowerMgmt"]),
    op(
        "PUT",
        "/nodes/pve1/lxc/100/resize",
        "disk=rootfs&size=%2B1G",
        &["VM.Config.Disk", "VM.Config.Options", "Datastore.AllocateSpace"],
    ),
    op(
        "POST",
        "/nodes/pve1/lxc/102/move_volume",
        "volume=rootfs&storage=local-lvm",
        &["VM.Config.Disk", "Datastore.AllocateSpace"],
    ),
    op(
        "POST",
        "/nodes/pve1/qemu/200/move_disk",
        "disk=scsi0&storage=fast",
        &["VM.Config.Disk", "Datastore.AllocateSpace"],
    ),
    op("POST", "/nodes/pve1/lxc/102/migrate", "target=pve2", &["VM.Migrate"]),
    op(
        "POST",
        "/nodes/pve1/qemu/200/migrate",
        "target=pve2&online=1&with-local-disks=1&targetstorage=fast",
        &["VM.Migrate", "VM.Config.Disk", "Datastore.AllocateSpace"],
    ),
    op("POST", "/nodes/pve1/lxc/100/snapshot", "snapname=s2", &["VM.Snapshot"]),
    op("POST", "/nodes/pve1/lxc/100/snapshot/s1/rollback", "", &["VM.Snapshot.Rollback"]),
    op("DELETE", "/nodes/pve1/lxc/100/snapshot/s1", "", &["VM.Snapshot"]),
    op(
        "POST",
        "/nodes/pve1/lxc/101/clone",
        "newid=120",
        &["VM.Clone", "VM.Allocate", "Datastore.AllocateSpace", "SDN.Use"],
    ),
    op("POST", "/nodes/pve1/lxc/102/template", "", &["VM.Allocate"]),
    op("DELETE", "/nodes/pve1/lxc/100", "purge=1", &["VM.Allocate"]),
    op("POST", "/nodes/pve1/vzdump", "vmid=100&storage=local", &["VM.Backup", "Datastore.AllocateSpace"]),
    op(
        "POST",
        "/nodes/pve1/storage/local/download-url",
        "content=iso&filename=y.iso&url=http://x/y.iso",
        &["Datastore.AllocateTemplate", "Sys.AccessNetwork"],
    ),
    op("DELETE", "/nodes/pve1/storage/local/content/local:iso%2Fx.iso", "", &["Datastore.Allocate"]),
    op("GET", "/nodes/pve1/storage/local/status", "", &["Datastore.Audit"]),
    op("POST", "/nodes/pve1/lxc/100/firewall/rules", "type=in&action=ACCEPT", &["VM.Config.Network"]),
    op(
        "POST",
        "/cluster/backup",
        "all=1&schedule=02:00&storage=local",
        &["Sys.Modify", "Datastore.Allocate"],
    ),
    op("PUT", "/cluster/backup/nightly", "storage=local", &["Sys.Modify", "Datastore.Allocate"]),
    op("GET", "/cluster/status", "", &["Sys.Audit"]),
    op("POST", "/pools", "poolid=apps", &["Pool.Allocate"]),
    op("POST", "/nodes/pve1/qemu/200/agent/exec", "command=true", &["VM.GuestAgent.Unrestricted"])
        .on_8(&["VM.Monitor"]),
    op("POST", "/access/roles", "roleid=New&privs=VM.Audit", &["Sys.Modify"]),
    op("PUT", "/access/roles/Other", "privs=VM.Audit", &["Sys.Modify"]),
    op("DELETE", "/access/roles/Other", "", &["Sys.Modify"]),
    op("POST", "/access/users", "userid=new@pve", &["Realm.AllocateUser", "User.Modify"]),
    op("PUT", "/access/users/other@pve", "comment=x", &["User.Modify"]),
    op("DELETE", "/access/users/other@pve", "", &["Realm.AllocateUser", "User.Modify"]),
    op("POST", "/access/users/other@pve/token/new", "", &["User.Modify"]),
    op("PUT", "/access/users/other@pve/token/old", "comment=x", &["User.Modify"]),
    op("DELETE", "/access/users/other@pve/token/old", "", &["User.Modify"]),
    op("POST", "/access/groups", "groupid=new", &["Group.Allocate"]),
    op("PUT", "/access/groups/team", "comment=x", &["Group.Allocate"]),
    op("DELETE", "/access/groups/team", "", &["Group.Allocate"]),
    op("PUT", "/access/acl", "path=/vms&roles=Other&users=other@pve", &["Permissions.Modify"]),
    op("PUT", "/cluster/backup/nightly", "comment=x", &["Sys.Modify"]),
    op("DELETE", "/cluster/backup/nightly", "", &["Sys.Modify"]),
    op("POST", "/cluster/ha/resources", "sid=ct:100", &["Sys.Console"]),
    op("PUT", "/cluster/ha/resources/vm:200", "comment=x", &["Sys.Console"]),
    op("DELETE", "/cluster/ha/resources/vm:200", "", &["Sys.Console"]),
    op(
        "POST",
        "/cluster/ha/rules",
        "rule=new&type=node-affinity&resources=vm:200&nodes=pve1",
        &["Sys.Console"],
    )
    .not_on_8(),
    op("PUT", "/cluster/ha/rules/apart", "type=node-affinity&comment=x", &["Sys.Console"]).not_on_8(),
    op("DELETE", "/cluster/ha/rules/apart", "", &["Sys.Console"]).not_on_8(),
    op("POST", "/cluster/replication", "id=105-0&target=pve2&type=local", &["VM.Replicate"])
        .on_8(&["Datastore.Allocate"]),
    op("DELETE", "/cluster/replication/104-0", "", &["VM.Replicate"]).on_8(&["Datastore.Allocate"]),
    op("PUT", "/cluster/firewall/options", "policy_in=DROP", &["Sys.Modify"]),
    op("DELETE", "/nodes/pve1/tasks/{task}", "", &["Sys.Modify"]),
    op(
        "POST",
        "/nodes/pve1/aplinfo",
        "storage=local&template=debian-13-standard_13.1-2_amd64.tar.zst",
        &["Datastore.AllocateTemplate"],
    ),
    op("POST", "/nodes/pve1/storage/local/upload", "content=iso", &["Datastore.AllocateTemplate"]),
    op(
        "POST",
        "/nodes/pve1/storage/local/oci-registry-pull",
        "reference=docker.io/library/redis:7",
        &["Datastore.AllocateTemplate", "Sys.AccessNetwork"],
    )
    .not_on_8(),
    op("POST", "/storage", "storage=more&type=dir&path=/srv/more", &["Datastore.Allocate"]),
    op("PUT", "/storage/fast", "content=images", &["Datastore.Allocate"]),
    op("DELETE", "/storage/fast", "", &["Datastore.Allocate"]),
    op("PUT", "/pools", "poolid=team&comment=x", &["Pool.Allocate"]),
    op("DELETE", "/pools", "poolid=team", &["Pool.Allocate"]),
    op("POST", "/nodes/pve1/lxc/103/status/stop", "", &["VM.PowerMgmt"]),
    op("POST", "/nodes/pve1/lxc/103/status/shutdown", "", &["VM.PowerMgmt"]),
    op("POST", "/nodes/pve1/lxc/103/status/reboot", "", &["VM.PowerMgmt"]),
    op("PUT", "/nodes/pve1/lxc/100/snapshot/s1/config", "description=x", &["VM.Snapshot"]),
    op("DELETE", "/nodes/pve1/qemu/201", "", &["VM.Allocate"]),
    op("PUT", "/nodes/pve1/qemu/201/config", "memory=600", &["VM.Config.Memory"]),
    op("POST", "/nodes/pve1/qemu/201/config", "cores=2", &["VM.Config.CPU"]),
    op("PUT", "/nodes/pve1/qemu/201/config", "name=other", &["VM.Config.Options"]),
    op("PUT", "/nodes/pve1/qemu/201/config", "ciuser=me", &["VM.Config.Cloudinit"]),
    op("PUT", "/nodes/pve1/qemu/201/config", "serial0=socket", &["VM.Config.HWType"]),
    op("PUT", "/nodes/pve1/qemu/201/config", "ide2=none,media%3Dcdrom", &["VM.Config.CDROM"]),
    op("POST", "/nodes/pve1/qemu/201/status/start", "", &["VM.PowerMgmt"]),
    op("POST", "/nodes/pve1/qemu/200/status/shutdown", "", &["VM.PowerMgmt"]),
    op("POST", "/nodes/pve1/qemu/200/status/reboot", "", &["VM.PowerMgmt"]),
    op("POST", "/nodes/pve1/qemu/200/status/reset", "", &["VM.PowerMgmt"]),
    op(
        "PUT",
        "/nodes/pve1/qemu/201/resize",
        "disk=scsi0&size=%2B1G",
        &["VM.Config.Disk", "Datastore.AllocateSpace"],
    ),
    op("POST", "/nodes/pve1/qemu/201/snapshot", "snapname=s2", &["VM.Snapshot"]),
    op("PUT", "/nodes/pve1/qemu/201/snapshot/s1/config", "description=x", &["VM.Snapshot"]),
    op("POST", "/nodes/pve1/qemu/201/snapshot/s1/rollback", "", &["VM.Snapshot.Rollback"]),
    op("DELETE", "/nodes/pve1/qemu/201/snapshot/s1", "", &["VM.Snapshot"]),
    op(
        "POST",
        "/nodes/pve1/qemu/202/clone",
        "newid=220&full=1",
        &["VM.Clone", "VM.Allocate", "Datastore.AllocateSpace"],
    ),
    op("POST", "/nodes/pve1/qemu/202/template", "", &["VM.Allocate"]),
    op("PUT", "/nodes/pve1/qemu/202/cloudinit", "", &["VM.Config.Cloudinit"]),
    op("POST", "/nodes/pve1/qemu/200/agent/ping", "", &["VM.GuestAgent.Audit"]).on_8(&["VM.Monitor"]),
    op("POST", "/nodes/pve1/qemu/200/agent/fsfreeze-freeze", "", &["VM.GuestAgent.FileSystemMgmt"])
        .on_8(&["VM.Monitor"]),
    op("POST", "/nodes/pve1/qemu/200/agent/fsfreeze-status", "", &["VM.GuestAgent.FileSystemMgmt"])
        .on_8(&["VM.Monitor"]),
    op("POST", "/nodes/pve1/qemu/200/agent/fsfreeze-thaw", "", &["VM.GuestAgent.FileSystemMgmt"])
        .on_8(&["VM.Monitor"]),
    op(
        "POST",
        "/nodes/pve1/qemu/200/agent/file-write",
        "file=/etc/motd&content=x",
        &["VM.GuestAgent.FileWrite"],
    )
    .on_8(&["VM.Monitor"]),
    op("POST", "/cluster/firewall/rules", "type=in&action=ACCEPT", &["Sys.Modify"]),
    op("PUT", "/cluster/firewall/rules/0", "comment=x", &["Sys.Modify"]),
    op("DELETE", "/cluster/firewall/rules/0", "", &["Sys.Modify"]),
    op("POST", "/cluster/firewall/aliases", "name=new&cidr=192.0.2.1", &["Sys.Modify"]),
    op("PUT", "/cluster/firewall/aliases/office", "cidr=192.0.2.2", &["Sys.Modify"]),
    op("DELETE", "/cluster/firewall/aliases/office", "", &["Sys.Modify"]),
    op("POST", "/cluster/firewall/ipset", "name=new", &["Sys.Modify"]),
    op("DELETE", "/cluster/firewall/ipset/empty", "", &["Sys.Modify"]),
    op("POST", "/cluster/firewall/ipset/trusted", "cidr=192.0.2.3", &["Sys.Modify"]),
    op("DELETE", "/cluster/firewall/ipset/trusted/192.0.2.7", "", &["Sys.Modify"]),
    op("PUT", "/nodes/pve1/lxc/100/firewall/rules/0", "comment=x", &["VM.Config.Network"]),
    op("DELETE", "/nodes/pve1/lxc/100/firewall/rules/0", "", &["VM.Config.Network"]),
    op("POST", "/nodes/pve1/lxc/100/firewall/aliases", "name=new&cidr=192.0.2.1", &["VM.Config.Network"]),
    op("PUT", "/nodes/pve1/lxc/100/firewall/aliases/office", "cidr=192.0.2.2", &["VM.Config.Network"]),
    op("DELETE", "/nodes/pve1/lxc/100/firewall/aliases/office", "", &["VM.Config.Network"]),
    op("POST", "/nodes/pve1/lxc/100/firewall/ipset", "name=new", &["VM.Config.Network"]),
    op("DELETE", "/nodes/pve1/lxc/100/firewall/ipset/empty", "", &["VM.Config.Network"]),
    op("POST", "/nodes/pve1/lxc/100/firewall/ipset/trusted", "cidr=192.0.2.3", &["VM.Config.Network"]),
    op("DELETE", "/nodes/pve1/lxc/100/firewall/ipset/trusted/192.0.2.7", "", &["VM.Config.Network"]),
    op("PUT", "/nodes/pve1/lxc/100/firewall/options", "enable=1", &["VM.Config.Network"]),
    op("POST", "/nodes/pve1/qemu/200/firewall/rules", "type=in&action=ACCEPT", &["VM.Config.Network"]),
    op("PUT", "/nodes/pve1/qemu/200/firewall/rules/0", "comment=x", &["VM.Config.Network"]),
    op("DELETE", "/nodes/pve1/qemu/200/firewall/rules/0", "", &["VM.Config.Network"]),
    op("POST", "/nodes/pve1/qemu/200/firewall/aliases", "name=new&cidr=192.0.2.1", &["VM.Config.Network"]),
    op("PUT", "/nodes/pve1/qemu/200/firewall/aliases/office", "cidr=192.0.2.2", &["VM.Config.Network"]),
    op("DELETE", "/nodes/pve1/qemu/200/firewall/aliases/office", "", &["VM.Config.Network"]),
    op("POST", "/nodes/pve1/qemu/200/firewall/ipset", "name=new", &["VM.Config.Network"]),
    op("DELETE", "/nodes/pve1/qemu/200/firewall/ipset/empty", "", &["VM.Config.Network"]),
    op("POST", "/nodes/pve1/qemu/200/firewall/ipset/trusted", "cidr=192.0.2.3", &["VM.Config.Network"]),
    op("DELETE", "/nodes/pve1/qemu/200/firewall/ipset/trusted/192.0.2.7", "", &["VM.Config.Network"]),
    op("PUT", "/nodes/pve1/qemu/200/firewall/options", "enable=1", &["VM.Config.Network"]),
];
