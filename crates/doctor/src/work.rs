//! What a target has its node do.

use plimsoll_config::{Address, Guest, NewGuest, OnFailure, Target};

/// What a target has its node do, as far as privileges depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The kind of guest.
    pub kind: Kind,
    /// Whether the guest is to be made; else it is there, and is changed at most.
    pub creates: bool,
    /// The node's name in its cluster.
    pub node: String,
    /// The guest's number, where it is known.
    pub vmid: Option<u32>,
    /// The pool that the guest is made in.
    pub pool: Option<String>,
    /// The storage of the guest's disk; none for a guest that is there already.
    pub disk: Option<String>,
    /// Where the template or image of a new guest comes from.
    pub templates: Option<Templates>,
    /// The storage for what a new machine is told at its first start.
    pub seeds: Option<String>,
    /// Whether a machine's agent is asked for its address: the network gives it.
    pub agent: bool,
    /// Where the guest is plugged in.
    pub card: Option<Card>,
    /// Whether the guest is a clone of a template.
    pub clones: bool,
    /// Whether the guest gets rules of the node's firewall.
    pub firewall: bool,
    /// Whether snapshots are taken and rolled back.
    pub snapshots: bool,
    /// The storage that takes backups.
    pub backups: Option<String>,
    /// Whether a job of the node makes them.
    pub schedule: bool,
    /// The node's major release: 8 or 9.
    pub major: u16,
}

/// A kind of guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An unprivileged LXC container that is made.
    Lxc,
    /// A virtual machine that is made.
    Vm,
    /// A guest that is there already: only its snapshots and backups are the node's work.
    Adopted,
}

/// The storage that holds templates and images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Templates {
    /// Its name.
    pub storage: String,
    /// What the node may have to download into it.
    pub download: Download,
}

/// Where a node gets a template or image from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Download {
    /// It is there.
    Nothing,
    /// The node's own index of templates.
    Index,
    /// An address.
    Url,
}

/// A card of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The node's bridge.
    pub bridge: String,
    /// The VLAN tag.
    pub vlan: Option<u16>,
}

/// The storage that every node has from its installation on.
pub const LOCAL: &str = "local";

impl Work {
    /// The work of a target on a node of a major release; nothing where no node is asked.
    #[must_use]
    pub fn of(target: &Target, major: u16) -> Option<Self> {
        let proxmox = target.proxmox.as_ref()?;
        let (kind, vmid, new) = match &target.guest {
            Guest::Vm(new) => (Kind::Vm, new.id, Some(new)),
            Guest::Lxc(new) | Guest::Oci(new) => (Kind::Lxc, new.id, Some(new)),
            // Without its number, an adopted guest is nothing that the node could be asked about.
            Guest::Adopt(adopted) => (Kind::Adopted, Some(adopted.id?), None),
        };
        Some(Self {
            kind,
            creates: new.is_some(),
            node: proxmox.node.clone(),
            vmid,
            pool: proxmox.pool.clone(),
            disk: new.map(|new| new.storage.clone()),
            templates: new.map(|new| templates(kind, new)),
            seeds: (kind == Kind::Vm).then(|| LOCAL.to_owned()),
            agent: kind == Kind::Vm && new.is_some_and(|new| new.network.address == Address::Dhcp),
            card: new.map(|new| Card { bridge: new.network.bridge.clone(), vlan: new.network.vlan }),
            clones: new.is_some_and(|new| new.clone.is_some()),
            firewall: new.is_some(),
            snapshots: target.on_failure == OnFailure::RestoreData,
            backups: target.backup.as_ref().map(|backup| backup.storage.clone()),
            schedule: target.backup.as_ref().is_some_and(|backup| backup.schedule.is_some()),
            major,
        })
    }
}

/// Where the file says that the guest comes from, before anybody looked at the node.
fn templates(kind: Kind, new: &NewGuest) -> Templates {
    let on = |storage: &str, download| Templates { storage: storage.to_owned(), download };
    match &new.image {
        Some(url) if url.starts_with("https://") => on(LOCAL, Download::Url),
        Some(volume) => on(volume.split(':').next().unwrap_or(LOCAL), Download::Nothing),
        None if kind == Kind::Lxc => on(LOCAL, Download::Index),
        None => on(LOCAL, Download::Nothing),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn lxc() -> Work {
        Work {
            kind: Kind::Lxc,
            creates: true,
            node: "pve1".to_owned(),
            vmid: None,
            pool: Some("apps".to_owned()),
            disk: Some("local-lvm".to_owned()),
            templates: Some(Templates { storage: LOCAL.to_owned(), download: Download::Index }),
            seeds: None,
            agent: false,
            card: Some(Card { bridge: "vmbr0".to_owned(), vlan: None }),
            clones: false,
            firewall: true,
            snapshots: true,
            backups: None,
            schedule: false,
            major: 9,
        }
    }

    pub(crate) fn vm(major: u16) -> Work {
        Work {
            kind: Kind::Vm,
            vmid: Some(105),
            seeds: Some(LOCAL.to_owned()),
            agent: true,
            pool: None,
            card: Some(Card { bridge: "vmbr0".to_owned(), vlan: Some(30) }),
            templates: Some(Templates { storage: LOCAL.to_owned(), download: Download::Url }),
            backups: Some("backup".to_owned()),
            major,
            ..lxc()
        }
    }

    pub(crate) fn adopted() -> Work {
        Work {
            kind: Kind::Adopted,
            creates: false,
            vmid: Some(107),
            disk: None,
            templates: None,
            card: None,
            firewall: false,
            backups: Some("backup".to_owned()),
            ..lxc()
        }
    }
}
