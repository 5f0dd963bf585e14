//! Everything that is judged.

use plimsoll_model::Facts;
use plimsoll_rules::Profile;

use crate::graph::{self, BlastRadius, Graph, Paths};
use crate::proposals::{self, Cut, Proposal};
use crate::situation::{self, Situation};

/// The judgement of a deployment.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// What of the facts was judged.
    pub situation: Situation,
    /// Who can get where, by which steps.
    pub graph: Graph,
    /// Every distinct path to the node and to data, the easiest first.
    pub paths: Paths,
    /// What falls with each service, the worst first.
    pub blast_radii: Vec<BlastRadius>,
    /// What to change, in order.
    pub proposals: Vec<Proposal>,
    /// The cheapest proposals that cut every open path.
    pub cut: Cut,
}

/// Judges a deployment.
#[must_use]
pub fn assess(facts: &Facts, findings: &plimsoll_rules::Assessment, profile: Profile) -> Assessment {
    let situation = situation::situation(facts, findings, profile);
    let graph = graph::graph(&situation);
    let paths = graph::paths(&graph);
    let (proposals, cut) = proposals::propose(findings, &paths);
    let blast_radii = graph::blast_radii(&graph);
    Assessment { situation, graph, paths, blast_radii, proposals, cut }
}
