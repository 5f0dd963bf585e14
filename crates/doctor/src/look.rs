//! What the node says, asked for once.

use plimsoll_config::{Guest, Target};
use plimsoll_pve::api::{
    ApplianceEntry, GetAppliances, GetContent, GetNetwork, GetNodes, GetRoles, GetStorages, NetworkEntry,
    NodeEntry, Permissions, Role, StorageEntry, Volume,
};
use plimsoll_pve::{Client, Config, Credentials, Error, Fingerprint, Request, Secret, Trust, Version, Web};

use crate::needs::Needs;
use crate::verify::permissions;
use crate::work::{Download, Kind, Templates, Work};

/// An answer, or why there is none.
pub type Answer<T> = Result<T, String>;

/// Times that a question is asked.
const TRIES: u32 = 3;

/// What the node says.
#[derive(Debug)]
pub struct Seen {
    /// Its release.
    pub version: Version,
    /// What its clock shows, in seconds since 1970.
    pub clock: Option<u64>,
    /// What the target has it do.
    pub work: Option<Work>,
    /// Nodes of its cluster.
    pub nodes: Answer<Vec<NodeEntry>>,
    /// What the token may do.
    pub permissions: Answer<Permissions>,
    /// Roles that are there.
    pub roles: Answer<Vec<Role>>,
    /// Storages that the token may see.
    pub storages: Answer<Vec<StorageEntry>>,
    /// Bridges that the token may use.
    pub network: Answer<Vec<NetworkEntry>>,
    /// Templates and images that the token may see.
    pub images: Answer<Vec<Volume>>,
    /// Templates that the node knows where to get.
    pub offered: Answer<Vec<ApplianceEntry>>,
}

async fn ask<R: Request>(client: &Client, request: R) -> Answer<R::Answer> {
    client.read(&request, TRIES).await.map_err(|error| error.to_string())
}

/// Asks the node everything that checks of a target need. It changes nothing. Only a node that does not answer at all, or
/// does not know the token, is an error.
pub async fn look(client: &Client, target: &Target) -> Result<Seen, Error> {
    let version = client.version().await?;
    let mut work = Work::of(target, version.major);
    let node = target.proxmox.as_ref().map(|proxmox| proxmox.node.clone()).unwrap_or_default();
    let nodes = ask(client, GetNodes {}).await;
    let storages = ask(client, GetStorages { node: node.clone(), ..GetStorages::default() }).await;
    let images = match &mut work {
        Some(work) if work.kind != Kind::Adopted => images(client, target, work, &storages).await,
        _ => Ok(Vec::new()),
    };
    let permissions = match &work {
        Some(work) => {
            let needs = [Needs::of(work), Needs::of_schedule(work)];
            permissions(client, &needs).await.map_err(|error| error.to_string())
        }
        None => Ok(Permissions::new()),
    };
    Ok(Seen {
        version,
        nodes,
        permissions,
        roles: ask(client, GetRoles {}).await,
        network: ask(client, GetNetwork { node: node.clone(), kind: None }).await,
        offered: ask(client, GetAppliances { node }).await,
        storages,
        images,
        clock: client.clock(),
        work,
    })
}

/// Templates and images on storages that may hold them, and the storage that the work takes one from.
async fn images(
    client: &Client,
    target: &Target,
    work: &mut Work,
    storages: &Answer<Vec<StorageEntry>>,
) -> Answer<Vec<Volume>> {
    let content = if work.kind == Kind::Lxc { "vztmpl" } else { "import" };
    let all = storages.as_ref().map_err(Clone::clone)?;
    let shelves = all.iter().filter(|storage| storage.active && storage.holds(content));
    let shelves: Vec<String> = shelves.filter_map(|storage| storage.storage.clone()).collect();
    let seeds = all.iter().find(|storage| storage.active && storage.holds("iso"));
    if let (true, Some(storage)) = (work.seeds.is_some(), seeds) {
        work.seeds.clone_from(&storage.storage);
    }
    let mut images = Vec::new();
    for storage in &shelves {
        let request = GetContent {
            node: work.node.clone(),
            storage: storage.clone(),
            content: Some(content.to_owned()),
            vmid: None,
        };
        images.extend(ask(client, request).await?);
    }
    let is_named = work.templates.as_ref().is_some_and(|templates| templates.download == Download::Nothing);
    if let Some(storage) = shelves.first().filter(|_| !is_named) {
        work.templates = work.templates.take().map(|old| Templates { storage: storage.clone(), ..old });
    }
    if let Some(image) = image_of(target, &images)
        && let Some((storage, _)) = image.split_once(':')
    {
        work.templates = Some(Templates { storage: storage.to_owned(), download: Download::Nothing });
    }
    Ok(images)
}

/// The volume that a guest of the target is made from, where it is there.
pub(crate) fn image_of(target: &Target, images: &[Volume]) -> Option<String> {
    let (new, starts) = match &target.guest {
        Guest::Lxc(new) | Guest::Oci(new) => (new, "debian-13-standard_"),
        Guest::Vm(new) => (new, "debian-13-genericcloud-amd64"),
        Guest::Adopt(_) => return None,
    };
    let name = |volume: &Volume| volume.volid.rsplit('/').next().unwrap_or_default().to_owned();
    let stem = |name: &str| name.trim_end_matches(".img").trim_end_matches(".qcow2").to_owned();
    let fits = |volume: &&Volume| match &new.image {
        Some(url) if url.starts_with("https://") => {
            let file =
                url.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            stem(&name(volume)) == stem(file)
        }
        Some(image) => volume.volid == *image,
        None => name(volume).starts_with(starts),
    };
    images.iter().filter(fits).map(|volume| volume.volid.clone()).max()
}

/// Whom a certificate is believed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// By whoever the client is to believe.
    Yes,
    /// By nobody; its fingerprint.
    No(Fingerprint),
}

/// Whether the node is there and shows a certificate that `trust` vouches for. No credentials are sent.
pub async fn certificate(host: &str, trust: &Trust) -> Result<Vouched, Error> {
    // Nothing is sent after a handshake that shows another certificate than this impossible one.
    let nobody = Fingerprint::of(&[]);
    let credentials = Credentials::Password { user: String::new(), password: Secret::new("") };
    let client = Client::new(Config::new(host, credentials, Trust::Pinned(nobody)))?;
    let seen = match client.version().await {
        Err(Error::Pin { seen, .. }) => seen,
        Err(error) => return Err(error),
        Ok(_) => nobody,
    };
    let vouched = match trust {
        Trust::Pinned(pinned) => *pinned == seen,
        // The page for browsers is for everybody.
        _ => Web::new(trust)?.get(&format!("https://{}/", client.host()), 1).await.is_ok(),
    };
    Ok(if vouched { Vouched::Yes } else { Vouched::No(seen) })
}
