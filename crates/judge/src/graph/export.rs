//! The graph as text for drawing programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Graph, Spot};

/// The graph in the language of Graphviz.
#[must_use]
pub fn to_dot(graph: &Graph) -> String {
    let mut out =
        "digraph attack {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n".to_owned();
    let names = names(graph);
    for (spot, name) in &names {
        let _ = writeln!(out, "  {name} [label=\"{}\"{}];", quoted(&spot.words()), shape(spot));
    }
    for edge in &graph.edges {
        let (Some(from), Some(to)) = (names.get(&edge.from), names.get(&edge.to)) else { continue };
        let style = if edge.cost.is_residual() {
            ", style=dotted"
        } else if edge.removed_by.is_empty() {
            ""
        } else {
            ", color=red"
        };
        let _ = writeln!(out, "  {from} -> {to} [label=\"{}\"{style}];", quoted(&label(edge)));
    }
    out.push_str("}\n");
    out
}

/// The graph in the language of Mermaid.
#[must_use]
pub fn to_mermaid(graph: &Graph) -> String {
    let mut out = "flowchart LR\n".to_owned();
    let names = names(graph);
    for (spot, name) in &names {
        let _ = writeln!(out, "  {name}[\"{}\"]", escaped(&spot.words()));
    }
    for edge in &graph.edges {
        let (Some(from), Some(to)) = (names.get(&edge.from), names.get(&edge.to)) else { continue };
        let arrow = if edge.cost.is_residual() { "-.->" } else { "-->" };
        let _ = writeln!(out, "  {from} {arrow}|\"{}\"| {to}", escaped(&label(edge)));
    }
    out
}

fn label(edge: &super::Edge) -> String {
    let removed: Vec<&str> = edge.removed_by.iter().copied().collect();
    if removed.is_empty() { edge.how.clone() } else { format!("{} [{}]", edge.how, removed.join(", ")) }
}

fn names(graph: &Graph) -> BTreeMap<&Spot, String> {
    graph.spots().into_iter().enumerate().map(|(index, spot)| (spot, format!("n{index}"))).collect()
}

fn shape(spot: &Spot) -> &'static str {
    match spot {
        Spot::Actor(_) => ", shape=ellipse",
        Spot::Data(_) => ", shape=cylinder",
        Spot::Node => ", penwidth=3",
        _ => "",
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}

/// Mermaid reads `#…;` as a character and takes backquotes for Markdown.
fn escaped(text: &str) -> String {
    text.replace('#', "#35;").replace('"', "#quot;").replace('`', "'").replace('\n', " ")
}
