//! Every call of the API that a target makes, with the privileges that the node checks for it.

use plimsoll_pve::Method::{self, Delete, Get, Post, Put};

use crate::work::{Download, Kind, Work};

/// A call of the API.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// What it is for, after "to".
    pub what: &'static str,
    /// The verb.
    pub method: Method,
    /// The path as the vendor's contract writes it; `{kind}` stands for `lxc` and `qemu`.
    pub path: &'static str,
    /// The releases that check it this way.
    pub releases: Releases,
    /// Whether this work makes it.
    pub when: fn(&Work) -> bool,
    /// What it needs, all of it.
    pub needs: &'static [Need],
}

/// A privilege that a call needs.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// Where it is checked.
    pub place: Place,
    /// Any one of these is enough. The first is asked for unless another one is needed anyway.
    pub any_of: &'static [&'static str],
    /// Where that is written.
    pub source: Source,
}

/// Where a privilege is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `/vms/{vmid}`, or the pool that the guest is made in.
    Guest,
    /// The same for a guest that has no number yet.
    NewGuest,
    /// `/storage/{storage}` of the guest's disk.
    Disk,
    /// `/storage/{storage}` of templates and images.
    Templates,
    /// `/storage/{storage}` of what a new machine is told at its first start.
    Seeds,
    /// `/storage/{storage}` of backups.
    Backups,
    /// `/sdn/zones/localnetwork/{bridge}`, with the VLAN behind it where there is one.
    Card,
    /// `/nodes/{node}`.
    Node,
    /// `/`: the cluster as a whole.
    Cluster,
}

/// Where it is written that a call needs a privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The expression under `permissions` of the method in the vendor's API contract.
    Contract,
    /// A function of the node's own code, which looks at parameters.
    Code(&'static str),
}

/// Releases that a line of the table holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Releases {
    /// 8 and 9.
    All,
    /// 8 only.
    Eight,
    /// 9 and later.
    Nine,
}

impl Releases {
    /// Whether a major release is among them.
    #[must_use]
    pub fn hold(self, major: u16) -> bool {
        match self {
            Self::All => true,
            Self::Eight => major < 9,
            Self::Nine => major >= 9,
        }
    }
}

const LXC_CREATE: Source = Source::Code("pve-container PVE/API2/LXC.pm create_vm");
const LXC_OPTIONS: Source = Source::Code("pve-container PVE/LXC.pm check_ct_modify_config_perm");
const LXC_RESIZE: Source = Source::Code("pve-container PVE/API2/LXC.pm resize_vm");
const LXC_CLONE: Source = Source::Code("pve-container PVE/API2/LXC.pm clone_vm");
const VM_CREATE: Source = Source::Code("qemu-server PVE/API2/Qemu.pm create_vm");
const VM_OPTIONS: Source = Source::Code("qemu-server PVE/API2/Qemu.pm check_vm_modify_config_perm");
const VM_CLONE: Source = Source::Code("qemu-server PVE/API2/Qemu.pm clone_vm");
const VM_RESIZE: Source = Source::Code("qemu-server PVE/API2/Qemu.pm resize_vm");
const BRIDGE: Source = Source::Code("pve-guest-common PVE/GuestHelpers.pm check_vnet_access");
const VOLUME: Source = Source::Code("pve-storage PVE/Storage.pm check_volume_access");
const CONTENT: Source = Source::Code("pve-storage PVE/API2/Storage/Content.pm delete");
const EXTRACT: Source = Source::Code("pve-manager PVE/API2/VZDump.pm extractconfig");
const VZDUMP: Source = Source::Code("pve-manager PVE/API2/VZDump.pm vzdump");

const fn guest(any_of: &'static [&'static str], source: Source) -> Need {
    Need { place: Place::Guest, any_of, source }
}

pub(crate) const fn on(place: Place, any_of: &'static [&'static str], source: Source) -> Need {
    Need { place, any_of, source }
}

fn makes_lxc(work: &Work) -> bool {
    work.kind == Kind::Lxc
}

fn makes_vm(work: &Work) -> bool {
    work.kind == Kind::Vm
}

fn makes(work: &Work) -> bool {
    work.kind != Kind::Adopted
}

fn creates_lxc(work: &Work) -> bool {
    work.creates && makes_lxc(work)
}

fn creates_vm(work: &Work) -> bool {
    work.creates && makes_vm(work)
}

fn clones_lxc(work: &Work) -> bool {
    creates_lxc(work) && work.clones
}

fn clones_vm(work: &Work) -> bool {
    creates_vm(work) && work.clones
}

fn downloads(work: &Work, from: Download) -> bool {
    work.creates && work.templates.as_ref().is_some_and(|templates| templates.download == from)
}

fn snapshots(work: &Work) -> bool {
    work.snapshots
}

fn backups(work: &Work) -> bool {
    work.backups.is_some()
}

fn asks_agent(work: &Work) -> bool {
    work.agent
}

/// The calls. Those that any token may make, such as `GET /version`, are left out.
pub const CALLS: &[Call] = &[
    Call {
        what: "make the container",
        method: Post,
        path: "/nodes/{node}/lxc",
        releases: Releases::All,
        when: creates_lxc,
        needs: &[
            guest(&["VM.Allocate"], LXC_CREATE),
            guest(&["VM.Config.CPU"], LXC_OPTIONS),
            guest(&["VM.Config.Memory"], LXC_OPTIONS),
            guest(&["VM.Config.Disk"], LXC_OPTIONS),
            guest(&["VM.Config.Network"], LXC_OPTIONS),
            guest(&["VM.Config.Options"], LXC_OPTIONS),
            on(Place::Disk, &["Datastore.AllocateSpace"], LXC_CREATE),
            on(Place::Templates, &["Datastore.Audit", "Datastore.AllocateSpace"], VOLUME),
            on(Place::Card, &["SDN.Use"], BRIDGE),
        ],
    },
    Call {
        what: "clone the container",
        method: Post,
        path: "/nodes/{node}/lxc/{vmid}/clone",
        releases: Releases::All,
        when: clones_lxc,
        needs: &[
            guest(&["VM.Clone"], Source::Contract),
            on(Place::NewGuest, &["VM.Allocate"], Source::Contract),
            on(Place::Disk, &["Datastore.AllocateSpace"], LXC_CLONE),
            on(Place::Card, &["SDN.Use"], BRIDGE),
        ],
    },
    Call {
        what: "clone the machine",
        method: Post,
        path: "/nodes/{node}/qemu/{vmid}/clone",
        releases: Releases::All,
        when: clones_vm,
        needs: &[
            guest(&["VM.Clone"], Source::Contract),
            on(Place::NewGuest, &["VM.Allocate"], Source::Contract),
            on(Place::Disk, &["Datastore.AllocateSpace"], VM_CLONE),
            on(Place::Card, &["SDN.Use"], BRIDGE),
        ],
    },
    Call {
        what: "make the template that it is a clone of",
        method: Post,
        path: "/nodes/{node}/{kind}/{vmid}/template",
        releases: Releases::All,
        when: |work| work.creates && work.clones,
        needs: &[guest(&["VM.Allocate"], Source::Contract)],
    },
    Call {
        what: "stop the template before it becomes one",
        method: Post,
        path: "/nodes/{node}/{kind}/{vmid}/status/stop",
        releases: Releases::All,
        when: |work| work.creates && work.clones,
        needs: &[guest(&["VM.PowerMgmt"], Source::Contract)],
    },
    Call {
        what: "give the machine's clone its own card and its seed",
        method: Put,
        path: "/nodes/{node}/qemu/{vmid}/config",
        releases: Releases::All,
        when: clones_vm,
        needs: &[
            guest(&["VM.Config.CDROM"], Source::Contract),
            guest(&["VM.Config.Network"], VM_OPTIONS),
            on(Place::Seeds, &["Datastore.Audit", "Datastore.AllocateSpace"], VOLUME),
            on(Place::Card, &["SDN.Use"], BRIDGE),
        ],
    },
    Call {
        what: "make the machine",
        method: Post,
        path: "/nodes/{node}/qemu",
        releases: Releases::All,
        when: creates_vm,
        needs: &[
            guest(&["VM.Allocate"], VM_CREATE),
            guest(&["VM.Config.CPU"], VM_OPTIONS),
            guest(&["VM.Config.Memory"], VM_OPTIONS),
            guest(&["VM.Config.Disk"], VM_OPTIONS),
            guest(&["VM.Config.Network"], VM_OPTIONS),
            guest(&["VM.Config.Options"], VM_OPTIONS),
            guest(&["VM.Config.HWType"], VM_OPTIONS),
            guest(&["VM.Config.CDROM"], VM_OPTIONS),
            on(Place::Disk, &["Datastore.AllocateSpace"], VM_CREATE),
            on(Place::Seeds, &["Datastore.Audit", "Datastore.AllocateSpace"], VOLUME),
            on(Place::Templates, &["Datastore.Audit", "Datastore.AllocateSpace"], VOLUME),
            on(Place::Card, &["SDN.Use"], BRIDGE),
        ],
    },
    Call {
        what: "upload what the machine is told at its first start",
        method: Post,
        path: "/nodes/{node}/storage/{storage}/upload",
        releases: Releases::All,
        when: creates_vm,
        needs: &[on(Place::Seeds, &["Datastore.AllocateTemplate"], Source::Contract)],
    },
    Call {
        what: "take that away again",
        method: Put,
        path: "/nodes/{node}/qemu/{vmid}/config",
        releases: Releases::All,
        when: makes_vm,
        needs: &[guest(&["VM.Config.CDROM"], Source::Contract)],
    },
    Call {
        what: "download the template",
        method: Post,
        path: "/nodes/{node}/aplinfo",
        releases: Releases::All,
        when: |work| downloads(work, Download::Index),
        needs: &[on(Place::Templates, &["Datastore.AllocateTemplate"], Source::Contract)],
    },
    Call {
        what: "download the image",
        method: Post,
        path: "/nodes/{node}/storage/{storage}/download-url",
        releases: Releases::All,
        when: |work| downloads(work, Download::Url),
        needs: &[
            on(Place::Templates, &["Datastore.AllocateTemplate"], Source::Contract),
            on(Place::Node, &["Sys.AccessNetwork"], Source::Contract),
        ],
    },
    Call {
        what: "see the storage",
        method: Get,
        path: "/nodes/{node}/storage/{storage}/status",
        releases: Releases::All,
        when: makes,
        needs: &[on(Place::Disk, &["Datastore.AllocateSpace", "Datastore.Audit"], Source::Contract)],
    },
    Call {
        what: "see templates and images",
        method: Get,
        path: "/nodes/{node}/storage/{storage}/content",
        releases: Releases::All,
        when: |work| work.creates,
        needs: &[on(Place::Templates, &["Datastore.Audit", "Datastore.AllocateSpace"], Source::Contract)],
    },
    Call {
        what: "read the guest's settings",
        method: Get,
        path: "/nodes/{node}/{kind}/{vmid}/config",
        releases: Releases::All,
        when: |_| true,
        needs: &[guest(&["VM.Audit"], Source::Contract)],
    },
    Call {
        what: "see whether the guest runs",
        method: Get,
        path: "/nodes/{node}/{kind}/{vmid}/status/current",
        releases: Releases::All,
        when: |_| true,
        needs: &[guest(&["VM.Audit"], Source::Contract)],
    },
    Call {
        what: "see the container's addresses",
        method: Get,
        path: "/nodes/{node}/lxc/{vmid}/interfaces",
        releases: Releases::All,
        when: makes_lxc,
        needs: &[guest(&["VM.Audit"], Source::Contract)],
    },
    Call {
        what: "start the guest",
        method: Post,
        path: "/nodes/{node}/{kind}/{vmid}/status/start",
        releases: Releases::All,
        when: makes,
        needs: &[guest(&["VM.PowerMgmt"], Source::Contract)],
    },
    Call {
        what: "give the container more",
        method: Put,
        path: "/nodes/{node}/lxc/{vmid}/config",
        releases: Releases::All,
        when: makes_lxc,
        needs: &[
            guest(&["VM.Config.CPU"], Source::Contract),
            guest(&["VM.Config.Memory"], LXC_OPTIONS),
            guest(&["VM.Config.Options"], LXC_OPTIONS),
        ],
    },
    Call {
        what: "give the machine more",
        method: Put,
        path: "/nodes/{node}/qemu/{vmid}/config",
        releases: Releases::All,
        when: makes_vm,
        needs: &[
            guest(&["VM.Config.CPU"], Source::Contract),
            guest(&["VM.Config.Memory"], VM_OPTIONS),
            guest(&["VM.Config.Options"], VM_OPTIONS),
        ],
    },
    Call {
        what: "make the container's disk bigger",
        method: Put,
        path: "/nodes/{node}/lxc/{vmid}/resize",
        releases: Releases::All,
        when: makes_lxc,
        needs: &[
            guest(&["VM.Config.Disk"], Source::Contract),
            guest(&["VM.Config.Options"], LXC_RESIZE),
            on(Place::Disk, &["Datastore.AllocateSpace"], LXC_RESIZE),
        ],
    },
    Call {
        what: "make the machine's disk bigger",
        method: Put,
        path: "/nodes/{node}/qemu/{vmid}/resize",
        releases: Releases::All,
        when: makes_vm,
        needs: &[
            guest(&["VM.Config.Disk"], Source::Contract),
            on(Place::Disk, &["Datastore.AllocateSpace"], VM_RESIZE),
        ],
    },
    Call {
        what: "see the machine's addresses through its agent",
        method: Get,
        path: "/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces",
        releases: Releases::Eight,
        when: asks_agent,
        needs: &[guest(&["VM.Monitor"], Source::Contract)],
    },
    Call {
        what: "see the machine's addresses through its agent",
        method: Get,
        path: "/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces",
        releases: Releases::Nine,
        when: asks_agent,
        needs: &[guest(&["VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"], Source::Contract)],
    },
    Call {
        what: "turn on the guest's firewall",
        method: Put,
        path: "/nodes/{node}/{kind}/{vmid}/firewall/options",
        releases: Releases::All,
        when: |work| work.firewall,
        needs: &[guest(&["VM.Config.Network"], Source::Contract)],
    },
    Call {
        what: "see the guest's firewall",
        method: Get,
        path: "/nodes/{node}/{kind}/{vmid}/firewall/rules",
        releases: Releases::All,
        when: |work| work.firewall,
        needs: &[guest(&["VM.Audit"], Source::Contract)],
    },
    Call {
        what: "close a port in the guest's firewall",
        method: Delete,
        path: "/nodes/{node}/{kind}/{vmid}/firewall/rules/{pos}",
        releases: Releases::All,
        when: |work| work.firewall,
        needs: &[guest(&["VM.Config.Network"], Source::Contract)],
    },
    Call {
        what: "open a port in the guest's firewall",
        method: Post,
        path: "/nodes/{node}/{kind}/{vmid}/firewall/rules",
        releases: Releases::All,
        when: |work| work.firewall,
        needs: &[guest(&["VM.Config.Network"], Source::Contract)],
    },
    Call {
        what: "take a snapshot",
        method: Post,
        path: "/nodes/{node}/{kind}/{vmid}/snapshot",
        releases: Releases::All,
        when: snapshots,
        needs: &[guest(&["VM.Snapshot"], Source::Contract)],
    },
    Call {
        what: "roll back to a snapshot",
        method: Post,
        path: "/nodes/{node}/{kind}/{vmid}/snapshot/{snapname}/rollback",
        releases: Releases::All,
        when: snapshots,
        needs: &[guest(&["VM.Snapshot", "VM.Snapshot.Rollback"], Source::Contract)],
    },
    Call {
        what: "start the guest after a rollback",
        method: Post,
        path: "/nodes/{node}/{kind}/{vmid}/status/start",
        releases: Releases::All,
        when: snapshots,
        needs: &[guest(&["VM.PowerMgmt"], Source::Contract)],
    },
    Call {
        what: "forget a snapshot",
        method: Delete,
        path: "/nodes/{node}/{kind}/{vmid}/snapshot/{snapname}",
        releases: Releases::All,
        when: snapshots,
        needs: &[guest(&["VM.Snapshot"], Source::Contract)],
    },
    Call {
        what: "back the guest up",
        method: Post,
        path: "/nodes/{node}/vzdump",
        releases: Releases::All,
        when: backups,
        needs: &[guest(&["VM.Backup"], VZDUMP), on(Place::Backups, &["Datastore.AllocateSpace"], VZDUMP)],
    },
    Call {
        what: "read what a backup holds",
        method: Get,
        path: "/nodes/{node}/vzdump/extractconfig",
        releases: Releases::All,
        when: backups,
        needs: &[guest(&["VM.Backup"], VOLUME), on(Place::Backups, &["Datastore.AllocateSpace"], VOLUME)],
    },
    Call {
        what: "stop the guest before a restore",
        method: Post,
        path: "/nodes/{node}/{kind}/{vmid}/status/shutdown",
        releases: Releases::All,
        when: backups,
        needs: &[guest(&["VM.PowerMgmt"], Source::Contract)],
    },
    Call {
        what: "bring a backup back",
        method: Post,
        path: "/nodes/{node}/{kind}",
        releases: Releases::All,
        when: backups,
        needs: &[
            guest(&["VM.Backup"], LXC_CREATE),
            on(Place::Disk, &["Datastore.AllocateSpace"], LXC_CREATE),
            on(Place::Backups, &["Datastore.AllocateSpace"], VOLUME),
        ],
    },
    Call {
        what: "take a backup away that is no longer kept",
        method: Delete,
        path: "/nodes/{node}/storage/{storage}/content/{volume}",
        releases: Releases::All,
        when: backups,
        needs: &[guest(&["VM.Backup"], CONTENT), on(Place::Backups, &["Datastore.AllocateSpace"], CONTENT)],
    },
    Call {
        what: "stop the guest for a restore",
        method: Post,
        path: "/nodes/{node}/{kind}/{vmid}/status/shutdown",
        releases: Releases::All,
        when: |work| work.backups.is_some(),
        needs: &[guest(&["VM.PowerMgmt"], Source::Contract)],
    },
    Call {
        what: "read what a backup holds, and restore it in the guest's place",
        method: Get,
        path: "/nodes/{node}/vzdump/extractconfig",
        releases: Releases::All,
        when: |work| work.backups.is_some(),
        needs: &[guest(&["VM.Backup"], EXTRACT), on(Place::Backups, &["Datastore.AllocateSpace"], EXTRACT)],
    },
    Call {
        what: "see backups",
        method: Get,
        path: "/nodes/{node}/storage/{storage}/content",
        releases: Releases::All,
        when: backups,
        needs: &[on(Place::Backups, &["Datastore.AllocateSpace", "Datastore.Audit"], Source::Contract)],
    },
];

impl Call {
    /// Whether this work makes the call on its release.
    #[must_use]
    pub fn is_made_by(&self, work: &Work) -> bool {
        self.releases.hold(work.major) && (self.when)(work)
    }
}
