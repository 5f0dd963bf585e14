//! The sources of everything that is said.

use std::collections::BTreeSet;

use super::show::{Show, part};
use crate::document::{Block, Section, Text};

pub(super) fn section(show: &Show<'_>) -> Section {
    let judgement = show.input.judgement;
    let mut sources: BTreeSet<(&str, &str)> = show
        .all()
        .flat_map(|finding| finding.rule.references)
        .map(|source| (source.title, source.url))
        .collect();
    if !show.is_empty() {
        sources.extend(judgement.controls.iter().map(|c| (c.control.source.title, c.control.source.url)));
        sources.extend(judgement.mechanisms.iter().map(|m| (m.source.title, m.source.url)));
        for way in &judgement.alternatives {
            let costs = way.costs.iter().flat_map(|costs| costs.sources);
            let obstacles = way.obstacles.iter().map(|obstacle| &obstacle.source);
            sources.extend(costs.chain(way.quality.sources).chain(obstacles).map(|s| (s.title, s.url)));
        }
    }
    let items: Vec<Text> = sources.into_iter().map(|(title, url)| Text::default().link(title, url)).collect();
    let blocks = if items.is_empty() { Vec::new() } else { vec![Block::List(items)] };
    part("references", "References", blocks)
}
