//! Which proposals there are here, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_rules::{Assessment, Finding, Fingerprint, Severity};
use plimsoll_text::Place;

use super::{Complexity, Horizon, Template, templates};
use crate::cut::{Changes, cheapest_cut, each};
use crate::graph::Paths;

/// A change proposed for this deployment.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Its name for machines and references.
    pub id: &'static str,
    /// What to do, in a few words.
    pub title: &'static str,
    /// What is wrong here: the messages of the worst findings, or why a path needs it.
    pub problem: Vec<String>,
    /// How to do it.
    pub solution: &'static str,
    /// How hard it is.
    pub complexity: Complexity,
    /// Effort in quarters of an hour: [`Template::base_quarters`] and [`Template::place_quarters`] for each place.
    pub effort_quarters: u32,
    /// How the effort was computed, for people.
    pub effort_model: String,
    /// What it does for security.
    pub security: &'static str,
    /// What it does to performance.
    pub performance: &'static str,
    /// What may break or has to be done by others.
    pub breaking: &'static str,
    /// When it is due.
    pub horizon: Horizon,
    /// The findings that it resolves, worst first.
    pub resolves: Vec<Resolved>,
    /// How many open paths it cuts by itself.
    pub cuts: usize,
    /// Whether it is in the cheapest set that cuts all open paths.
    pub in_cut: bool,
}

impl Proposal {
    /// The worst severity that it resolves.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.resolves.iter().map(|resolved| resolved.severity).max()
    }

    /// Effort in hours.
    #[must_use]
    pub fn hours(&self) -> f64 {
        f64::from(self.effort_quarters) / 4.0
    }
}

/// A finding that a proposal resolves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The rule's code.
    pub rule: &'static str,
    /// What it says.
    pub message: String,
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// The finding's name across runs.
    pub fingerprint: Fingerprint,
}

/// The cheapest set of proposals that cuts every open path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// The proposals, in the order of the list of proposals.
    pub proposals: Vec<&'static str>,
    /// Their effort in quarters of an hour.
    pub effort_quarters: u32,
    /// How many paths they cut.
    pub paths: usize,
}

/// The proposals for these findings and paths, first those of the cheapest cut, then the worst and cheapest.
#[must_use]
pub fn propose(findings: &Assessment, paths: &Paths) -> (Vec<Proposal>, Cut) {
    let open: Vec<&BTreeSet<&'static str>> = paths.open().map(|path| &path.cut_by).collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for id in open.iter().flat_map(|ids| ids.iter()) {
        *count.entry(id).or_default() += 1;
    }
    let mut proposals: Vec<Proposal> = templates()
        .map(|template| proposal(template, findings, count.get(template.id).copied().unwrap_or(0)))
        .filter(|proposal| !proposal.resolves.is_empty() || proposal.cuts > 0)
        .collect();
    let ids: Vec<&'static str> = proposals.iter().map(|proposal| proposal.id).collect();
    let weights: Vec<u32> = proposals.iter().map(|proposal| proposal.effort_quarters).collect();
    let sets: Vec<Changes> = open.iter().map(|path| bits(path, &ids)).collect();
    let (changes, effort_quarters) = cheapest_cut(&sets, &weights);
    for index in each(changes) {
        if let Some(proposal) = proposals.get_mut(index) {
            proposal.in_cut = true;
        }
    }
    proposals.sort_by_key(|proposal| {
        (!proposal.in_cut, std::cmp::Reverse(proposal.severity()), proposal.effort_quarters, proposal.id)
    });
    let chosen = proposals.iter().filter(|proposal| proposal.in_cut).map(|proposal| proposal.id).collect();
    let paths = sets.iter().filter(|set| **set & changes != 0).count();
    (proposals, Cut { proposals: chosen, effort_quarters, paths })
}

fn bits(path: &BTreeSet<&'static str>, ids: &[&'static str]) -> Changes {
    ids.iter().enumerate().filter(|(_, id)| path.contains(*id)).fold(0, |set, (bit, _)| set | 1 << bit)
}

fn proposal(template: &'static Template, findings: &Assessment, cuts: usize) -> Proposal {
    let judged = findings.findings.iter().chain(&findings.known);
    let mut resolves: Vec<Resolved> = judged
        .filter(|judged| template.rules.contains(&judged.finding.rule.code))
        .map(|judged| resolved(&judged.finding, judged.fingerprint.clone()))
        .collect();
    resolves.sort_by_key(|resolved| (std::cmp::Reverse(resolved.severity), resolved.rule, resolved.place));
    let places = u32::try_from(resolves.len().max(1)).unwrap_or(u32::MAX);
    let effort_quarters =
        template.base_quarters.saturating_add(template.place_quarters.saturating_mul(places));
    let hours = |quarters: u32| f64::from(quarters) / 4.0;
    Proposal {
        id: template.id,
        title: template.title,
        problem: resolves.iter().take(5).map(|resolved| resolved.message.clone()).collect(),
        solution: template.solution,
        complexity: template.complexity,
        effort_quarters,
        effort_model: format!(
            "{} h once and {} h for each of {places} places",
            hours(template.base_quarters),
            hours(template.place_quarters)
        ),
        security: template.security,
        performance: template.performance,
        breaking: template.breaking,
        horizon: template.horizon,
        resolves,
        cuts,
        in_cut: false,
    }
}

fn resolved(finding: &Finding, fingerprint: Fingerprint) -> Resolved {
    Resolved {
        rule: finding.rule.code,
        message: finding.message.clone(),
        severity: finding.severity,
        place: finding.primary.place,
        fingerprint,
    }
}
