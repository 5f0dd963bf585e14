//! From what is wanted and what is there to what must be done. Pure.

use plimsoll_config::CloneKind;
use plimsoll_pve::Vmid;
use plimsoll_pve::api::{GuestKind, Power};
use plimsoll_pve::property::{Drive, Mount};

use crate::firewall::{Mend, all};
use crate::golden::{self, CloneOf};
use crate::request;
use crate::{Found, Mark, NodeState, Refusal, Step, Wanted, prepare, template};

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
    plan.steps.extend(
        golden::in_the_way(wanted, state)
            .filter(|found| {
                let own = wanted.guest.clone.is_some() && found.mark.target == golden::digest(wanted, &image);
                !own
            })
            .map(|found| Step::Discard(found.vmid)),
    );
    if let Some(kind) = wanted.guest.clone {
        match golden::refusal(wanted, state) {
            None => return clone(wanted, state, plan, (vmid, kind, &image)),
            Some(why) => plan.notes.push(format!("the guest is made from {image} and is no clone: {why}")),
        }
    }
    let shelf = match wanted.kind {
        GuestKind::Lxc => None,
        GuestKind::Qemu => Some(seed_shelf(state)?),
    };
    plan.steps.push(Step::Create(Box::new(request::make(wanted, vmid, &image, shelf.as_deref()))));
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
        plan.steps.push(Step::Spread { to: wanted.guest.disk.gibibytes() });
        plan.steps.push(Step::Unseed);
    }
    Ok(())
}

/// A clone, and before it what it is cloned from.
fn clone(
    wanted: &Wanted,
    state: &NodeState,
    plan: &mut Plan,
    (vmid, kind, image): (Vmid, CloneKind, &str),
) -> Result<(), Refusal> {
    let digest = golden::digest(wanted, image);
    let done = state.templates.iter().find(|found| golden::is_done(found) && found.mark.target == digest);
    if done.is_none() {
        plan.steps.push(Step::Template(Box::new(golden::template(wanted, image))));
    } else {
        // What the template was made from is not needed any more.
        plan.steps.retain(|step| !matches!(step, Step::Download { .. } | Step::Fetch { .. }));
    }
    let template = done.map(|found| found.vmid);
    // The template takes the next number first.
    let vmid = match (template, wanted.guest.id) {
        (None, None) => Vmid(vmid.0.saturating_add(1)),
        _ => vmid,
    };
    plan.vmid = Some(vmid);
    let (guest, to) = (wanted.kind, wanted.guest.disk.gibibytes());
    plan.steps.push(Step::Clone(CloneOf { vmid, guest, template, kind, digest }));
    plan.steps.push(match guest {
        GuestKind::Lxc => Step::Fit { seed_shelf: None },
        GuestKind::Qemu => Step::Fit { seed_shelf: Some(seed_shelf(state)?) },
    });
    let disk = if guest == GuestKind::Lxc { "rootfs" } else { "scsi0" };
    plan.steps.push(Step::Grow { disk: disk.to_owned(), from: 0, to });
    let open = all(&wanted.openings).into_iter().collect();
    plan.steps.push(Step::Firewall { close: true, open, remove: Vec::new() });
    plan.steps.push(Step::Start);
    if wanted.cidr().is_none() {
        plan.steps.push(Step::Address);
    }
    if guest == GuestKind::Qemu {
        plan.steps.push(Step::Prepare);
        plan.steps.push(Step::Spread { to });
    }
    plan.steps.push(Step::Unseed);
    Ok(())
}

/// The storage that takes the seed of a machine.
fn seed_shelf(state: &NodeState) -> Result<String, Refusal> {
    state.seed_shelves.first().cloned().ok_or(Refusal::NoShelf("ISO images"))
}

/// What the disk is made from; steps that bring it here where it is not.
pub(crate) fn image(wanted: &Wanted, state: &NodeState, steps: &mut Vec<Step>) -> Result<String, Refusal> {
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
    // What holds it is waited for, where it is a task of ours.
    if let Some(why) = found.config.lock().filter(|_| plan.steps.is_empty()) {
        return Err(Refusal::Locked { vmid, why: why.to_owned() });
    }
    if found.mark.is_raw {
        let seed_shelf = match found.kind {
            GuestKind::Lxc => None,
            GuestKind::Qemu => Some(seed_shelf(state)?),
        };
        plan.steps.push(Step::Fit { seed_shelf });
    } else {
        same_network(wanted, found)?;
    }
    if found.node != wanted.node {
        plan.notes.push(format!("guest {vmid} is on node {} now", found.node));
    }
    if found.mark.host_key.is_none() && !found.mark.is_raw {
        plan.steps.push(Step::Pin);
    }
    if !found.mark.is_raw {
        change(wanted, found, plan);
    }
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
    let to = wanted.guest.disk.gibibytes();
    if found.kind == GuestKind::Qemu && found.mark.disk != Some(to) {
        plan.steps.push(Step::Spread { to });
    }
    if found.seed().is_some() || found.mark.next_key.is_some() || found.mark.is_key_shared {
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
        self.steps.iter().any(|step| matches!(step, Step::Create(_) | Step::Clone(_)))
    }

    /// Whether the guest can be logged in to before any step.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        let needs = |step: &Step| {
            matches!(
                step,
                Step::Create(_)
                    | Step::Clone(_)
                    | Step::Pin
                    | Step::Fit { .. }
                    | Step::Start
                    | Step::Address
                    | Step::Prepare
            )
        };
        !self.steps.iter().any(needs)
    }

    /// The steps for people, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.steps.iter().map(Step::shown).collect()
    }
}

/// The mark that a new guest gets.
pub(crate) fn first_mark(wanted: &Wanted) -> Mark {
    Mark::of(&wanted.app, &wanted.target)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
pub(crate) mod tests;
