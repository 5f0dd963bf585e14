//! How many findings of which kind the page holds.

use std::collections::BTreeMap;

use plimsoll_rules::{Severity, Theme};

use crate::document::{Block, Document, Finding, Section};

/// Counts of findings.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) severities: BTreeMap<Severity, usize>,
    pub(super) themes: BTreeMap<Theme, usize>,
    pub(super) all: usize,
}

impl Tally {
    pub(super) fn of(document: &Document) -> Self {
        let mut tally = Self::default();
        for section in &document.sections {
            tally.section(section);
        }
        tally
    }

    fn section(&mut self, section: &Section) {
        for block in &section.blocks {
            if let Block::Findings(findings) | Block::Brief(findings) = block {
                self.findings(findings);
            }
        }
        for part in &section.sections {
            self.section(part);
        }
    }

    fn findings(&mut self, findings: &[Finding]) {
        for finding in findings {
            *self.severities.entry(finding.severity).or_default() += 1;
            *self.themes.entry(finding.theme).or_default() += 1;
            self.all += 1;
        }
    }
}
