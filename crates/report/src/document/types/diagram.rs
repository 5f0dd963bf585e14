//! Attack paths as a drawing.

/// The places and steps worth drawing, from the left (who starts) to the right (what is reached).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagram {
    /// Its anchor, without `#`.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// The same in sentences, for people who cannot see it.
    pub description: String,
    /// The places. An edge names them by their position here.
    pub nodes: Vec<Node>,
    /// The steps.
    pub edges: Vec<Edge>,
}

/// A place in an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is called.
    pub label: String,
    /// What it is; the order of the kinds is the order from left to right.
    pub kind: NodeKind,
}

/// What a place in an attack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// Who starts.
    Actor,
    /// A published port.
    Entry,
    /// A container.
    Container,
    /// Data of a service.
    Data,
    /// Root in a guest.
    Guest,
    /// Root on the node.
    Node,
    /// Other guests and the cluster.
    Neighbours,
}

/// A step of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Where it starts, as a position in [`Diagram::nodes`].
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// How it is done; several ways between the same places are one edge.
    pub label: String,
    /// How easy it is: 1 for what is given to 20 for an unknown hypervisor flaw.
    pub points: u32,
    /// Whether it needs a flaw of the platform that nobody knows yet.
    pub residual: bool,
    /// The titles of the proposals any one of which removes it; none for what the app needs.
    pub removed_by: Vec<String>,
}
