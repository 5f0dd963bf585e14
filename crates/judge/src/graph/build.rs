//! Steps that follow from how containers, guests and the node are set up.

use std::collections::BTreeSet;

use plimsoll_model::services::{Access, Reach};

use super::{Actor, Cost, Edge, Graph, Spot};
use crate::situation::{Container, Entry, GuestModel, Isolation, Situation};
use crate::{Evidence, proposals};

/// The attack graph of a situation.
#[must_use]
pub fn graph(situation: &Situation) -> Graph {
    let mut edges = Vec::new();
    for container in &situation.containers {
        for entry in &container.entries {
            entry_edges(situation, container, entry, &mut edges);
        }
        container_edges(situation, container, &mut edges);
    }
    for (index, guest) in situation.guests.iter().enumerate() {
        guest_edges(situation, index, guest, &mut edges);
    }
    edges.push(step(Spot::Node, Spot::Neighbours, "root on the node controls every guest", Cost::Given));
    for weakness in &situation.weaknesses {
        super::findings::edges(situation, weakness, &mut edges);
    }
    Graph { edges: merged(edges) }
}

/// Equal steps for several facts are one step with all of these facts.
fn merged(mut edges: Vec<Edge>) -> Vec<Edge> {
    let key = |edge: &Edge| {
        (edge.from.clone(), edge.to.clone(), edge.how.clone(), edge.cost, edge.removed_by.clone())
    };
    edges.sort_by_cached_key(|edge| (key(edge), edge.evidence.clone()));
    let mut merged: Vec<Edge> = Vec::new();
    for edge in edges {
        match merged.last_mut() {
            Some(last) if key(last) == key(&edge) => last.evidence.extend(edge.evidence),
            _ => merged.push(edge),
        }
    }
    for edge in &mut merged {
        edge.evidence.sort();
        edge.evidence.dedup();
    }
    merged
}

pub(super) fn step(from: Spot, to: Spot, how: impl Into<String>, cost: Cost) -> Edge {
    Edge { from, to, how: how.into(), cost, evidence: Vec::new(), removed_by: BTreeSet::new() }
}

impl Edge {
    pub(super) fn because(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Says which proposals remove it, by the rules that they resolve.
    pub(super) fn unless(mut self, rules: &[&str]) -> Self {
        self.removed_by.extend(rules.iter().filter_map(|rule| proposals::of_rule(rule)).map(|p| p.id));
        self
    }
}

fn entry_edges(situation: &Situation, container: &Container, entry: &Entry, edges: &mut Vec<Edge>) {
    let spot = Spot::Entry(entry.address.clone());
    let published = Evidence::at(entry.place, format!("`{}` publishes this port", container.name));
    let rules: &[&str] =
        entry.needless.as_ref().and_then(|needless| needless.rule).map_or(&[], |rule| match rule {
            "NET-001" => &["NET-001"],
            _ => &["NET-003"],
        });
    let why = || [Some(published.clone()), entry.needless.clone()].into_iter().flatten();
    if entry.reach != Reach::Machine {
        let mut arrive = |actor, how: &str, more: Option<Evidence>, rules: &[&str]| {
            let edge = step(Spot::Actor(actor), spot.clone(), how, Cost::Given);
            edges.push(edge.because(why()).because(more).unless(rules));
        };
        arrive(Actor::Lan, "connects to the port", None, rules);
        if let Some(internet) = &situation.internet {
            arrive(Actor::Internet, "connects to the port", Some(internet.clone()), rules);
        }
        let firewall = situation.weaknesses.iter().find(|weakness| weakness.rule == "NET-005");
        let both: Vec<&str> = rules.iter().copied().chain(firewall.map(|found| found.rule)).collect();
        arrive(
            Actor::Neighbour,
            "connects over the bridge",
            firewall.map(|found| found.evidence.clone()),
            &both,
        );
    }
    let inside = Spot::Container(container.name.clone());
    let guessed = situation
        .weaknesses
        .iter()
        .find(|weakness| weakness.rule == "SEC-002" && weakness.services.contains(&container.name));
    match &container.access {
        Access::Open { why, place } => {
            let edge = step(spot, inside, "uses it without a credential", Cost::Given);
            edges.push(edge.because([Evidence::at(*place, why.clone())]).unless(&["NET-002"]));
        }
        Access::Guarded | Access::Unknown => {
            if let Some(default) = guessed {
                let edge = step(spot.clone(), inside.clone(), "knows the default credential", Cost::Position);
                edges.push(edge.because([default.evidence.clone()]).unless(&["SEC-002"]));
            }
            let how = "uses a flaw of the program behind the port";
            edges.push(step(spot, inside, how, Cost::ApplicationFlaw).because([published]));
        }
    }
}

fn container_edges(situation: &Situation, container: &Container, edges: &mut Vec<Edge>) {
    let inside = || Spot::Container(container.name.clone());
    if let Some(volume) = container.data.first() {
        let own = step(inside(), Spot::Data(container.name.clone()), "reads its own volume", Cost::Given);
        edges.push(own.because([Evidence::at(volume.place, format!("mounts `{}`", volume.name))]));
    }
    for other in situation.containers.iter().filter(|other| container.reaches.contains(&other.name)) {
        sideways(situation, container, other, edges);
    }
    let Some(guest) = situation.guests.get(container.guest) else { return };
    let root = || Spot::Guest(guest.name.clone());
    if !container.controls.is_empty() {
        let edge = step(inside(), root(), "uses the controls of the machine that it holds", Cost::Given);
        edges.push(edge.because(container.controls.clone()).unless(&["CMP-002", "CMP-001"]));
    }
    if container.root != Some(false) && !container.unhardened.is_empty() {
        let how = "breaks out with the rights that the container keeps";
        let edge = step(inside(), root(), how, Cost::Escape).because(container.unhardened.clone());
        edges.push(edge.unless(&["CMP-005"]));
    }
    let how = "breaks out through a flaw of the container runtime";
    edges.push(step(inside(), root(), how, Cost::RuntimeFlaw).because(guest.evidence.clone()));
    let shared = "breaks out through the kernel that containers share";
    edges.push(step(inside(), root(), shared, Cost::KernelFlaw).because(guest.evidence.clone()));
    if guest.isolation != Isolation::Vm {
        let how = "breaks out through the kernel of the node, which all LXC guests share";
        let edge = step(inside(), Spot::Node, how, Cost::KernelFlaw);
        edges.push(edge.because(guest.evidence.clone()));
    }
}

/// A move to another container, where it gains something.
fn sideways(situation: &Situation, container: &Container, other: &Container, edges: &mut Vec<Edge>) {
    let gains = !other.data.is_empty() || !other.controls.is_empty() || other.is_data_service;
    let needed = container.needs.contains(&other.name);
    if !gains && !needed {
        return;
    }
    let spots = (Spot::Container(container.name.clone()), Spot::Container(other.name.clone()));
    let network = Evidence::at(other.place, "both are in one network");
    let edge = match &other.access {
        Access::Open { why, place } => {
            let edge = step(spots.0, spots.1, "uses it without a credential", Cost::Given);
            edge.because([network, Evidence::at(*place, why.clone())])
        }
        _ if needed && other.is_data_service => {
            step(spots.0, spots.1, "uses the credential that it has", Cost::Given).because([network])
        }
        _ => step(spots.0, spots.1, "uses a flaw of the other service", Cost::ApplicationFlaw)
            .because([network]),
    };
    let flat = situation.weaknesses.iter().find(|weakness| weakness.rule == "NET-011");
    let edge = match flat {
        Some(flat) if !needed => edge.because([flat.evidence.clone()]).unless(&["NET-011"]),
        _ => edge,
    };
    let open = matches!(other.access, Access::Open { .. });
    edges.push(if open { edge.unless(&["NET-002"]) } else { edge });
}

fn guest_edges(situation: &Situation, index: usize, guest: &GuestModel, edges: &mut Vec<Edge>) {
    let root = || Spot::Guest(guest.name.clone());
    for container in situation.containers.iter().filter(|container| container.guest == index) {
        if !container.data.is_empty() {
            let how = "reads every volume of the guest";
            edges.push(step(root(), Spot::Data(container.name.clone()), how, Cost::Given).because(
                container.data.first().map(|volume| {
                    Evidence::at(volume.place, format!("`{}` is on the guest's disk", volume.name))
                }),
            ));
        }
    }
    let to_node = |how: &str, cost| step(root(), Spot::Node, how, cost).because(guest.evidence.clone());
    match guest.isolation {
        Isolation::PrivilegedLxc => {
            let (how, cost) = match &guest.unconfined {
                Some(_) => ("is root of the node, and nothing confines it", Cost::Given),
                None => ("is root of the node behind AppArmor and a list of capabilities", Cost::Escape),
            };
            edges.push(to_node(how, cost).because(guest.unconfined.clone()).unless(&["ISO-001"]));
            edges.push(to_node("uses a flaw of the shared kernel", Cost::KernelFlaw));
        }
        Isolation::UnprivilegedLxc | Isolation::Unknown => {
            if let Some(unconfined) = &guest.unconfined {
                let edge = to_node("has no AppArmor profile in its way", Cost::Escape);
                edges.push(edge.because([unconfined.clone()]).unless(&["ISO-002"]));
            }
            edges.push(to_node("uses a flaw of the shared kernel", Cost::KernelFlaw));
        }
        Isolation::Vm => edges.push(to_node("uses a flaw of QEMU or KVM", Cost::HypervisorFlaw)),
    }
}
