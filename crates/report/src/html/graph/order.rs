//! Which place stands in which column, and in which order: few lines cross.

use crate::document::{Diagram, NodeKind};

/// Rounds of moving each item towards the middle of its neighbours.
const ROUNDS: usize = 6;

/// A place, or a bend of a line that passes a column.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) column: usize,
    left: Vec<usize>,
    right: Vec<usize>,
}

/// A line from left to right over its items; of one within a column both ends are in it.
#[derive(Debug)]
pub(super) struct Chain {
    /// Position of the edge in the diagram.
    pub(super) edge: usize,
    /// Places at both ends, bends between them.
    pub(super) items: Vec<usize>,
    /// Whether the step goes from right to left.
    pub(super) reversed: bool,
}

/// Everything in its column, in its order.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Places first, as in the diagram; then bends.
    pub(super) items: Vec<Item>,
    pub(super) chains: Vec<Chain>,
    /// The items of each column from the top.
    pub(super) columns: Vec<Vec<usize>>,
    /// The kinds that have a column, from the left.
    pub(super) kinds: Vec<NodeKind>,
}

/// What is reached stands to the right of what it is reached from.
const fn rank(kind: NodeKind) -> usize {
    match kind {
        NodeKind::Actor => 0,
        NodeKind::Entry => 1,
        NodeKind::Container => 2,
        NodeKind::Guest => 3,
        NodeKind::Node => 4,
        NodeKind::Data | NodeKind::Neighbours => 5,
    }
}

pub(super) fn order(diagram: &Diagram) -> Order {
    let mut kinds: Vec<NodeKind> = diagram.nodes.iter().map(|node| node.kind).collect();
    kinds.sort_by_key(|kind| (rank(*kind), *kind));
    kinds.dedup_by_key(|kind| rank(*kind));
    let column =
        |kind: NodeKind| kinds.iter().position(|known| rank(*known) == rank(kind)).unwrap_or_default();
    let mut order = Order {
        items: diagram.nodes.iter().map(|node| Item::at(column(node.kind))).collect(),
        columns: vec![Vec::new(); kinds.len()],
        ..Order::default()
    };
    for (index, edge) in diagram.edges.iter().enumerate() {
        order.add(index, edge.from, edge.to);
    }
    for (index, item) in order.items.iter().enumerate() {
        if let Some(column) = order.columns.get_mut(item.column) {
            column.push(index);
        }
    }
    for round in 0..ROUNDS {
        order.sweep(round % 2 == 0);
    }
    order.kinds = kinds;
    order
}

impl Item {
    const fn at(column: usize) -> Self {
        Self { column, left: Vec::new(), right: Vec::new() }
    }
}

impl Order {
    fn add(&mut self, edge: usize, from: usize, to: usize) {
        let (Some(begin), Some(end)) = (self.items.get(from), self.items.get(to)) else { return };
        if from == to {
            return;
        }
        let reversed = begin.column > end.column;
        let (first, last) = if reversed { (to, from) } else { (from, to) };
        let (low, high) = (begin.column.min(end.column), begin.column.max(end.column));
        let mut items = vec![first];
        for column in low + 1..high {
            items.push(self.items.len());
            self.items.push(Item::at(column));
        }
        items.push(last);
        if low != high {
            for (left, right) in items.iter().zip(items.iter().skip(1)) {
                if let Some(item) = self.items.get_mut(*left) {
                    item.right.push(*right);
                }
                if let Some(item) = self.items.get_mut(*right) {
                    item.left.push(*left);
                }
            }
        }
        self.chains.push(Chain { edge, items, reversed });
    }

    /// Sorts each column by the middle of its neighbours on one side.
    fn sweep(&mut self, rightwards: bool) {
        let mut position = vec![0; self.items.len()];
        for column in &self.columns {
            note(column, &mut position);
        }
        let count = self.columns.len();
        for step in 0..count {
            let at = if rightwards { step } else { count - 1 - step };
            let Some(column) = self.columns.get_mut(at) else { continue };
            let items = &self.items;
            column.sort_by_key(|index| {
                let own = position.get(*index).copied().unwrap_or_default() * 1000;
                let Some(item) = items.get(*index) else { return own };
                let side = if rightwards { &item.left } else { &item.right };
                let sum: usize = side.iter().filter_map(|other| position.get(*other)).sum();
                (sum * 1000).checked_div(side.len()).unwrap_or(own)
            });
            note(column, &mut position);
        }
    }
}

fn note(column: &[usize], position: &mut [usize]) {
    for (place, index) in column.iter().enumerate() {
        if let Some(known) = position.get_mut(*index) {
            *known = place;
        }
    }
}
