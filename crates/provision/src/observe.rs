//! What the node holds.

use plimsoll_pve::api::{
    GetAppliances, GetClusterFirewallOptions, GetContent, GetStorages, GetTasks, GuestKind, NextId,
};
use plimsoll_pve::{Client, Upid, Vmid};

use crate::find::{TRIES, search, search_templates};
use crate::mark::TEMPLATE;
use crate::{Found, ProvisionError, Wall, Wanted, firewall};

/// Tasks that make a guest or bring what it is made from.
const MAKING: [&str; 7] =
    ["vzcreate", "qmcreate", "download", "vzclone", "qmclone", "vztemplate", "qmtemplate"];

/// Tasks during which a guest cannot be changed, or that end it. A client that was killed leaves them at work.
const HOLDING: [&str; 8] =
    ["vzdump", "vzrestore", "vzshutdown", "qmshutdown", "vzstop", "qmstop", "vzdestroy", "qmdestroy"];

/// What matters of a node for one guest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeState {
    /// Guests with the mark.
    pub ours: Vec<Found>,
    /// Guests with the wanted name and without the mark.
    pub strangers: Vec<Vmid>,
    /// The next free number; nothing where a guest is there.
    pub next: Option<Vmid>,
    /// Whether the wanted number is free; nothing where none is wanted or a guest is there.
    pub number_is_free: Option<bool>,
    /// Templates or disk images that the node has.
    pub images: Vec<String>,
    /// Templates that the node knows where to get.
    pub offered: Vec<String>,
    /// Storages that take templates or disk images.
    pub shelves: Vec<String>,
    /// Golden templates, finished or not, where a guest is to be made.
    pub templates: Vec<Found>,
    /// The kind of the disk's storage, where a clone is to be made.
    pub disk_storage: Option<String>,
    /// Storages that take ISO images, where a machine is to be made or told who it is.
    pub seed_shelves: Vec<String>,
    /// The guest's firewall.
    pub wall: Option<Wall>,
    /// Whether the datacenter's firewall is on; nothing where the token may not know.
    pub firewall_is_on: Option<bool>,
    /// Tasks that make guests right now, or hold or end ours.
    pub busy: Vec<Upid>,
}

/// What images of a kind are called on storages.
pub(crate) fn content(kind: GuestKind) -> &'static str {
    match kind {
        GuestKind::Lxc => "vztmpl",
        GuestKind::Qemu => "import",
    }
}

/// Reads it. Changes nothing.
pub async fn observe(client: &Client, wanted: &Wanted) -> Result<NodeState, ProvisionError> {
    let name = wanted.name();
    let node = wanted.node.clone();
    let active = GetTasks { node: node.clone(), source: Some("active".to_owned()), ..GetTasks::default() };
    let (found, active, datacenter) = tokio::join!(
        search(client, &node, &wanted.app, &wanted.target, Some(&name)),
        client.read(&active, TRIES),
        client.read(&GetClusterFirewallOptions {}, TRIES),
    );
    let (ours, strangers) = found?;
    let is_of_ours = |upid: &Upid| ours.iter().any(|found| found.vmid.to_string() == upid.id);
    let matters = |upid: &Upid| {
        let kind = upid.kind.as_str();
        MAKING.contains(&kind) || HOLDING.contains(&kind) && is_of_ours(upid)
    };
    let busy = active?.into_iter().map(|task| task.upid).filter(matters).collect();
    let on = |value: &serde_json::Value| matches!(value.to_string().trim_matches('"'), "1" | "true");
    // Who may not know this may still deploy.
    let firewall_is_on = datacenter.ok().map(|options| options.get("enable").is_some_and(on));
    let mut state = NodeState { ours, strangers, busy, firewall_is_on, ..NodeState::default() };
    if let Some(found) = state.ours.first() {
        let needs_seed = found.mark.is_raw && found.kind == GuestKind::Qemu;
        state.wall = Some(firewall::read(client, found).await?);
        if needs_seed {
            state.seed_shelves = seed_shelves(client, &node).await?;
        }
        return Ok(state);
    }
    read_makings(client, wanted, &mut state).await?;
    if let Some(id) = wanted.guest.id {
        let answer = client.read(&NextId { vmid: Some(Vmid(id)) }, TRIES).await;
        state.number_is_free = Some(answer.is_ok());
    }
    Ok(state)
}

/// The same as if the target had no guest: what a new one in its place would be made from. Changes nothing.
pub async fn observe_anew(client: &Client, wanted: &Wanted) -> Result<NodeState, ProvisionError> {
    let mut state = observe(client, wanted).await?;
    if let Some(found) = state.ours.pop() {
        state.number_is_free = wanted.guest.id.map(|id| Vmid(id) == found.vmid);
        state.wall = None;
        read_makings(client, wanted, &mut state).await?;
    }
    Ok(state)
}

/// Storages that take ISO images.
async fn seed_shelves(client: &Client, node: &str) -> Result<Vec<String>, ProvisionError> {
    let request = GetStorages {
        node: node.to_owned(),
        content: Some("iso".to_owned()),
        enabled: Some(true),
        ..GetStorages::default()
    };
    let storages = client.read(&request, TRIES).await?.into_iter().filter(|storage| storage.active);
    Ok(storages.filter_map(|storage| storage.storage).collect())
}

/// What guests are made from.
async fn read_makings(client: &Client, wanted: &Wanted, state: &mut NodeState) -> Result<(), ProvisionError> {
    state.next = Some(client.read(&NextId { vmid: None }, TRIES).await?);
    let node = wanted.node.clone();
    if wanted.app != TEMPLATE {
        state.templates = search_templates(client, &node).await?;
    }
    if wanted.guest.clone.is_some() {
        let disks = if wanted.kind == GuestKind::Lxc { "rootdir" } else { "images" };
        let all =
            GetStorages { node: node.clone(), content: Some(disks.to_owned()), ..GetStorages::default() };
        let own = client.read(&all, TRIES).await?.into_iter();
        let own = own.filter(|one| one.storage.as_deref() == Some(wanted.guest.storage.as_str()));
        state.disk_storage = own.map(|one| one.kind).next();
    }
    let content = content(wanted.kind);
    let storages = GetStorages {
        node: node.clone(),
        content: Some(content.to_owned()),
        enabled: Some(true),
        ..GetStorages::default()
    };
    for storage in client.read(&storages, TRIES).await? {
        let Some(name) = storage.storage.filter(|_| storage.active) else { continue };
        let request = GetContent {
            node: node.clone(),
            storage: name.clone(),
            content: Some(content.to_owned()),
            vmid: None,
        };
        let volumes = client.read(&request, TRIES).await?;
        state.images.extend(volumes.into_iter().map(|volume| volume.volid));
        state.shelves.push(name);
    }
    if wanted.kind == GuestKind::Qemu {
        state.seed_shelves = seed_shelves(client, &node).await?;
    }
    if wanted.kind == GuestKind::Lxc && wanted.guest.image.is_none() {
        let offered = client.read(&GetAppliances { node }, TRIES).await?;
        state.offered = offered.into_iter().map(|one| one.template).collect();
    }
    Ok(())
}
