//! How to get from today's way to another, in this repository.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_model::commands::{HopKind, is_node_tool};
use plimsoll_text::FileId;

use super::{Kind, Obstacle, Obstruction};
use crate::situation::{Isolation, Situation};

/// A step of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What to do, in the imperative.
    pub text: String,
    /// The files of this repository that it changes.
    pub files: Vec<FileId>,
    /// Effort in quarters of an hour.
    pub effort_quarters: u32,
}

/// The way from today to an alternative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migration {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// What breaks or changes for others.
    pub breaking: Vec<String>,
}

impl Migration {
    /// Effort of all steps in quarters of an hour.
    #[must_use]
    pub fn effort_quarters(&self) -> u32 {
        self.steps.iter().map(|step| step.effort_quarters).sum()
    }
}

/// The way from today to an alternative; nothing where it is today's.
///
/// The effort is a model: a fixed time for each kind of step, half an hour for each file that drives the guest, a
/// quarter of an hour for each volume and half an hour for each line that stands against the alternative.
#[must_use]
pub fn migration(facts: &Facts, situation: &Situation, kind: Kind, obstacles: &[Obstacle]) -> Migration {
    let isolation = situation.guests.first().map_or(Isolation::Unknown, |guest| guest.isolation);
    if kind == Kind::of(isolation) || kind == Kind::Today {
        return Migration::default();
    }
    let mut found = Migration::default();
    let mut add = |text: &str, files: &BTreeSet<FileId>, effort_quarters: u32| {
        found.steps.push(Step {
            text: text.to_owned(),
            files: files.iter().copied().collect(),
            effort_quarters,
        });
    };
    let creating: BTreeSet<FileId> = facts.guests.real().map(|guest| guest.place.file).collect();
    let driving = driving(facts);
    let compose: BTreeSet<FileId> =
        facts.stacks.deployed().flat_map(|stack| stack.compose.files.iter().copied()).collect();
    let volumes = situation.containers.iter().map(|container| container.data.len()).sum::<usize>();
    let count = |items: usize| u32::try_from(items).unwrap_or(u32::MAX / 8);
    let none = BTreeSet::new();
    add("back up the data and try the backup elsewhere", &none, 4 + count(volumes));
    match kind {
        Kind::Today => {}
        Kind::PrivilegedLxc => add("create the guest privileged", &creating, 2),
        Kind::UnprivilegedLxc => {
            add("create the guest with `--unprivileged 1 --features nesting=1`", &creating, 4);
        }
        Kind::Vm => add("create a VM from a cloud image with Docker", &creating, 12),
        Kind::Oci => {
            let services = count(situation.containers.len());
            add("build each image elsewhere and upload it as an archive", &compose, 4 * services);
            add("create a guest for each service, with its volumes and addresses", &creating, 6 * services);
            add(
                "write start order, restarts and health checks anew, outside of Compose",
                &compose,
                4 * services,
            );
        }
        Kind::Hybrid => {
            add("create a VM for the app and one for its data", &creating, 20);
            add("split the Compose project and put addresses in the place of service names", &compose, 12);
        }
        Kind::HighAvailability => {
            add("join at least two more votes to the cluster and replicate the storage", &none, 48);
            add("create the VM as a resource of HA", &creating, 16);
        }
        Kind::Swarm => {
            add("create three VMs, the swarm and a registry", &creating, 48);
            add("rewrite the Compose files as a stack", &compose, 16);
            add("put state on storage that all machines reach, or pin it", &compose, 8 + 4 * count(volumes));
        }
    }
    if isolation != Isolation::Vm && !matches!(kind, Kind::PrivilegedLxc | Kind::UnprivilegedLxc) {
        let text = "reach the guest by SSH: `pct exec` and `pct push` do not reach it";
        add(text, &driving, 4 + 2 * count(driving.len()));
    }
    let lines = obstacles.iter().filter(|obstacle| obstacle.obstruction != Obstruction::Note).count();
    if lines > 0 {
        add("settle the lines that stand against it", &compose, 2 * count(lines));
    }
    add(
        "restore the data, test, switch addresses and keep the old guest for a week",
        &none,
        6 + count(volumes),
    );
    found.breaking = breaking(kind);
    found
}

/// Files whose commands reach the guest through the node's own tools.
fn driving(facts: &Facts) -> BTreeSet<FileId> {
    let through = |kind: &HopKind| matches!(kind, HopKind::Lxc { .. });
    facts
        .commands
        .iter()
        .filter(|command| !facts.commands.unit(command.unit).origin.is_documentation())
        .filter(|command| is_node_tool(&command.program) || command.hops.iter().any(|hop| through(&hop.kind)))
        .map(|command| command.place.file)
        .collect()
}

fn breaking(kind: Kind) -> Vec<String> {
    let texts: &[&str] = match kind {
        Kind::Today => &[],
        Kind::PrivilegedLxc | Kind::UnprivilegedLxc => &[
            "the guest is created anew, so the app is down while data move",
            "owners of files shift by 100000",
        ],
        Kind::Vm | Kind::HighAvailability => {
            &["the guest has a new address", "scripts that use `pct` on the node no longer work"]
        }
        Kind::Oci => &[
            "Compose and everything that calls `docker` no longer works",
            "each service has an address of its own in place of a published port",
        ],
        Kind::Hybrid => {
            &["services no longer find the database by its name", "two guests are backed up together"]
        }
        Kind::Swarm => &[
            "`docker compose` gives way to `docker stack`",
            "images come from a registry",
            "containers have other names",
        ],
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}
