//! The drawing as SVG, and its steps as a table.

use std::fmt::Write as _;

use super::layout::{Layout, Place, WIDE, layout};
use crate::document::{Diagram, Edge, NodeKind};
use crate::html::escape::Escaped;
use crate::html::parts;

/// The drawing with a legend and the table of its steps.
pub(in crate::html) fn draw(diagram: &Diagram, out: &mut String) {
    let layout = layout(diagram);
    let id = Escaped(&diagram.id);
    let _ = write!(
        out,
        "<figure class=\"drawing\" id=\"{id}-drawing\"><figcaption>{title}</figcaption>\n\
         <div class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n\
         <svg role=\"img\" aria-labelledby=\"{id}-name {id}-words\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">\n\
         <title id=\"{id}-name\">{title}</title>\n<desc id=\"{id}-words\">{}</desc>\n<defs>",
        Escaped(&diagram.description),
        title = Escaped(&diagram.title),
        width = layout.width,
        height = layout.height,
    );
    for look in LOOKS {
        let _ = write!(
            out,
            "<marker id=\"{id}-{look}\" class=\"{look}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8Z\"/></marker>"
        );
    }
    out.push_str("</defs>\n");
    for (x, kind) in &layout.columns {
        let _ = writeln!(out, "<text class=\"column\" x=\"{x}\" y=\"20\">{}</text>", heading(*kind));
    }
    wires(diagram, &layout, out);
    for (place, node) in layout.places.iter().zip(&diagram.nodes) {
        self::place(place, node.kind, &node.label, out);
    }
    out.push_str("</svg></div>\n");
    out.push_str(LEGEND);
    out.push_str("</figure>\n");
    steps(diagram, out);
}

const LOOKS: [&str; 3] = ["open", "needed", "unknown"];

const LEGEND: &str = "<ul class=\"legend\"><li><span class=\"key open\">1</span> a step that a proposal removes: the line is crossed</li>\
    <li><span class=\"key needed\">2</span> a step that the app itself needs</li>\
    <li><span class=\"key unknown\">3</span> dashed: a flaw of the platform that nobody knows yet</li></ul>\n";

const fn look(edge: &Edge) -> &'static str {
    if edge.residual {
        "unknown"
    } else if edge.removed_by.is_empty() {
        "needed"
    } else {
        "open"
    }
}

const fn heading(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Actor => "Who starts",
        NodeKind::Entry => "Entry",
        NodeKind::Container => "Container",
        NodeKind::Guest => "Guest",
        NodeKind::Node => "Node",
        NodeKind::Data | NodeKind::Neighbours => "What is reached",
    }
}

const fn class(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Actor => "actor",
        NodeKind::Data => "data",
        NodeKind::Node | NodeKind::Neighbours => "goal",
        NodeKind::Entry | NodeKind::Container | NodeKind::Guest => "spot",
    }
}

fn wires(diagram: &Diagram, layout: &Layout, out: &mut String) {
    for wire in &layout.wires {
        let Some(edge) = diagram.edges.get(wire.edge) else { continue };
        let look = look(edge);
        let _ = writeln!(
            out,
            "<path class=\"wire {look}\" d=\"{}\" marker-end=\"url(#{}-{look})\"><title>{}</title></path>",
            wire.path,
            Escaped(&diagram.id),
            Escaped(&edge.label)
        );
    }
    for wire in &layout.wires {
        let Some(edge) = diagram.edges.get(wire.edge) else { continue };
        let (x, y) = wire.number;
        let look = look(edge);
        let _ = write!(out, "<g class=\"number {look}\">");
        if look == "open" {
            let _ = write!(out, "<path d=\"M{} {}l6 -12m-1 12l6 -12\"/>", x - 21, y + 6);
        }
        let _ = writeln!(
            out,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"9\"/><text x=\"{x}\" y=\"{}\">{}</text><title>{}</title></g>",
            y + 4,
            wire.edge + 1,
            Escaped(&edge.label)
        );
    }
}

fn place(place: &Place, kind: NodeKind, label: &str, out: &mut String) {
    let round = if matches!(kind, NodeKind::Actor) { place.height / 2 } else { 4 };
    let _ = write!(
        out,
        "<g class=\"place {}\"><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{WIDE}\" height=\"{}\" rx=\"{}\"/>",
        class(kind),
        Escaped(label),
        place.x,
        place.y,
        place.height,
        round.min(18)
    );
    let lines = i32::try_from(place.lines.len()).unwrap_or(0);
    let mut y = place.y + (place.height - lines * 16) / 2 + 12;
    for line in &place.lines {
        let _ = write!(out, "<text x=\"{}\" y=\"{y}\">{}</text>", place.x + WIDE / 2, Escaped(line));
        y += 16;
    }
    out.push_str("</g>\n");
}

/// The same in words: what the numbers mean.
fn steps(diagram: &Diagram, out: &mut String) {
    let columns = parts::columns(&["#Step", "From", "To", "How", "#Points", "What removes it"]);
    parts::open("The steps by their numbers", &columns, out);
    let label = |index: usize| diagram.nodes.get(index).map_or("", |node| node.label.as_str());
    for (index, edge) in diagram.edges.iter().enumerate() {
        let removed = match look(edge) {
            "open" => edge.removed_by.join("; or "),
            "needed" => "nothing: the app needs it".to_owned(),
            _ => "nothing: an unknown flaw of the platform".to_owned(),
        };
        let cells = [
            (index + 1).to_string(),
            Escaped(label(edge.from)).to_string(),
            Escaped(label(edge.to)).to_string(),
            Escaped(&edge.label).to_string(),
            edge.points.to_string(),
            Escaped(&removed).to_string(),
        ];
        parts::row(&columns, &cells, out);
    }
    parts::close(out);
}
