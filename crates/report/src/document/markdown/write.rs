//! The whole and its sections.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::inline::text;
use super::parts;
use crate::document::{Block, Document, Section, Text, notes};

/// The document as Markdown. It begins with [`notes::MARK`], by which Plimsoll knows its own.
#[must_use]
pub fn write(document: &Document) -> String {
    let mut out = format!("{}\n# {}\n\n{}.\n\n", notes::MARK, document.title, text(&document.subtitle));
    let linked = linked(&document.sections);
    for section in &document.sections {
        let _ = writeln!(out, "- [{}](#{})", section.title, section.id);
    }
    for section in &document.sections {
        write_section(section, 2, &linked, &mut out);
    }
    out
}

fn write_section(section: &Section, level: usize, linked: &BTreeSet<String>, out: &mut String) {
    let _ = writeln!(out, "\n<a id=\"{}\"></a>\n\n{} {}", section.id, "#".repeat(level), section.title);
    for block in &section.blocks {
        write_block(block, level + 1, linked, out);
    }
    for part in &section.sections {
        write_section(part, level + 1, linked, out);
    }
}

fn write_block(block: &Block, level: usize, linked: &BTreeSet<String>, out: &mut String) {
    match block {
        Block::Paragraph(paragraph) => {
            let _ = writeln!(out, "\n{}", text(paragraph));
        }
        Block::List(items) => {
            out.push('\n');
            for item in items {
                let _ = writeln!(out, "- {}", text(item));
            }
        }
        Block::Steps(items) => {
            out.push('\n');
            for (index, item) in items.iter().enumerate() {
                let _ = writeln!(out, "{}. {}", index + 1, text(item));
            }
        }
        Block::Table(table) => parts::table(table, out),
        Block::Findings(findings) => {
            for finding in findings {
                parts::finding(finding, linked, out);
            }
        }
        Block::Brief(findings) => parts::brief(findings, linked, out),
        Block::Diagram(diagram) => parts::diagram(diagram, out),
        Block::Alternative(way) => super::proposal::alternative(way, level, out),
        Block::Matrix(matrix) => parts::matrix(matrix, out),
        Block::Proposal(proposal) => super::proposal::proposal(proposal, level, out),
        Block::Notes(slot) => {
            let _ = writeln!(out, "\n{}", notes::slot(slot));
        }
    }
}

/// The findings that something in the document leads to; the others need no anchor.
fn linked(sections: &[Section]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for section in sections {
        found.extend(linked(&section.sections));
        for block in &section.blocks {
            match block {
                Block::Paragraph(text) => found.extend(text.anchors()),
                Block::List(items) | Block::Steps(items) => {
                    found.extend(items.iter().flat_map(Text::anchors));
                }
                Block::Table(table) => {
                    found.extend(table.rows.iter().flatten().flat_map(Text::anchors));
                }
                Block::Proposal(proposal) => {
                    found.extend(proposal.resolves.iter().filter_map(|resolved| resolved.finding.clone()));
                }
                _ => {}
            }
        }
    }
    found
}
