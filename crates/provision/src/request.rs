//! The requests that make a guest.

use std::net::IpAddr;

use plimsoll_pve::Vmid;
use plimsoll_pve::api::{GuestKind, LxcCreate, QemuCreate};
use plimsoll_pve::property::{Drive, Features, IpConfig, LxcNet, Mount, QemuNet};

use crate::Wanted;
use crate::mark::TAG;
use crate::plan::first_mark;
use crate::seed;

/// A guest to be made.
#[derive(Clone, Debug)]
pub struct Make {
    /// The request.
    pub(crate) request: Creation,
    /// What it is made from.
    pub(crate) image: String,
    /// Its sizes and its address for people.
    pub(crate) shown: String,
}

/// The request, by kind.
#[derive(Clone, Debug)]
pub(crate) enum Creation {
    Lxc(Box<LxcCreate>),
    /// Its seed, with a host key that is made with it, goes to a storage first.
    Vm {
        request: Box<QemuCreate>,
        seed_shelf: String,
    },
}

impl PartialEq for Make {
    fn eq(&self, other: &Self) -> bool {
        self.vmid() == other.vmid() && self.image == other.image && self.shown == other.shown
    }
}

impl Make {
    pub(crate) fn kind(&self) -> GuestKind {
        match &self.request {
            Creation::Lxc(_) => GuestKind::Lxc,
            Creation::Vm { .. } => GuestKind::Qemu,
        }
    }

    /// Its number.
    #[must_use]
    pub fn vmid(&self) -> Vmid {
        match &self.request {
            Creation::Lxc(request) => request.vmid,
            Creation::Vm { request, .. } => request.vmid,
        }
    }

    /// The volume that it is made from.
    #[must_use]
    pub fn image(&self) -> &str {
        &self.image
    }

    pub(crate) fn name(&self) -> &str {
        match &self.request {
            Creation::Lxc(request) => request.hostname.as_deref().unwrap_or_default(),
            Creation::Vm { request, .. } => request.name.as_deref().unwrap_or_default(),
        }
    }
}

/// Memory in MiB, never less than a Docker Engine takes.
pub(crate) fn memory(wanted: &Wanted) -> u32 {
    u32::try_from(wanted.guest.memory.mebibytes()).unwrap_or(u32::MAX).max(256)
}

/// Addresses, as cards and cloud-init take them: key and value.
pub(crate) fn addresses(wanted: &Wanted) -> Vec<(&'static str, String)> {
    let network = &wanted.guest.network;
    let Some(cidr) = wanted.cidr() else { return vec![("ip", "dhcp".to_owned())] };
    let six = cidr.contains(':');
    let gateway =
        network.gateway.map(|gateway: IpAddr| (if six { "gw6" } else { "gw" }, gateway.to_string()));
    std::iter::once((if six { "ip6" } else { "ip" }, cidr)).chain(gateway).collect()
}

pub(crate) fn nameserver(wanted: &Wanted) -> Option<String> {
    let servers: Vec<String> = wanted.guest.network.dns.iter().map(ToString::to_string).collect();
    (!servers.is_empty()).then(|| servers.join(" "))
}

/// What is asked of the node. A seed goes with a machine only.
pub(crate) fn make(wanted: &Wanted, vmid: Vmid, image: &str, seed_shelf: Option<&str>) -> Make {
    let guest = &wanted.guest;
    let address = wanted.cidr().unwrap_or_else(|| "an address by DHCP".to_owned());
    let gib = guest.disk.gibibytes();
    let shown = format!(
        "{} cores, {} MiB, {gib} GiB on {}, {address} on {}",
        guest.cores,
        memory(wanted),
        guest.storage,
        guest.network.bridge
    );
    let request = match seed_shelf {
        None => Creation::Lxc(Box::new(container(wanted, vmid, image))),
        Some(shelf) => {
            Creation::Vm { request: Box::new(machine(wanted, vmid, image)), seed_shelf: shelf.to_owned() }
        }
    };
    Make { request, image: image.to_owned(), shown }
}

/// Tags of a new guest are judged by its own path, where a token that was given a pool has no privilege yet: a member of a
/// pool gets its tag with the next change of its mark.
fn tags(wanted: &Wanted) -> Option<String> {
    wanted.pool.is_none().then(|| TAG.to_owned())
}

/// The card of a container.
pub(crate) fn card(wanted: &Wanted) -> LxcNet {
    let guest = &wanted.guest;
    let mut net = LxcNet::new("eth0", &guest.network.bridge);
    let list = net.list_mut();
    list.set("firewall", "1");
    for (key, value) in addresses(wanted) {
        list.set(key, value);
    }
    if let Some(vlan) = guest.network.vlan {
        list.set("tag", vlan.to_string());
    }
    net
}

fn container(wanted: &Wanted, vmid: Vmid, image: &str) -> LxcCreate {
    let guest = &wanted.guest;
    let gib = u32::try_from(guest.disk.gibibytes()).unwrap_or(u32::MAX);
    LxcCreate {
        node: wanted.node.clone(),
        vmid,
        ostemplate: image.to_owned(),
        hostname: Some(wanted.name()),
        description: Some(first_mark(wanted).put("")),
        tags: tags(wanted),
        pool: wanted.pool.clone(),
        unprivileged: Some(true),
        features: Some(Features::nesting()),
        cores: Some(guest.cores),
        memory: Some(memory(wanted)),
        rootfs: Some(Mount::allocate(&guest.storage, gib)),
        nets: [(0, card(wanted))].into(),
        nameserver: nameserver(wanted),
        ssh_public_keys: Some(wanted.keys.join("\n")),
        onboot: Some(true),
        ..LxcCreate::default()
    }
}

/// The card of a machine, with the hardware address that its seed names.
pub(crate) fn machine_card(wanted: &Wanted, vmid: Vmid) -> QemuNet {
    let network = &wanted.guest.network;
    let mut net = QemuNet::new("virtio", &network.bridge);
    let list = net.list_mut();
    list.set("macaddr", seed::card(wanted, vmid));
    list.set("firewall", "1");
    if let Some(vlan) = network.vlan {
        list.set("tag", vlan.to_string());
    }
    net
}

/// The address of a machine. Its seed says it to the machine; this says it to people and to the next run.
pub(crate) fn ipconfig(wanted: &Wanted) -> IpConfig {
    let mut ipconfig = IpConfig::dhcp();
    if wanted.cidr().is_some() {
        ipconfig.list_mut().remove("ip");
        for (key, value) in addresses(wanted) {
            ipconfig.list_mut().set(key, value);
        }
    }
    ipconfig
}

fn machine(wanted: &Wanted, vmid: Vmid, image: &str) -> QemuCreate {
    let guest = &wanted.guest;
    let mut disk = Drive::import(&guest.storage, image);
    for (key, value) in [("discard", "on"), ("ssd", "1"), ("iothread", "1")] {
        disk.list_mut().set(key, value);
    }
    QemuCreate {
        node: wanted.node.clone(),
        vmid,
        name: Some(wanted.name()),
        tags: tags(wanted),
        pool: wanted.pool.clone(),
        ostype: Some("l26".to_owned()),
        cores: Some(guest.cores),
        // What the node's own interface takes: every processor of the last fifteen years, and encryption.
        cpu: Some("x86-64-v2-AES".to_owned()),
        memory: Some(memory(wanted).to_string()),
        scsihw: Some("virtio-scsi-single".to_owned()),
        scsi: [(0, disk)].into(),
        boot: Some("order=scsi0".to_owned()),
        nets: [(0, machine_card(wanted, vmid))].into(),
        ipconfig: [(0, ipconfig(wanted))].into(),
        // Cloud images speak to the first serial line.
        serial: [(0, "socket".to_owned())].into(),
        agent: Some("enabled=1".to_owned()),
        onboot: Some(true),
        ..QemuCreate::default()
    }
}
