//! Steps that findings of rules open.

use plimsoll_model::commands::Machine;

use super::build::step;
use super::{Actor, Cost, Edge, Spot};
use crate::situation::{Isolation, Situation, Weakness};

/// Adds the steps of one finding; most findings open none.
pub(super) fn edges(situation: &Situation, weakness: &Weakness, edges: &mut Vec<Edge>) {
    let mut add = |from: Spot, to: Spot, how: &str, cost: Cost| {
        edges.push(step(from, to, how, cost).because([weakness.evidence.clone()]).unless(&[weakness.rule]));
    };
    let actor = Spot::Actor;
    let guests = || situation.guests.iter().map(|guest| Spot::Guest(guest.name.clone()));
    // The machine on which something foreign runs.
    let machine = || match weakness.machine {
        Some(Machine::Node) => vec![Spot::Node],
        Some(Machine::Guest) => guests().collect(),
        _ => Vec::new(),
    };
    match weakness.rule {
        "HST-001" => add(
            actor(Actor::Contributor),
            Spot::Node,
            "changes a script that somebody runs as root on the node",
            Cost::Position,
        ),
        "HST-007" => add(
            actor(Actor::Contributor),
            Spot::Node,
            "puts shell text into a value that the node's shell reads",
            Cost::Position,
        ),
        "HST-002" => {
            let how = "answers in the place of the machine, whose key nobody checks";
            add(actor(Actor::Lan), Spot::Node, how, Cost::ApplicationFlaw);
        }
        "HST-003" => {
            let how = "reads the password from the list of processes or the history";
            add(actor(Actor::LocalUser), Spot::Node, how, Cost::Position);
        }
        "SEC-012" => {
            for guest in guests() {
                add(guest, Spot::Node, "uses the node's credential that lies in the guest", Cost::Given);
            }
        }
        "ISO-008" | "ISO-009" | "ISO-011" => {
            for guest in &situation.guests {
                if guest.isolation != Isolation::Vm {
                    let how = "uses what the node shares with the guest";
                    add(Spot::Guest(guest.name.clone()), Spot::Node, how, Cost::Position);
                }
            }
        }
        "BLD-007" | "BLD-008" => {
            for target in machine() {
                let how = "changes a script or download that runs as root";
                add(actor(Actor::Supplier), target, how, Cost::ApplicationFlaw);
            }
        }
        "BLD-006" => {
            for container in situation.containers.iter().filter(|container| container.is_built) {
                let how = "changes a package on its way, since its certificate is not checked";
                let to = Spot::Container(container.name.clone());
                add(actor(Actor::Supplier), to, how, Cost::Position);
            }
        }
        "BLD-009" | "LIF-002" => {
            for container in &situation.containers {
                let all = weakness.rule == "LIF-002" || weakness.services.is_empty() && container.is_built;
                if all || weakness.services.contains(&container.name) {
                    let how = "moves the tag to another image";
                    let to = Spot::Container(container.name.clone());
                    add(actor(Actor::Supplier), to, how, Cost::ApplicationFlaw);
                }
            }
        }
        "SEC-001" => data(situation, weakness, |to| {
            add(actor(Actor::Contributor), to, "reads the committed secret", Cost::Position);
        }),
        "SEC-006" | "SEC-007" | "SEC-008" | "SEC-009" | "SEC-017" => data(situation, weakness, |to| {
            let how = "reads a secret that the deployment leaves where others can read it";
            add(actor(Actor::LocalUser), to, how, Cost::Position);
        }),
        "NET-008" => {
            for container in situation.containers.iter().filter(|c| weakness.services.contains(&c.name)) {
                for entry in &container.entries {
                    let how = "uses a route that asks for no login";
                    let to = Spot::Container(container.name.clone());
                    add(Spot::Entry(entry.address.clone()), to, how, Cost::Position);
                }
            }
        }
        _ => {}
    }
}

/// The data that a secret opens: that of the services named by the finding, else of all data services.
fn data(situation: &Situation, weakness: &Weakness, mut add: impl FnMut(Spot)) {
    let keepers = situation.containers.iter().filter(|c| !c.data.is_empty() && c.is_data_service);
    let named = situation.containers.iter().any(|c| c.is_data_service && weakness.services.contains(&c.name));
    for container in keepers.filter(|c| !named || weakness.services.contains(&c.name)) {
        add(Spot::Data(container.name.clone()));
    }
}
