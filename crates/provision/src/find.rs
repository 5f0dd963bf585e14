//! The guest of a target among all guests.

use plimsoll_pve::api::{
    AgentInterfaces, GetConfig, GetGuests, GetInterfaces, GetResources, GuestKind, GuestStatus, Power,
};
use plimsoll_pve::property::{Drive, LxcNet, QemuNet};
use plimsoll_pve::{Client, Error, GuestConfig, Vmid};

use crate::mark::{TAG, TEMPLATE};
use crate::{Mark, ProvisionError, Refusal};

/// Times that a read is tried.
pub(crate) const TRIES: u32 = 4;

/// A guest that carries our mark.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The node that holds it now.
    pub node: String,
    /// Its number.
    pub vmid: Vmid,
    /// A container or a machine.
    pub kind: GuestKind,
    /// Whether it runs.
    pub power: Power,
    /// Its mark.
    pub mark: Mark,
    /// Its configuration.
    pub config: GuestConfig,
    /// Its address, where it is known.
    pub address: Option<String>,
}

/// The guest of an app's target, if it is there. Asks what a token with `VM.Audit` may ask, and changes nothing.
pub async fn find(
    client: &Client,
    node: &str,
    app: &str,
    target: &str,
) -> Result<Option<Found>, ProvisionError> {
    let (ours, _) = search(client, node, app, target, None).await?;
    match ours.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => Err(Refusal::Several(several.iter().map(|one| one.vmid).collect()).into()),
    }
}

/// A guest that may be ours.
struct Candidate {
    node: String,
    vmid: Vmid,
    kind: GuestKind,
    power: Power,
    tagged: bool,
    named: bool,
}

/// Guests with our mark, and numbers of guests that have the wanted name without it.
pub(crate) async fn search(
    client: &Client,
    node: &str,
    app: &str,
    target: &str,
    name: Option<&str>,
) -> Result<(Vec<Found>, Vec<Vmid>), ProvisionError> {
    look(client, node, name, |mark| mark.is_of(app, target)).await
}

/// Golden templates of a node, finished or not.
pub(crate) async fn search_templates(client: &Client, node: &str) -> Result<Vec<Found>, ProvisionError> {
    let (found, _) = look(client, node, None, |mark| mark.app == TEMPLATE).await?;
    Ok(found.into_iter().filter(|found| found.node == node).collect())
}

async fn look(
    client: &Client,
    node: &str,
    name: Option<&str>,
    is_meant: impl Fn(&Mark) -> bool,
) -> Result<(Vec<Found>, Vec<Vmid>), ProvisionError> {
    let of_kind = |kind| GetGuests { node: node.to_owned(), kind };
    let (lxc, qemu) = (of_kind(GuestKind::Lxc), of_kind(GuestKind::Qemu));
    let everything = GetResources { kind: Some("vm".to_owned()) };
    // The list of the cluster knows guests that went to another node, and is a little behind on this one.
    let (lxc, qemu, everything) =
        tokio::join!(client.read(&lxc, TRIES), client.read(&qemu, TRIES), client.read(&everything, TRIES));
    let here = |kind: GuestKind, status: GuestStatus| Candidate {
        node: node.to_owned(),
        vmid: status.vmid,
        kind,
        power: status.status,
        tagged: has_tag(status.tags.as_deref()),
        named: name.is_some() && status.name.as_deref() == name,
    };
    let mut candidates: Vec<Candidate> = lxc?.into_iter().map(|one| here(GuestKind::Lxc, one)).collect();
    candidates.extend(qemu?.into_iter().map(|one| here(GuestKind::Qemu, one)));
    for one in everything? {
        let (Some(vmid), Some(at)) = (one.vmid, one.node) else { continue };
        if at == node || !has_tag(one.tags.as_deref()) {
            continue;
        }
        let kind = if one.kind == "lxc" { GuestKind::Lxc } else { GuestKind::Qemu };
        let power = if one.status.as_deref() == Some("running") { Power::Running } else { Power::Stopped };
        candidates.push(Candidate { node: at, vmid, kind, power, tagged: true, named: false });
    }
    candidates.retain(|one| one.tagged || one.named);
    candidates.sort_by_key(|one| one.vmid);
    let (mut ours, mut strangers) = (Vec::new(), Vec::new());
    for one in candidates {
        let request = GetConfig {
            node: one.node.clone(),
            kind: one.kind,
            vmid: one.vmid,
            current: None,
            snapshot: None,
        };
        let config = match client.read(&request, TRIES).await {
            Ok(config) => config,
            // It went away in between.
            Err(Error::Refused(refusal)) if refusal.kind == plimsoll_pve::Kind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        match Mark::find(&config.text("description").unwrap_or_default()) {
            Some(mark) if is_meant(&mark) => {
                let Candidate { node, vmid, kind, power, .. } = one;
                let mut found = Found { node, vmid, kind, power, mark, config, address: None };
                found.address = address(client, &found).await?;
                ours.push(found);
            }
            // While it is made its configuration says only that; whose it is, it says at the end.
            _ if config.text("lock").as_deref() == Some("create") => {}
            _ if one.named => strangers.push(one.vmid),
            _ => {}
        }
    }
    Ok((ours, strangers))
}

fn has_tag(tags: Option<&str>) -> bool {
    tags.unwrap_or_default().split([';', ',', ' ']).any(|tag| tag == TAG)
}

/// The address that the configuration says, or that the guest got from the network.
async fn address(client: &Client, found: &Found) -> Result<Option<String>, Error> {
    if let Some(fixed) = found.fixed_address() {
        return Ok(Some(fixed));
    }
    if found.power != Power::Running {
        return Ok(None);
    }
    match found.kind {
        GuestKind::Lxc => {
            let request = GetInterfaces { node: found.node.clone(), vmid: found.vmid };
            let interfaces = client.read(&request, TRIES).await?.unwrap_or_default();
            let card = found.config.property::<LxcNet>("net0").and_then(Result::ok);
            let name = card.as_ref().map_or("eth0", |card| card.name());
            let own = interfaces.into_iter().find(|interface| interface.name == name);
            Ok(own.and_then(|own| own.inet).map(|cidr| ip(&cidr)))
        }
        GuestKind::Qemu => {
            let request = AgentInterfaces { node: found.node.clone(), vmid: found.vmid };
            // Nothing answers while it boots.
            let Ok(answer) = client.call(&request).await else { return Ok(None) };
            let card = found.config.property::<QemuNet>("net0").and_then(Result::ok);
            let own = card.as_ref().and_then(|card| card.mac()).map(str::to_lowercase);
            let mut interfaces = answer.result.into_iter();
            let own = interfaces.find(|one| one.mac.as_deref().map(str::to_lowercase) == own);
            let four = own.and_then(|one| one.addresses.into_iter().find(|address| address.kind == "ipv4"));
            Ok(four.map(|address| address.address))
        }
    }
}

impl Found {
    /// The address that the configuration says.
    pub(crate) fn fixed_address(&self) -> Option<String> {
        let key = if self.kind == GuestKind::Lxc { "net0" } else { "ipconfig0" };
        let text = self.config.text(key)?;
        let list: plimsoll_pve::property::PropertyString = text.parse().ok()?;
        let fixed = |key| list.get(key).filter(|value| value.contains('/')).map(ip);
        fixed("ip").or_else(|| fixed("ip6"))
    }

    /// The image that it was first started with, `local:iso/plimsoll-seed-….iso`, while it is still in its drive.
    pub(crate) fn seed(&self) -> Option<String> {
        let drive = self.config.property::<Drive>("ide2")?.ok()?;
        let name = drive.file().rsplit('/').next().unwrap_or_default();
        name.starts_with(crate::seed::START).then(|| drive.file().to_owned())
    }

    /// Bridge and VLAN of its card.
    pub(crate) fn bridge(&self) -> (Option<String>, Option<u16>) {
        let own = |bridge: Option<&str>| bridge.map(ToOwned::to_owned);
        match self.kind {
            GuestKind::Lxc => match self.config.property::<LxcNet>("net0") {
                Some(Ok(net)) => (own(net.bridge()), net.tag()),
                _ => (None, None),
            },
            GuestKind::Qemu => match self.config.property::<QemuNet>("net0") {
                Some(Ok(net)) => (own(net.bridge()), net.tag()),
                _ => (None, None),
            },
        }
    }
}

fn ip(cidr: &str) -> String {
    cidr.split('/').next().unwrap_or_default().to_owned()
}
