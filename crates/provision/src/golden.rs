//! Golden templates: a guest with Docker Engine inside that others are clones of.
//!
//! A template is known like a guest, by a mark, whose target is a digest of everything that went into it: a guest is only ever made
//! from the template that it would have made itself. It holds no app and no data. It is made in steps that each look at what is
//! there: a guest, set up inside, sealed, stopped, turned into a template. The next run goes on where one was cut off.

use plimsoll_config::{Address, Bytes, CloneKind, NewGuest};
use plimsoll_pve::Vmid;
use plimsoll_pve::api::{GuestKind, LxcClone, LxcUpdate, QemuClone, QemuUpdate};
use plimsoll_pve::property::{Drive, LxcNet, PropertyString};
use sha2::{Digest as _, Sha256};

use crate::mark::TEMPLATE;
use crate::request::{card, ipconfig, machine_card, memory, nameserver};
use crate::wanted::noun;
use crate::{Found, Mark, NodeState, Wanted, prepare};

/// What is done inside before a guest becomes a template.
pub(crate) const SEAL: &str = include_str!("scripts/seal.sh");

/// The disk of a template: its system and the engine. Clones grow theirs.
const DISK: Bytes = Bytes(4 << 30);

/// Kinds of storage that make copies of a disk which share what they have in common.
/// [Storage types](https://pve.proxmox.com/pve-docs/chapter-pvesm.html): a container on files is one raw image, which has none.
const CLONING: [&str; 4] = ["lvmthin", "zfspool", "rbd", "btrfs"];

/// Kinds on whose files a machine's disk may lie on another one (`volume_has_feature` of `PVE/Storage/Plugin.pm`: `clone` of `base`).
const CLONING_FILES: [&str; 3] = ["dir", "nfs", "cifs"];

/// A guest that is made as a clone.
#[derive(Clone, Debug, PartialEq)]
pub struct CloneOf {
    /// Its number.
    pub vmid: Vmid,
    /// A container or a machine.
    pub guest: GuestKind,
    /// The template's number; nothing while the template is still to be made.
    pub template: Option<Vmid>,
    /// Whether its disk shares the template's.
    pub kind: CloneKind,
    /// The digest of what went into the template.
    pub digest: String,
}

/// Why no clone is made of it; nothing where one can be.
pub(crate) fn refusal(wanted: &Wanted, state: &NodeState) -> Option<String> {
    let storage = &wanted.guest.storage;
    if wanted.guest.id.is_some() && wanted.pool.is_none() {
        return Some("its template would have another number than `id`, where the token has no privileges: name a `pool`".to_owned());
    }
    if wanted.guest.disk < DISK {
        return Some("a template takes 4 GiB, and `disk` is smaller".to_owned());
    }
    match state.disk_storage.as_deref() {
        Some(kind) if !makes_clones(kind, wanted.kind) => {
            let what = noun(wanted.kind);
            Some(format!("`{storage}` is of the kind {kind}, which makes no clones of a {what}"))
        }
        _ => None,
    }
}

fn makes_clones(storage: &str, guest: GuestKind) -> bool {
    CLONING.contains(&storage) || guest == GuestKind::Qemu && CLONING_FILES.contains(&storage)
}

/// What goes into the template of a guest, in twelve digits.
pub(crate) fn digest(wanted: &Wanted, image: &str) -> String {
    let mut keys = wanted.keys.clone();
    keys.sort_unstable();
    keys.dedup();
    let mut hash = Sha256::new();
    for part in [
        wanted.node.as_str(),
        wanted.pool.as_deref().unwrap_or_default(),
        &wanted.guest.storage,
        image,
        &wanted.guest.user,
        &keys.join("\n"),
        prepare::SCRIPT,
        SEAL,
    ] {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// The template as a guest that is wanted. While it is made it has the address of the guest that is wanted, which is not there yet.
pub(crate) fn template(wanted: &Wanted, image: &str) -> Wanted {
    let digest = digest(wanted, image);
    let guest = NewGuest {
        id: None,
        name: Some(format!("plimsoll-template-{digest}")),
        disk: DISK,
        image: Some(image.to_owned()),
        checksum: None,
        clone: None,
        ..wanted.guest.clone()
    };
    Wanted { app: TEMPLATE.to_owned(), target: digest, guest, openings: Vec::new(), ..wanted.clone() }
}

/// The same with the card that a half-made template has, which may be that of another target.
pub(crate) fn as_found(mut wanted: Wanted, found: &Found) -> Wanted {
    let list = |key: &str| found.config.text(key).and_then(|text| text.parse::<PropertyString>().ok());
    let Some(card) = list("net0") else { return wanted };
    let network = &mut wanted.guest.network;
    if let Some(bridge) = card.get("bridge") {
        bridge.clone_into(&mut network.bridge);
    }
    network.vlan = card.get("tag").and_then(|tag| tag.parse().ok());
    let list = match found.kind {
        GuestKind::Lxc => card,
        GuestKind::Qemu => list("ipconfig0").unwrap_or_default(),
    };
    let cidr = ["ip", "ip6"].into_iter().find_map(|key| list.get(key)?.split_once('/'));
    network.address = match cidr.and_then(|(ip, prefix)| Some((ip.parse().ok()?, prefix.parse().ok()?))) {
        Some((ip, prefix)) => Address::Fixed { ip, prefix },
        None => Address::Dhcp,
    };
    network.gateway = ["gw", "gw6"].into_iter().find_map(|key| list.get(key)?.parse().ok());
    wanted
}

/// Whether a guest is a template already.
pub(crate) fn is_done(found: &Found) -> bool {
    found.config.flag("template") == Some(true)
}

/// Half-made templates of other guests that hold the address of this one: a client that was killed left them.
pub(crate) fn in_the_way<'a>(wanted: &'a Wanted, state: &'a NodeState) -> impl Iterator<Item = &'a Found> {
    let own = wanted.cidr().and_then(|cidr| Some(cidr.split('/').next()?.to_owned()));
    let holds = move |found: &&Found| {
        let fixed = found.fixed_address();
        !is_done(found) && fixed.is_some() && fixed == own
    };
    state.templates.iter().filter(holds)
}

/// The request for a container that is a clone. Its description says at once whose it is, and that it is not fitted yet.
pub(crate) fn container(wanted: &Wanted, template: &Found, vmid: Vmid, kind: CloneKind) -> LxcClone {
    let mark = Mark {
        host_key: template.mark.host_key.clone(),
        ready: template.mark.ready.clone(),
        is_raw: true,
        is_key_shared: true,
        ..Mark::of(&wanted.app, &wanted.target)
    };
    let full = kind == CloneKind::Full;
    LxcClone {
        node: template.node.clone(),
        vmid: template.vmid,
        newid: vmid,
        hostname: Some(wanted.name()),
        description: Some(mark.put("")),
        full: Some(full),
        storage: full.then(|| wanted.guest.storage.clone()),
        pool: wanted.pool.clone(),
        ..LxcClone::default()
    }
}

/// The same for a machine. A seed of its own tells it later who it is, so nothing of the template's identity is believed.
pub(crate) fn machine(wanted: &Wanted, template: &Found, vmid: Vmid, kind: CloneKind) -> QemuClone {
    let mark = Mark { disk: template.mark.disk, is_raw: true, ..Mark::of(&wanted.app, &wanted.target) };
    let full = kind == CloneKind::Full;
    QemuClone {
        node: template.node.clone(),
        vmid: template.vmid,
        newid: vmid,
        name: Some(wanted.name()),
        description: Some(mark.put("")),
        full: Some(full),
        storage: full.then(|| wanted.guest.storage.clone()),
        pool: wanted.pool.clone(),
        ..QemuClone::default()
    }
}

/// What makes a cloned machine the one that is wanted, with the seed of its first start in its drive.
pub(crate) fn fitting_machine(
    wanted: &Wanted,
    found: &Found,
    description: String,
    seed: Option<Drive>,
) -> QemuUpdate {
    QemuUpdate {
        node: found.node.clone(),
        vmid: found.vmid,
        description: Some(description),
        cores: Some(wanted.guest.cores),
        memory: Some(memory(wanted).to_string()),
        onboot: Some(true),
        nets: [(0, machine_card(wanted, found.vmid))].into(),
        ipconfig: [(0, ipconfig(wanted))].into(),
        ide: seed.into_iter().map(|drive| (2, drive)).collect(),
        ..QemuUpdate::default()
    }
}

/// What makes a cloned container the one that is wanted: its own card and sizes, in one call with the end of its being unfitted.
pub(crate) fn fitting(wanted: &Wanted, found: &Found, description: String) -> LxcUpdate {
    let nameserver = nameserver(wanted);
    let has_other = nameserver.is_none() && found.config.text("nameserver").is_some();
    LxcUpdate {
        node: found.node.clone(),
        vmid: found.vmid,
        description: Some(description),
        cores: Some(wanted.guest.cores),
        memory: Some(memory(wanted)),
        onboot: Some(true),
        nets: [(0, fresh_card(wanted, found))].into(),
        nameserver,
        delete: has_other.then(|| "nameserver".to_owned()),
        ..LxcUpdate::default()
    }
}

/// The wanted card with the hardware address that the node gave the clone.
fn fresh_card(wanted: &Wanted, found: &Found) -> LxcNet {
    let mut card = card(wanted);
    let own = found.config.text("net0").and_then(|text| text.parse::<PropertyString>().ok());
    if let Some(address) = own.as_ref().and_then(|own| own.get("hwaddr")) {
        card.list_mut().set("hwaddr", address);
    }
    card
}
