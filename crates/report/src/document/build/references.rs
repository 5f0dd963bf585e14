//! The sources of everything that is said.

use std::collections::BTreeSet;

use plimsoll_judge::Source;
use plimsoll_judge::alternatives::Alternative;

use super::Input;
use super::show::part;
use crate::document::{Block, Section, Text};

/// The sources by title; a source is named by its number here, from 1.
pub(super) struct References(Vec<(&'static str, &'static str)>);

impl References {
    pub(super) fn of(input: &Input<'_>) -> Self {
        let judgement = input.judgement;
        let findings = input.report.assessment.findings.iter();
        let rules = findings.flat_map(|judged| judged.finding.rule.references);
        let mut sources: BTreeSet<(&str, &str)> = rules.map(|source| (source.title, source.url)).collect();
        if !judgement.situation.containers.is_empty() {
            let controls = judgement.controls.iter().map(|compared| &compared.control.source);
            let mechanisms = judgement.mechanisms.iter().map(|mechanism| &mechanism.source);
            sources.extend(controls.chain(mechanisms).map(|source| (source.title, source.url)));
            for way in &judgement.alternatives {
                sources.extend(of_way(way).map(|source| (source.title, source.url)));
            }
        }
        Self(sources.into_iter().collect())
    }

    /// The numbers of the sources of a way to host the app.
    pub(super) fn numbers(&self, way: &Alternative) -> Vec<Text> {
        let wanted: BTreeSet<(&str, &str)> = of_way(way).map(|source| (source.title, source.url)).collect();
        let found = self.0.iter().enumerate().filter(|(_, source)| wanted.contains(*source));
        found.map(|(index, _)| Text::default().anchor("references", (index + 1).to_string())).collect()
    }

    pub(super) fn section(&self) -> Section {
        let items: Vec<Text> = self.0.iter().map(|(title, url)| Text::default().link(title, url)).collect();
        let blocks = if items.is_empty() { Vec::new() } else { vec![Block::Steps(items)] };
        part("references", "References", blocks)
    }
}

fn of_way(way: &Alternative) -> impl Iterator<Item = &Source> {
    let costs = way.costs.iter().flat_map(|costs| costs.sources);
    costs.chain(way.quality.sources).chain(way.obstacles.iter().map(|obstacle| &obstacle.source))
}
