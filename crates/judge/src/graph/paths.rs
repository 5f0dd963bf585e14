//! Ways through the graph.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cost, Edge, Graph, Spot};

/// More paths than this are not listed.
const MOST_PATHS: usize = 20_000;
/// Longer paths are not followed.
const LONGEST: usize = 9;
/// An attacker moves on to at most this many containers; more moves reach nothing that these do not.
const MOST_CONTAINERS: usize = 2;

/// A way from an actor to the node or to data; no place comes twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The steps as positions in [`Graph::edges`].
    pub edges: Vec<usize>,
    /// Where it starts.
    pub from: Spot,
    /// Where it ends.
    pub to: Spot,
    /// The sum of its steps' points; the lower, the easier.
    pub points: u32,
    /// The proposals any one of which cuts it.
    pub cut_by: BTreeSet<&'static str>,
    /// Whether it needs a flaw of the kernel or the hypervisor that nobody knows yet.
    pub residual: bool,
}

impl Path {
    /// Whether it is to be cut: nothing but this deployment keeps it open, and a proposal closes it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.residual && !self.cut_by.is_empty()
    }

    /// Whether the application itself needs it: no proposal closes it and no platform flaw is needed.
    #[must_use]
    pub fn is_inherent(&self) -> bool {
        !self.residual && self.cut_by.is_empty()
    }
}

/// All paths, the easiest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// The paths.
    pub list: Vec<Path>,
    /// Whether there are more than are listed.
    pub truncated: bool,
}

impl Paths {
    /// Paths to the node.
    pub fn to_node(&self) -> impl Iterator<Item = &Path> {
        self.list.iter().filter(|path| path.to == Spot::Node)
    }

    /// Paths to data.
    pub fn to_data(&self) -> impl Iterator<Item = &Path> {
        self.list.iter().filter(|path| matches!(path.to, Spot::Data(_)))
    }

    /// Paths that are to be cut.
    pub fn open(&self) -> impl Iterator<Item = &Path> {
        self.list.iter().filter(|path| path.is_open())
    }
}

/// The paths that are left of a graph's after some proposals were carried out; steps keep their positions.
pub(crate) fn left(graph: &Graph, paths: &Paths, done: &BTreeSet<&'static str>) -> Paths {
    if paths.truncated {
        // What was not listed may come up to the list.
        let stays = |(_, edge): &(usize, &Edge)| edge.removed_by.is_disjoint(done);
        let kept: Vec<usize> = graph.edges.iter().enumerate().filter(stays).map(|(index, _)| index).collect();
        let mut found = self::paths(&graph.after(done));
        for index in found.list.iter_mut().flat_map(|path| &mut path.edges) {
            *index = kept.get(*index).copied().unwrap_or(*index);
        }
        return found;
    }
    let list = paths.list.iter().filter(|path| path.cut_by.is_disjoint(done)).cloned().collect();
    Paths { list, truncated: false }
}

/// Every distinct path from an actor to the node and to data.
#[must_use]
pub fn paths(graph: &Graph) -> Paths {
    let mut walk = Walk { graph, next: outgoing(graph), found: Paths::default(), edges: Vec::new() };
    for spot in graph.spots() {
        if matches!(spot, Spot::Actor(_)) {
            walk.go(spot, spot, &mut vec![spot]);
        }
    }
    let mut found = walk.found;
    found
        .list
        .sort_by(|a, b| (a.points, &a.from, &a.to, &a.edges).cmp(&(b.points, &b.from, &b.to, &b.edges)));
    found
}

fn outgoing(graph: &Graph) -> BTreeMap<&Spot, Vec<usize>> {
    let mut next: BTreeMap<&Spot, Vec<usize>> = BTreeMap::new();
    for (index, edge) in graph.edges.iter().enumerate() {
        next.entry(&edge.from).or_default().push(index);
    }
    next
}

struct Walk<'a> {
    graph: &'a Graph,
    next: BTreeMap<&'a Spot, Vec<usize>>,
    found: Paths,
    edges: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn go(&mut self, start: &'a Spot, at: &'a Spot, seen: &mut Vec<&'a Spot>) {
        if matches!(at, Spot::Node | Spot::Data(_)) {
            self.add(start, at);
            return;
        }
        if self.edges.len() >= LONGEST {
            return;
        }
        for index in self.next.get(at).cloned().unwrap_or_default() {
            let Some(edge) = self.graph.edges.get(index) else { continue };
            let containers = seen.iter().filter(|spot| matches!(spot, Spot::Container(_))).count();
            let one_more = matches!(edge.to, Spot::Container(_)) && containers >= MOST_CONTAINERS;
            if one_more || seen.contains(&&edge.to) || self.found.truncated {
                continue;
            }
            seen.push(&edge.to);
            self.edges.push(index);
            self.go(start, &edge.to, seen);
            self.edges.pop();
            seen.pop();
        }
    }

    fn add(&mut self, from: &Spot, to: &Spot) {
        if self.found.list.len() >= MOST_PATHS {
            self.found.truncated = true;
            return;
        }
        let edges: Vec<_> = self.edges.iter().filter_map(|index| self.graph.edges.get(*index)).collect();
        let path = Path {
            edges: self.edges.clone(),
            from: from.clone(),
            to: to.clone(),
            points: edges.iter().map(|edge| edge.cost.points()).sum(),
            cut_by: edges.iter().flat_map(|edge| edge.removed_by.iter().copied()).collect(),
            residual: edges.iter().any(|edge| edge.cost.is_residual()),
        };
        self.found.list.push(path);
    }
}

/// What falls with a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlastRadius {
    /// The service.
    pub service: String,
    /// What an attacker inside of it reaches, with the points of the easiest way, the nearest first. Ways that
    /// need an unknown platform flaw are left out.
    pub reaches: Vec<(Spot, u32)>,
    /// Points of the easiest way to the node, platform flaws included.
    pub to_node: Option<u32>,
}

/// What falls with each service, the worst first.
#[must_use]
pub fn blast_radii(graph: &Graph) -> Vec<BlastRadius> {
    let mut radii: Vec<BlastRadius> = graph
        .spots()
        .into_iter()
        .filter_map(|spot| {
            let Spot::Container(service) = spot else { return None };
            let mut reaches: Vec<(Spot, u32)> = distances(graph, spot, |cost| !cost.is_residual())
                .into_iter()
                .filter(|(to, _)| *to != spot)
                .map(|(to, points)| (to.clone(), points))
                .collect();
            reaches.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
            let to_node = distances(graph, spot, |_| true).get(&Spot::Node).copied();
            Some(BlastRadius { service: service.clone(), reaches, to_node })
        })
        .collect();
    radii.sort_by_key(|radius| (radius.to_node.unwrap_or(u32::MAX), std::cmp::Reverse(radius.reaches.len())));
    radii
}

/// The easiest way from a place to each other one (Bellman and Ford; graphs are small).
fn distances<'a>(graph: &'a Graph, from: &'a Spot, counts: impl Fn(Cost) -> bool) -> BTreeMap<&'a Spot, u32> {
    let mut best: BTreeMap<&Spot, u32> = BTreeMap::from([(from, 0)]);
    loop {
        let mut changed = false;
        for edge in graph.edges.iter().filter(|edge| counts(edge.cost)) {
            let Some(so_far) = best.get(&edge.from) else { continue };
            let points = so_far.saturating_add(edge.cost.points());
            if best.get(&edge.to).is_none_or(|known| points < *known) {
                best.insert(&edge.to, points);
                changed = true;
            }
        }
        if !changed {
            return best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Actor;

    fn edge(from: Spot, to: Spot, cost: Cost, removed_by: &[&'static str]) -> Edge {
        let removed_by = removed_by.iter().copied().collect();
        Edge { from, to, how: "goes".to_owned(), cost, evidence: Vec::new(), removed_by }
    }

    #[test]
    fn paths_that_are_left_are_those_of_the_graph_that_is_left() {
        let container = |name: &str| Spot::Container(name.to_owned());
        let (lan, guest) = (Spot::Actor(Actor::Lan), Spot::Guest("app".to_owned()));
        let mut edges = vec![
            edge(lan.clone(), container("web"), Cost::Position, &["close"]),
            edge(lan.clone(), container("db"), Cost::Given, &["password", "close"]),
            edge(Spot::Actor(Actor::Supplier), container("web"), Cost::Position, &["pin"]),
            edge(container("web"), container("db"), Cost::Position, &[]),
            edge(container("web"), guest.clone(), Cost::Escape, &["harden"]),
            edge(container("db"), Spot::Data("db".to_owned()), Cost::Given, &[]),
            edge(guest, Spot::Node, Cost::KernelFlaw, &[]),
        ];
        edges.sort();
        let graph = Graph { edges };
        let all = paths(&graph);
        assert!(all.list.len() > 4);
        for done in [vec![], vec!["close"], vec!["pin", "harden"], vec!["password", "pin"]] {
            let done: BTreeSet<&'static str> = done.into_iter().collect();
            let after = graph.after(&done);
            let steps = |graph: &Graph, paths: &Paths| {
                let walk = |path: &Path| path.edges.iter().map(|at| graph.edges[*at].clone()).collect();
                paths.list.iter().map(walk).collect::<Vec<Vec<Edge>>>()
            };
            assert_eq!(steps(&graph, &left(&graph, &all, &done)), steps(&after, &paths(&after)));
            let cut_short = Paths { truncated: true, ..all.clone() };
            assert_eq!(left(&graph, &cut_short, &done), left(&graph, &all, &done));
        }
    }
}
