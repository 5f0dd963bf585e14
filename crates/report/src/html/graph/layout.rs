//! Where everything is, in pixels.

use super::order::{Chain, order};
use crate::document::{Diagram, NodeKind};
use crate::html::wrap::wrapped;

/// Width of a place.
pub(super) const WIDE: i32 = 136;
/// Room between columns, for lines and their numbers.
const GAP: i32 = 64;
/// Room for the headings of columns.
const TOP: i32 = 40;
const MARGIN: i32 = 12;
/// Between two lines that end at one side of a place: their numbers do not touch.
const PORT: i32 = 20;
/// Between two items of a column.
const BETWEEN: i32 = 18;
const LINE: i32 = 16;
const BEND: i32 = 12;
/// How far a line within a column swings out.
const SWING: i32 = 46;
/// Letters in a line of a place, and its lines.
const LETTERS: usize = 18;
const LINES: usize = 4;

/// A place with its words.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) height: i32,
    pub(super) lines: Vec<String>,
}

/// A line with its number beside the end.
#[derive(Debug)]
pub(super) struct Wire {
    /// Position of the edge in the diagram.
    pub(super) edge: usize,
    /// What the attribute `d` of a path holds.
    pub(super) path: String,
    /// The middle of the number.
    pub(super) number: (i32, i32),
}

/// The drawing.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) width: i32,
    pub(super) height: i32,
    /// Headings with their left end.
    pub(super) columns: Vec<(i32, NodeKind)>,
    /// The places, as in the diagram.
    pub(super) places: Vec<Place>,
    pub(super) wires: Vec<Wire>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// An end of a line: item, side, chain, whether it is the chain's last item.
struct Port {
    item: usize,
    side: Side,
    chain: usize,
    last: bool,
}

pub(super) fn layout(diagram: &Diagram) -> Layout {
    let order = order(diagram);
    let column = |item: usize| order.items.get(item).map_or(0, |item| item.column);
    let ports = ports(&order.chains, column);
    let words: Vec<Vec<String>> =
        diagram.nodes.iter().map(|node| wrapped(&node.label, LETTERS, LINES)).collect();
    let heights: Vec<i32> = (0..order.items.len())
        .map(|item| words.get(item).map_or(BEND, |lines| height(item, lines.len(), &ports)))
        .collect();
    let tall = |column: &Vec<usize>| -> i32 {
        column.iter().map(|item| get(&heights, *item) + BETWEEN).sum::<i32>() - BETWEEN
    };
    let most = order.columns.iter().map(tall).max().unwrap_or(0).max(0);
    let mut tops = vec![0; order.items.len()];
    for column in &order.columns {
        let mut y = TOP + (most - tall(column)) / 2;
        for item in column {
            if let Some(top) = tops.get_mut(*item) {
                *top = y;
            }
            y += get(&heights, *item) + BETWEEN;
        }
    }
    let left = |item: usize| MARGIN + int(column(item)) * (WIDE + GAP);
    let middle = |item: usize| get(&tops, item) + get(&heights, item) / 2;
    let ends = ends(&ports, &order.chains, &tops, &heights, middle);
    let wires = order.chains.iter().enumerate();
    let wires =
        wires.map(|(index, chain)| wire(chain, ends.get(index).copied().unwrap_or_default(), left, middle));
    let columns = order.kinds.iter().enumerate();
    let swings = order.chains.iter().any(|chain| chain.items.len() == 2 && is_within(chain, left));
    Layout {
        wires: wires.collect(),
        columns: columns.map(|(index, kind)| (MARGIN + int(index) * (WIDE + GAP), *kind)).collect(),
        places: words
            .into_iter()
            .enumerate()
            .map(|(item, lines)| Place {
                x: left(item),
                y: get(&tops, item),
                height: get(&heights, item),
                lines,
            })
            .collect(),
        width: 2 * MARGIN + int(order.columns.len()) * (WIDE + GAP) - GAP + if swings { SWING } else { 0 },
        height: TOP + most + MARGIN,
    }
}

/// Lines within a column leave and enter at the right.
fn ports(chains: &[Chain], column: impl Fn(usize) -> usize) -> Vec<Port> {
    let mut ports = Vec::new();
    for (index, chain) in chains.iter().enumerate() {
        let (Some(first), Some(last)) = (chain.items.first(), chain.items.last()) else { continue };
        ports.push(Port { item: *first, side: Side::Right, chain: index, last: false });
        let side = if column(*first) == column(*last) { Side::Right } else { Side::Left };
        ports.push(Port { item: *last, side, chain: index, last: true });
    }
    ports
}

fn height(item: usize, lines: usize, ports: &[Port]) -> i32 {
    let count = |side| int(ports.iter().filter(|port| port.item == item && port.side == side).count());
    let most = count(Side::Left).max(count(Side::Right)).max(1);
    (int(lines) * LINE + 16).max((most + 1) * PORT)
}

/// The heights at which each chain leaves its first item and enters its last one.
fn ends(
    ports: &[Port],
    chains: &[Chain],
    tops: &[i32],
    heights: &[i32],
    middle: impl Fn(usize) -> i32,
) -> Vec<(i32, i32)> {
    let mut ends = vec![(0, 0); chains.len()];
    for item in 0..tops.len() {
        for side in [Side::Left, Side::Right] {
            let mut here: Vec<(i32, usize, bool)> = ports
                .iter()
                .filter(|port| port.item == item && port.side == side)
                .map(|port| (towards(port, chains).map_or(0, &middle), port.chain, port.last))
                .collect();
            here.sort_unstable();
            let room = int(here.len()) + 1;
            for (place, (_, chain, last)) in here.into_iter().enumerate() {
                let y = get(tops, item) + get(heights, item) * (int(place) + 1) / room;
                if let Some(end) = ends.get_mut(chain) {
                    if last { end.1 = y } else { end.0 = y }
                }
            }
        }
    }
    ends
}

/// The item next to the end of a line.
fn towards(port: &Port, chains: &[Chain]) -> Option<usize> {
    let items = &chains.get(port.chain)?.items;
    if port.last { items.iter().rev().nth(1).copied() } else { items.get(1).copied() }
}

fn is_within(chain: &Chain, left: impl Fn(usize) -> i32) -> bool {
    matches!((chain.items.first(), chain.items.last()), (Some(a), Some(b)) if left(*a) == left(*b))
}

fn wire(
    chain: &Chain,
    (begin, end): (i32, i32),
    left: impl Fn(usize) -> i32,
    middle: impl Fn(usize) -> i32,
) -> Wire {
    let first = chain.items.first().map_or(0, |item| left(*item));
    let last = chain.items.last().map_or(0, |item| left(*item));
    if first == last {
        // Both places stand in one column: the line swings out to the right.
        let out = first + WIDE;
        let far = out + SWING;
        let path = format!("M{out} {begin}C{far} {begin} {far} {end} {} {end}", out + 2);
        return Wire { edge: chain.edge, path, number: (out + 20, end) };
    }
    // Points from left to right; bends are passed level.
    let mut points = vec![(first + WIDE, begin)];
    let inner = chain.items.len().saturating_sub(2);
    for item in chain.items.iter().skip(1).take(inner) {
        points.push((left(*item), middle(*item)));
        points.push((left(*item) + WIDE, middle(*item)));
    }
    points.push((last, end));
    let mut number = (last - 20, end);
    if chain.reversed {
        points.reverse();
        number = (first + WIDE + 20, begin);
    }
    Wire { edge: chain.edge, path: curve(&points, chain.reversed), number }
}

/// Level at each point, curved between columns.
fn curve(points: &[(i32, i32)], reversed: bool) -> String {
    let mut path = String::new();
    let tip = if reversed { 2 } else { -2 };
    for (index, (x, y)) in points.iter().enumerate() {
        let Some((before, level)) = index.checked_sub(1).and_then(|before| points.get(before)) else {
            path.push_str(&format!("M{x} {y}"));
            continue;
        };
        let x = if index + 1 == points.len() { x + tip } else { *x };
        if index % 2 == 0 {
            path.push_str(&format!("H{x}"));
        } else {
            let half = i32::midpoint(*before, x);
            path.push_str(&format!("C{half} {level} {half} {y} {x} {y}"));
        }
    }
    path
}

fn get(list: &[i32], index: usize) -> i32 {
    list.get(index).copied().unwrap_or_default()
}

fn int(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX / 4096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Edge, Node};

    fn diagram(nodes: &[NodeKind], edges: &[(usize, usize)]) -> Diagram {
        let node =
            |kind: &NodeKind| Node { label: "a place with a long name of words".to_owned(), kind: *kind };
        let edge = |(from, to): &(usize, usize)| Edge {
            from: *from,
            to: *to,
            label: "how".to_owned(),
            points: 1,
            residual: false,
            removed_by: Vec::new(),
        };
        Diagram {
            id: "d".to_owned(),
            title: "t".to_owned(),
            description: "d".to_owned(),
            nodes: nodes.iter().map(node).collect(),
            edges: edges.iter().map(edge).collect(),
        }
    }

    const KINDS: [NodeKind; 8] = [
        NodeKind::Actor,
        NodeKind::Actor,
        NodeKind::Entry,
        NodeKind::Container,
        NodeKind::Container,
        NodeKind::Guest,
        NodeKind::Node,
        NodeKind::Data,
    ];

    fn all() -> Layout {
        let edges: Vec<(usize, usize)> =
            (0..8).flat_map(|from| (0..8).map(move |to| (from, to))).filter(|(a, b)| a != b).collect();
        layout(&diagram(&KINDS, &edges))
    }

    #[test]
    fn places_do_not_overlap_and_stay_inside() {
        let layout = all();
        for (index, one) in layout.places.iter().enumerate() {
            assert!(one.x >= 0 && one.x + WIDE <= layout.width && one.y + one.height <= layout.height);
            for other in layout.places.iter().skip(index + 1) {
                let apart = one.x + WIDE <= other.x
                    || other.x + WIDE <= one.x
                    || one.y + one.height <= other.y
                    || other.y + other.height <= one.y;
                assert!(apart, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn numbers_of_lines_stand_apart_and_on_no_place() {
        let layout = all();
        assert_eq!(layout.wires.len(), 56);
        for (index, one) in layout.wires.iter().enumerate() {
            let (x, y) = one.number;
            assert!(layout.places.iter().all(|place| x + 9 < place.x
                || x - 9 > place.x + WIDE
                || y + 9 < place.y
                || y - 9 > place.y + place.height));
            for other in layout.wires.iter().skip(index + 1) {
                let far = (x - other.number.0).abs().max((y - other.number.1).abs());
                assert!(far >= 18, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn an_actor_is_left_of_what_it_reaches_and_lines_to_nowhere_are_left_out() {
        let layout = layout(&diagram(&KINDS, &[(0, 7), (3, 99), (4, 4)]));
        assert!(layout.places[0].x < layout.places[7].x);
        assert_eq!(layout.wires.len(), 1);
        assert!(super::layout(&diagram(&[], &[])).places.is_empty());
    }
}
