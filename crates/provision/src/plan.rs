//! From what is wanted and what is there to what must be done. Pure.

use plimsoll_pve::api::{GuestKind, Power};
use plimsoll_pve::property::{Drive, Mount};
use plimsoll_pve::{Upid, Vmid};

use crate::firewall::{Mend, all};
use crate::request::{self, Make};
use crate::wanted::noun;
use crate::{Found, Mark, NodeState, Refusal, Wanted, prepare, template};

/// Something to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Wait for a task of ours that runs.
    Wait(Upid),
    /// Let the node get a template of its index.
    Download {
        /// Where to.
        storage: String,
        /// The template.
        template: String,
    },
    /// Let the node get an image.
    Fetch {
        /// Where to.
        storage: String,
        /// From where.
        url: String,
        /// The file's name there.
        file: String,
        /// Its digest, `sha512:…`.
        checksum: String,
    },
    /// Make the guest.
    Create(Box<Make>),
    /// Read the host key that the guest got, and write it into the mark.
    Pin,
    /// Change processors and memory.
    Change {
        /// Processors.
        cores: Option<u32>,
        /// Memory in MiB.
        memory: Option<u32>,
        /// Starting with the node.
        onboot: Option<bool>,
    },
    /// Make the disk bigger.
    Grow {
        /// The disk.
        disk: String,
        /// Its size in GiB.
        from: u64,
        /// The size that it gets.
        to: u64,
    },
    /// Close the guest's firewall but for some ports.
    Firewall {
        /// Whether it must be closed first.
        close: bool,
        /// What is opened.
        open: Vec<crate::Opening>,
        /// Places of rules that go, from the last to the first.
        remove: Vec<u32>,
    },
    /// Start it.
    Start,
    /// Wait for its address.
    Address,
    /// Set up Docker Engine, updates and SSH inside.
    Prepare,
    /// Give the machine a host key of its own, and take the seed away that held its first one.
    Unseed,
}

/// What must be done, and what a person should know.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The guest's number, known or to be.
    pub vmid: Option<Vmid>,
    /// Steps, in order.
    pub steps: Vec<Step>,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// Compares.
pub fn plan(wanted: &Wanted, state: &NodeState) -> Result<Plan, Refusal> {
    let mut plan = Plan { vmid: None, steps: Vec::new(), notes: Vec::new() };
    plan.steps.extend(state.busy.iter().cloned().map(Step::Wait));
    if state.firewall_is_on == Some(false) {
        plan.notes.push(
            "the firewall of the datacenter is off, so the guest's rules do nothing until somebody turns it on".to_owned(),
        );
    }
    match state.ours.as_slice() {
        [] => fresh(wanted, state, &mut plan)?,
        [found] => changed(wanted, state, found, &mut plan)?,
        several => return Err(Refusal::Several(several.iter().map(|found| found.vmid).collect())),
    }
    Ok(plan)
}

fn fresh(wanted: &Wanted, state: &NodeState, plan: &mut Plan) -> Result<(), Refusal> {
    let vmid = match (wanted.guest.id, state.number_is_free) {
        (Some(id), Some(false)) => return Err(Refusal::Taken(Vmid(id))),
        (Some(id), _) => Vmid(id),
        (None, _) => state.next.unwrap_or(Vmid(100)),
    };
    if let Some(stranger) = state.strangers.first() {
        return Err(Refusal::Named { vmid: *stranger, name: wanted.name() });
    }
    if wanted.keys.is_empty() {
        return Err(Refusal::NoKey);
    }
    let image = image(wanted, state, &mut plan.steps)?;
    plan.vmid = Some(vmid);
    let seed_shelf = match wanted.kind {
        GuestKind::Lxc => None,
        GuestKind::Qemu => Some(state.seed_shelves.first().ok_or(Refusal::NoShelf("ISO images"))?.as_str()),
    };
    plan.steps.push(Step::Create(Box::new(request::make(wanted, vmid, &image, seed_shelf))));
    match wanted.kind {
        GuestKind::Lxc => plan.steps.push(Step::Pin),
        GuestKind::Qemu => {
            plan.steps.push(Step::Grow {
                disk: "scsi0".to_owned(),
                from: 0,
                to: wanted.guest.disk.gibibytes(),
            });
        }
    }
    let open = all(&wanted.openings).into_iter().collect();
    plan.steps.push(Step::Firewall { close: true, open, remove: Vec::new() });
    plan.steps.push(Step::Start);
    if wanted.cidr().is_none() {
        plan.steps.push(Step::Address);
    }
    plan.steps.push(Step::Prepare);
    if wanted.kind == GuestKind::Qemu {
        plan.steps.push(Step::Unseed);
    }
    Ok(())
}

/// What the disk is made from; steps that bring it here where it is not.
fn image(wanted: &Wanted, state: &NodeState, steps: &mut Vec<Step>) -> Result<String, Refusal> {
    let kind = wanted.kind;
    let what = if kind == GuestKind::Lxc { "container templates" } else { "disk images (`import`)" };
    let shelf = || state.shelves.first().ok_or(Refusal::NoShelf(what));
    match &wanted.guest.image {
        Some(url) if url.starts_with("https://") => {
            let file = url.rsplit('/').next().unwrap_or_default();
            let file = file.split(['?', '#']).next().unwrap_or_default();
            // Images of Ubuntu are qcow2 under another name, and the node goes by the name.
            let file = match file.strip_suffix(".img") {
                Some(stem) if kind == GuestKind::Qemu => format!("{stem}.qcow2"),
                _ => file.to_owned(),
            };
            let held = |volume: &&String| volume.rsplit('/').next() == Some(file.as_str());
            if let Some(volume) = state.images.iter().find(held) {
                return Ok(volume.clone());
            }
            let storage = shelf()?.clone();
            let checksum = wanted.guest.checksum.clone().unwrap_or_default();
            let volume = format!("{storage}:{}/{file}", crate::observe::content(kind));
            steps.push(Step::Fetch { storage, url: url.clone(), file, checksum });
            Ok(volume)
        }
        Some(volume) => Ok(volume.clone()),
        None if kind == GuestKind::Lxc => match template::newest(&state.images) {
            Some(volume) => Ok(volume.clone()),
            None => {
                let template =
                    template::newest(&state.offered).ok_or(Refusal::NoImage("template of Debian 13"))?;
                let storage = shelf()?.clone();
                let volume = format!("{storage}:vztmpl/{template}");
                steps.push(Step::Download { storage, template: template.clone() });
                Ok(volume)
            }
        },
        None => {
            let cloud = |volume: &&String| {
                let name = volume.rsplit('/').next().unwrap_or_default();
                name.starts_with("debian-13-genericcloud-amd64") && name.ends_with(".qcow2")
            };
            state
                .images
                .iter()
                .filter(cloud)
                .max()
                .cloned()
                .ok_or(Refusal::NoImage("cloud image of Debian 13"))
        }
    }
}

fn changed(wanted: &Wanted, state: &NodeState, found: &Found, plan: &mut Plan) -> Result<(), Refusal> {
    let vmid = found.vmid;
    plan.vmid = Some(vmid);
    if found.kind != wanted.kind {
        return Err(Refusal::Kind { vmid, is: found.kind, wants: wanted.kind });
    }
    if let Some(wants) = wanted.guest.id.filter(|id| Vmid(*id) != vmid) {
        return Err(Refusal::Number { is: vmid, wants: Vmid(wants) });
    }
    if let Some(why) = found.config.lock() {
        return Err(Refusal::Locked { vmid, why: why.to_owned() });
    }
    same_network(wanted, found)?;
    if found.node != wanted.node {
        plan.notes.push(format!("guest {vmid} is on node {} now", found.node));
    }
    if found.mark.host_key.is_none() {
        plan.steps.push(Step::Pin);
    }
    change(wanted, found, plan);
    grow(wanted, found, plan)?;
    let Mend { close, missing, superfluous } = match &state.wall {
        Some(wall) => wall.against(&wanted.openings),
        None => crate::Wall::default().against(&wanted.openings),
    };
    let mend = Mend { close, missing, superfluous };
    if !mend.is_empty() {
        plan.steps.push(Step::Firewall { close: mend.close, open: mend.missing, remove: mend.superfluous });
    }
    if found.power == Power::Stopped {
        plan.steps.push(Step::Start);
    }
    if found.address.is_none() {
        plan.steps.push(Step::Address);
    }
    if found.mark.ready.as_deref() != Some(prepare::digest(wanted).as_str()) {
        plan.steps.push(Step::Prepare);
    }
    if found.seed().is_some() || found.mark.next_key.is_some() {
        plan.steps.push(Step::Unseed);
    }
    Ok(())
}

fn same_network(wanted: &Wanted, found: &Found) -> Result<(), Refusal> {
    let network = &wanted.guest.network;
    let (bridge, vlan) = found.bridge();
    let is = found.config.text("net0").unwrap_or_default();
    let refuse = |wants: String| Err(Refusal::Network { vmid: found.vmid, is: is.clone(), wants });
    if bridge.as_deref() != Some(&network.bridge) {
        return refuse(format!("the bridge {}", network.bridge));
    }
    if vlan != network.vlan {
        return refuse(network.vlan.map_or("no VLAN".to_owned(), |vlan| format!("VLAN {vlan}")));
    }
    match (wanted.cidr(), found.fixed_address()) {
        (Some(cidr), fixed) if cidr.split('/').next() != fixed.as_deref() => {
            refuse(format!("the address {cidr}"))
        }
        (None, Some(_)) => refuse("an address by DHCP".to_owned()),
        _ => Ok(()),
    }
}

fn change(wanted: &Wanted, found: &Found, plan: &mut Plan) {
    let (cores, memory) = (wanted.guest.cores, request::memory(wanted));
    let differs = |key: &str, value: u32| found.config.number(key) != Some(u64::from(value));
    let cores = Some(cores).filter(|cores| differs("cores", *cores));
    let memory = Some(memory).filter(|memory| differs("memory", *memory));
    let onboot = Some(true).filter(|_| found.config.flag("onboot") != Some(true));
    if cores.is_none() && memory.is_none() && onboot.is_none() {
        return;
    }
    if found.kind == GuestKind::Qemu && found.power == Power::Running && (cores.is_some() || memory.is_some())
    {
        plan.notes.push("processors and memory of a virtual machine change at its next start".to_owned());
    }
    plan.steps.push(Step::Change { cores, memory, onboot });
}

fn grow(wanted: &Wanted, found: &Found, plan: &mut Plan) -> Result<(), Refusal> {
    let (disk, size) = match found.kind {
        GuestKind::Lxc => {
            ("rootfs", found.config.property::<Mount>("rootfs").and_then(Result::ok).and_then(|d| d.size()))
        }
        GuestKind::Qemu => {
            ("scsi0", found.config.property::<Drive>("scsi0").and_then(Result::ok).and_then(|d| d.size()))
        }
    };
    let Some(size) = size else { return Ok(()) };
    let (is, wants) = (size.0, wanted.guest.disk.gibibytes() << 30);
    let gib = |bytes: u64| bytes.div_ceil(1 << 30);
    if is > wants {
        return Err(Refusal::Shrink { vmid: found.vmid, is: gib(is), wants: gib(wants) });
    }
    if is < wants {
        plan.steps.push(Step::Grow { disk: disk.to_owned(), from: gib(is), to: gib(wants) });
    }
    Ok(())
}

impl Plan {
    /// Whether the guest is to be made.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Create(_)))
    }

    /// Whether the guest can be logged in to before any step.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        let needs = |step: &Step| {
            matches!(step, Step::Create(_) | Step::Pin | Step::Start | Step::Address | Step::Prepare)
        };
        !self.steps.iter().any(needs)
    }

    /// The steps for people, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.steps.iter().map(Step::shown).collect()
    }
}

impl Step {
    /// Its name, short.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Wait(_) => "wait for the node",
            Self::Download { .. } | Self::Fetch { .. } => "download image",
            Self::Create(_) => "create guest",
            Self::Pin => "pin host key",
            Self::Change { .. } => "change guest",
            Self::Grow { .. } => "grow disk",
            Self::Firewall { .. } => "set firewall",
            Self::Start => "start guest",
            Self::Address => "wait for address",
            Self::Prepare => "prepare guest",
            Self::Unseed => "renew host key",
        }
    }

    /// What it does.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Wait(upid) => format!("wait for the task {} of {} that runs", upid.kind, upid.id),
            Self::Download { storage, template } => format!("let the node download {template} to {storage}"),
            Self::Fetch { storage, url, checksum, .. } => {
                let algorithm = checksum.split(':').next().unwrap_or_default();
                format!("let the node download {url} to {storage} and check its {algorithm}")
            }
            Self::Create(make) => format!(
                "create {} {} `{}` from {}: {}",
                noun(make.kind()),
                make.vmid(),
                make.name(),
                make.image,
                make.shown
            ),
            Self::Pin => "pin the host key that the node made for it".to_owned(),
            Self::Change { cores, memory, onboot } => {
                let cores = cores.map(|cores| format!("{cores} cores"));
                let memory = memory.map(|memory| format!("{memory} MiB of memory"));
                let onboot = onboot.map(|_| "start with the node".to_owned());
                let all: Vec<String> = [cores, memory, onboot].into_iter().flatten().collect();
                format!("change the guest: {}", all.join(", "))
            }
            Self::Grow { disk, from: 0, to } => format!("grow {disk} to {to} GiB"),
            Self::Grow { disk, from, to } => format!("grow {disk} from {from} to {to} GiB"),
            Self::Firewall { close, open, remove } => {
                let open: Vec<String> = open.iter().map(crate::Opening::shown).collect();
                let mut parts = Vec::new();
                if *close {
                    parts.push("close the guest's firewall".to_owned());
                }
                if !open.is_empty() {
                    parts.push(format!("open {}", open.join(", ")));
                }
                if !remove.is_empty() {
                    parts.push(format!("take {} rules away that nothing needs any more", remove.len()));
                }
                parts.join(", ")
            }
            Self::Start => "start it".to_owned(),
            Self::Address => "wait for its address".to_owned(),
            Self::Unseed => {
                "give it a host key of its own, and take the seed away that held its first one".to_owned()
            }
            Self::Prepare => {
                "set up Docker Engine, security updates and SSH by key only inside, over SSH".to_owned()
            }
        }
    }
}

/// The mark that a new guest gets.
pub(crate) fn first_mark(wanted: &Wanted) -> Mark {
    Mark::of(&wanted.app, &wanted.target)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
pub(crate) mod tests;
