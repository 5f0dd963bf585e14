//! The chapters in their order.

use std::collections::BTreeMap;

use plimsoll_judge::Assessment as Judgement;
use plimsoll_judge::settings::Date;
use plimsoll_model::Facts;
use plimsoll_text::Place;

use super::show::Show;
use super::{alternatives, current, decision, findings, operation, proposals, security, summary};
use crate::document::{Block, Document, Notes, Section, Text};
use crate::report::{Report, counted};

/// Reasons why patches do not hold, each by the code, the place and the message of its finding.
pub type Withdrawals = BTreeMap<(&'static str, Place, String), String>;

/// What a document is made of.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The findings with their circumstances.
    pub report: &'a Report<'a>,
    /// The facts that were judged.
    pub facts: &'a Facts,
    /// The judgement.
    pub judgement: &'a Judgement,
    /// Why the patches of some findings do not hold; they are not offered.
    pub withdrawn: &'a Withdrawals,
    /// The day of the judgement, for risks that are accepted for a time.
    pub today: Date,
    /// What people wrote into the document that this one replaces, by slot.
    pub notes: &'a BTreeMap<String, String>,
}

/// The document. The same input gives the same document.
#[must_use]
pub fn build(input: &Input<'_>) -> Document {
    let show = Show::new(input);
    let mut sections = vec![summary::section(&show), current::section(&show), security::section(&show)];
    sections.extend(operation::sections(&show));
    if !show.is_empty() {
        sections.push(alternatives::section(&show));
    }
    sections.extend(proposals::sections(&show));
    sections.push(decision::justification(&show));
    sections.push(decision::criteria(&show));
    sections.extend(findings::hidden(&show));
    sections.push(show.references.section());
    sections.retain(|section| !section.blocks.is_empty() || !section.sections.is_empty());
    let mut notes = input.notes.clone();
    for section in &mut sections {
        place_notes(section, &mut notes);
    }
    notes.retain(|_, text| !text.is_empty());
    if !notes.is_empty() {
        sections.push(left_over(notes));
    }
    let version = env!("CARGO_PKG_VERSION");
    let files = counted(input.report.files.len(), "file");
    Document {
        title: "Evaluation of the deployment on Proxmox VE".to_owned(),
        subtitle: Text::of(&format!(
            "Profile `{}`, {files} read, written by `plimsoll evaluate --document` (version {version})",
            input.judgement.profile.name()
        )),
        sections,
    }
}

/// Puts a slot at the end of a chapter, and hands notes to the slots within.
fn place_notes(section: &mut Section, notes: &mut BTreeMap<String, String>) {
    let mut slot = |name: &str| Notes { slot: name.to_owned(), text: notes.remove(name).unwrap_or_default() };
    for block in section.sections.iter_mut().flat_map(|part| &mut part.blocks).chain(&mut section.blocks) {
        if let Block::Notes(notes) = block {
            *notes = slot(&notes.slot);
        }
    }
    let end = Block::Notes(slot(&section.id));
    match section.sections.last_mut() {
        Some(last) => last.blocks.push(end),
        None => section.blocks.push(end),
    }
}

/// Notes whose place is gone, because what they speak of is.
fn left_over(notes: BTreeMap<String, String>) -> Section {
    let intro = "These were written beside parts that this evaluation no longer has.";
    let mut blocks = vec![Block::Paragraph(intro.into())];
    for (slot, text) in notes {
        blocks.push(Block::Paragraph(Text::of("From ").code(&slot).and(":")));
        blocks.push(Block::Notes(Notes { slot, text }));
    }
    Section {
        id: "notes".to_owned(),
        title: "Notes without a place".to_owned(),
        blocks,
        sections: Vec::new(),
    }
}
