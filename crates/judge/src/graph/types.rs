//! The attack graph as data.

use std::collections::BTreeSet;

use crate::Evidence;

/// Who may start an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// Anybody on the internet.
    Internet,
    /// Somebody in the same network.
    Lan,
    /// Another guest of the same node, or who has taken it over.
    Neighbour,
    /// Another account on a machine that the deployment passes through.
    LocalUser,
    /// Who supplies an image, a package or a script, or stands on the way to them.
    Supplier,
    /// Who can read or change the repository.
    Contributor,
}

impl Actor {
    /// The words for it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Internet => "somebody on the internet",
            Self::Lan => "somebody in the LAN",
            Self::Neighbour => "another guest of the node",
            Self::LocalUser => "another account on a machine of the deployment",
            Self::Supplier => "a supplier of an image or script",
            Self::Contributor => "a person with access to the repository",
        }
    }
}

/// Where an attacker stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The start.
    Actor(Actor),
    /// A published port, as `address:port/protocol`.
    Entry(String),
    /// Inside a container, by service.
    Container(String),
    /// Root in a guest, by name.
    Guest(String),
    /// Root on the node.
    Node,
    /// The other guests of the node and the cluster.
    Neighbours,
    /// The data of a service, by service.
    Data(String),
}

impl Spot {
    /// The words for it.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Actor(actor) => actor.words().to_owned(),
            Self::Entry(port) => format!("port {port}"),
            Self::Container(service) => format!("container `{service}`"),
            Self::Guest(name) => format!("root in {name}"),
            Self::Node => "root on the node".to_owned(),
            Self::Neighbours => "other guests and the cluster".to_owned(),
            Self::Data(service) => format!("data of `{service}`"),
        }
    }
}

/// What a step asks of the attacker. The numbers are weights for comparing, not probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// Nothing: it is given by how things are set up.
    Given,
    /// A position or a piece of knowledge that is easy to come by: a default password, a place on the network.
    Position,
    /// A flaw in the application or in the program behind a port.
    ApplicationFlaw,
    /// A known class of container escapes that default settings leave open.
    Escape,
    /// A flaw of the container runtime; such flaws were found and mended again and again (runc CVE-2019-5736,
    /// CVE-2024-21626, CVE-2025-31133).
    RuntimeFlaw,
    /// An unknown flaw in the kernel that the container or guest shares.
    KernelFlaw,
    /// An unknown flaw in the hypervisor.
    HypervisorFlaw,
}

impl Cost {
    /// All, the cheapest first.
    pub const ALL: [Self; 7] = [
        Self::Given,
        Self::Position,
        Self::ApplicationFlaw,
        Self::Escape,
        Self::RuntimeFlaw,
        Self::KernelFlaw,
        Self::HypervisorFlaw,
    ];

    /// How much it adds to a path.
    #[must_use]
    pub const fn points(self) -> u32 {
        match self {
            Self::Given => 1,
            Self::Position => 3,
            Self::ApplicationFlaw => 4,
            Self::Escape => 6,
            Self::RuntimeFlaw => 8,
            Self::KernelFlaw => 12,
            Self::HypervisorFlaw => 20,
        }
    }

    /// What it asks, as a fragment.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Given => "nothing more",
            Self::Position => "a position or a known value",
            Self::ApplicationFlaw => "a flaw in the application",
            Self::Escape => "a container escape of a known class",
            Self::RuntimeFlaw => "a flaw of the container runtime",
            Self::KernelFlaw => "an unknown kernel flaw",
            Self::HypervisorFlaw => "an unknown hypervisor flaw",
        }
    }

    /// Whether it rests on a flaw of the platform that no change to this deployment removes.
    #[must_use]
    pub const fn is_residual(self) -> bool {
        matches!(self, Self::KernelFlaw | Self::HypervisorFlaw)
    }
}

/// A step from one place to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Where it starts.
    pub from: Spot,
    /// Where it ends.
    pub to: Spot,
    /// How it is done, a fragment.
    pub how: String,
    /// What it asks.
    pub cost: Cost,
    /// The facts that make it.
    pub evidence: Vec<Evidence>,
    /// The proposals any one of which removes it; empty for what the application needs or the platform is.
    pub removed_by: BTreeSet<&'static str>,
}

/// All steps, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The steps.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// All places, sorted.
    #[must_use]
    pub fn spots(&self) -> BTreeSet<&Spot> {
        self.edges.iter().flat_map(|edge| [&edge.from, &edge.to]).collect()
    }

    /// The same graph after some proposals were carried out.
    #[must_use]
    pub fn after(&self, done: &BTreeSet<&'static str>) -> Self {
        let edges = self.edges.iter().filter(|edge| edge.removed_by.is_disjoint(done)).cloned().collect();
        Self { edges }
    }
}
