//! The steps of the easiest paths as a drawing.

use std::collections::BTreeMap;

use plimsoll_judge::graph::Spot;

use super::security::easiest;
use super::show::Show;
use crate::document::{Diagram, Edge, Node, NodeKind};
use crate::source::printable;

/// More steps than this cannot be read.
const MOST_EDGES: usize = 30;

pub(super) fn diagram(show: &Show<'_>) -> Option<Diagram> {
    let judgement = show.input.judgement;
    // Steps to the node come first: they are what the drawing is for.
    let mut paths = easiest(judgement);
    paths.sort_by_key(|path| (path.to != Spot::Node, path.points));
    let mut wanted: Vec<usize> = Vec::new();
    for path in &paths {
        let new: Vec<usize> = path.edges.iter().copied().filter(|edge| !wanted.contains(edge)).collect();
        if wanted.len() + new.len() <= MOST_EDGES {
            wanted.extend(new);
        }
    }
    let edges: Vec<_> = wanted.iter().filter_map(|index| judgement.graph.edges.get(*index)).collect();
    if edges.is_empty() {
        return None;
    }
    let mut spots: Vec<&Spot> = edges.iter().flat_map(|edge| [&edge.from, &edge.to]).collect();
    spots.sort_by_key(|spot| (kind(spot), *spot));
    spots.dedup();
    let mut merged: BTreeMap<(usize, usize), Edge> = BTreeMap::new();
    for edge in edges {
        let at = |spot: &Spot| spots.iter().position(|known| *known == spot).unwrap_or_default();
        let (from, to) = (at(&edge.from), at(&edge.to));
        let titles = edge.removed_by.iter().map(|id| {
            let proposal = judgement.proposals.iter().find(|proposal| proposal.id == *id);
            proposal.map_or(*id, |proposal| proposal.title).to_owned()
        });
        let drawn = Edge {
            from,
            to,
            label: edge.how.clone(),
            points: edge.cost.points(),
            residual: edge.cost.is_residual(),
            removed_by: titles.collect(),
        };
        match merged.get_mut(&(from, to)) {
            Some(known) => {
                known.label = format!("{}; {}", known.label, drawn.label);
                known.points = known.points.min(drawn.points);
                known.residual &= drawn.residual;
                known.removed_by.retain(|title| drawn.removed_by.contains(title));
            }
            None => {
                merged.insert((from, to), drawn);
            }
        }
    }
    let sentences = paths.iter().filter(|path| path.edges.iter().all(|edge| wanted.contains(edge)));
    let description: Vec<String> = sentences
        .map(|path| format!("{} reaches {} with {} points.", path.from.words(), path.to.words(), path.points))
        .collect();
    Some(Diagram {
        id: "attack-paths".to_owned(),
        title: "The easiest open attack paths".to_owned(),
        description: description.join(" "),
        nodes: spots.iter().map(|spot| Node { label: label(spot), kind: kind(spot) }).collect(),
        edges: merged.into_values().collect(),
    })
}

fn label(spot: &Spot) -> String {
    printable(&spot.words()).replace('`', "")
}

const fn kind(spot: &Spot) -> NodeKind {
    match spot {
        Spot::Actor(_) => NodeKind::Actor,
        Spot::Entry(_) => NodeKind::Entry,
        Spot::Container(_) => NodeKind::Container,
        Spot::Data(_) => NodeKind::Data,
        Spot::Guest(_) => NodeKind::Guest,
        Spot::Node => NodeKind::Node,
        Spot::Neighbours => NodeKind::Neighbours,
    }
}
