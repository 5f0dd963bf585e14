//! The frame of the page, its sections and blocks.

use std::fmt::Write as _;

use super::escape::Escaped;
use super::inline::Rich;
use super::tally::Tally;
use super::{alternative, controls, finding, graph, matrix, parts, proposal};
use crate::document::{Block, Document, Section, notes};

const STYLE: &str = concat!(
    include_str!("style/colours.css"),
    include_str!("style/page.css"),
    include_str!("style/parts.css"),
    include_str!("style/drawings.css"),
    include_str!("style/print.css"),
);
const SCRIPT: &str = include_str!("filter.js");

/// Nothing is loaded, nothing is sent, and no script runs but the page's own.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
    script-src 'sha256-";
/// Of [`SCRIPT`]; the page is opened in a browser by a test, which objects when it is wrong.
const SCRIPT_HASH: &str = "wXFO/jINyRdve/3GDCJ0sBgJMhPu5x+GAXvnUyYO5f4=";

/// The document as a page. It begins with [`notes::MARK`] in its second line, by which Plimsoll knows its own.
#[must_use]
pub fn write(document: &Document) -> String {
    let tally = Tally::of(document);
    let mut out = String::with_capacity(1 << 19);
    let _ = write!(
        out,
        "<!doctype html>\n{}\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}{SCRIPT_HASH}'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"Plimsoll\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#text\">Skip to the text</a>\n\
         <header class=\"top\"><h1>{title}</h1>\n<p class=\"meta\">{}</p></header>\n<div class=\"sheet\">\n<div class=\"side\">\n",
        notes::MARK,
        Rich(&document.subtitle),
        title = Escaped(&document.title),
    );
    controls::contents(document, &mut out);
    controls::filter(&tally, &mut out);
    out.push_str("</div>\n<main id=\"text\" tabindex=\"-1\">\n");
    for part in &document.sections {
        section(part, 2, &mut out);
    }
    let _ = write!(out, "</main>\n</div>\n<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

fn section(section: &Section, level: usize, out: &mut String) {
    let id = Escaped(&section.id);
    let _ = write!(
        out,
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h{level} id=\"{id}-title\">{} \
         <a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to this section\">#</a></h{level}>\n",
        Escaped(&section.title),
    );
    for part in &section.blocks {
        block(part, level + 1, out);
    }
    for part in &section.sections {
        self::section(part, (level + 1).min(5), out);
    }
    out.push_str("</section>\n");
}

fn block(block: &Block, level: usize, out: &mut String) {
    match block {
        Block::Paragraph(text) => {
            let _ = writeln!(out, "<p>{}</p>", Rich(text));
        }
        Block::List(items) => list("ul", items, out),
        Block::Steps(items) => list("ol", items, out),
        Block::Table(table) => parts::table(table, out),
        Block::Findings(findings) => finding::findings(findings, level, out),
        Block::Brief(findings) => finding::brief(findings, out),
        Block::Diagram(diagram) => graph::draw(diagram, out),
        Block::Alternative(way) => alternative::alternative(way, level, out),
        Block::Matrix(matrix) => matrix::draw(matrix, out),
        Block::Proposal(change) => proposal::proposal(change, level, out),
        Block::Notes(notes) => parts::notes(notes, out),
    }
}

fn list(element: &str, items: &[crate::document::Text], out: &mut String) {
    let _ = writeln!(out, "<{element}>");
    for item in items {
        let _ = writeln!(out, "<li>{}</li>", Rich(item));
    }
    let _ = writeln!(out, "</{element}>");
}
