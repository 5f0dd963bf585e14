//! The requests that make a guest.

use std::net::IpAddr;

use plimsoll_pve::Vmid;
use plimsoll_pve::api::{GuestKind, LxcCreate};
use plimsoll_pve::property::{Features, LxcNet, Mount};

use crate::Wanted;
use crate::mark::TAG;
use crate::plan::first_mark;

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
        }
    }

    /// Its number.
    #[must_use]
    pub fn vmid(&self) -> Vmid {
        match &self.request {
            Creation::Lxc(request) => request.vmid,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match &self.request {
            Creation::Lxc(request) => request.hostname.as_deref().unwrap_or_default(),
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

pub(crate) fn make(wanted: &Wanted, vmid: Vmid, image: &str) -> Make {
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
    let mut net = LxcNet::new("eth0", &guest.network.bridge);
    let list = net.list_mut();
    list.set("firewall", "1");
    for (key, value) in addresses(wanted) {
        list.set(key, value);
    }
    if let Some(vlan) = guest.network.vlan {
        list.set("tag", vlan.to_string());
    }
    let request = LxcCreate {
        node: wanted.node.clone(),
        vmid,
        ostemplate: image.to_owned(),
        hostname: Some(wanted.name()),
        description: Some(first_mark(wanted).put("")),
        tags: Some(TAG.to_owned()),
        pool: wanted.pool.clone(),
        unprivileged: Some(true),
        features: Some(Features::nesting()),
        cores: Some(guest.cores),
        memory: Some(memory(wanted)),
        rootfs: Some(Mount::allocate(&guest.storage, u32::try_from(gib).unwrap_or(u32::MAX))),
        nets: [(0, net)].into(),
        nameserver: nameserver(wanted),
        ssh_public_keys: Some(wanted.keys.join("\n")),
        onboot: Some(true),
        ..LxcCreate::default()
    };
    Make { request: Creation::Lxc(Box::new(request)), image: image.to_owned(), shown }
}
