//! The proposals week by week.

use std::collections::BTreeSet;

use plimsoll_rules::Severity;

use crate::alternatives::{Alternative, Verdict};
use crate::graph::{Path, Paths};
use crate::proposals::{Horizon, Proposal};

/// Hours of a week that go into the deployment when the settings do not say: two evenings and half a Saturday.
pub const HOURS_PER_WEEK: u32 = 10;

/// What another guest takes the place of.
const GUEST: [&str; 2] = ["unprivileged-guest", "vm-guest"];

/// The proposals in the order of work, by the week in which each is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roadmap {
    /// Hours of a week that go into it.
    pub hours_per_week: u32,
    /// The weeks in which something is done.
    pub weeks: Vec<Week>,
    /// Proposals that the move to another guest makes needless.
    pub spared: Vec<&'static str>,
}

/// A week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week {
    /// Its number, from 1.
    pub number: u32,
    /// What is done by its end.
    pub done: Vec<Work>,
    /// Open paths to the node and the data that are left then.
    pub open_paths: usize,
    /// Findings at or above high that are left then.
    pub grave: usize,
    /// All findings that are left then.
    pub findings: usize,
}

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A proposal, by its name.
    Proposal(&'static str),
    /// The move to the way of hosting that the verdict names.
    Move,
}

impl Roadmap {
    /// The first week at whose end no open path is left.
    #[must_use]
    pub fn closed_in(&self) -> Option<u32> {
        self.weeks.iter().find(|week| week.open_paths == 0).map(|week| week.number)
    }

    /// The week in which a piece of work is done.
    #[must_use]
    pub fn week_of(&self, work: Work) -> Option<u32> {
        self.weeks.iter().find(|week| week.done.contains(&work)).map(|week| week.number)
    }
}

/// Quick wins, worst first; then the move, if the verdict is to move; then the rest by horizon. Where two are alike, what the
/// cheapest cut needs comes first, then what takes less time. A piece of work counts in the week in which it ends.
#[must_use]
pub fn roadmap(
    proposals: &[Proposal],
    paths: &Paths,
    alternatives: &[Alternative],
    verdict: Option<&Verdict>,
    hours_per_week: u32,
) -> Roadmap {
    let target = verdict
        .filter(|verdict| verdict.winner != verdict.today)
        .and_then(|verdict| alternatives.iter().find(|way| way.kind == verdict.winner));
    let is_spared = |proposal: &&Proposal| target.is_some() && GUEST.contains(&proposal.id);
    let mut order: Vec<&Proposal> = proposals.iter().filter(|proposal| !is_spared(proposal)).collect();
    order.sort_by_key(|proposal| {
        let worst = std::cmp::Reverse(proposal.severity());
        (proposal.horizon, worst, !proposal.in_cut, proposal.effort_quarters, proposal.id)
    });
    let work = |proposal: &&Proposal| (Work::Proposal(proposal.id), proposal.effort_quarters);
    let soon = order.iter().filter(|proposal| proposal.horizon == Horizon::QuickWin).map(work);
    let later = order.iter().filter(|proposal| proposal.horizon != Horizon::QuickWin).map(work);
    let moving = target.map(|way| (Work::Move, way.migration.effort_quarters()));

    let spared: Vec<&'static str> = proposals.iter().filter(is_spared).map(|proposal| proposal.id).collect();
    let mut road = Roadmap { hours_per_week, weeks: Vec::new(), spared };
    let (mut quarters, mut done) = (0_u32, BTreeSet::new());
    let mut open: Vec<&Path> = paths.open().collect();
    for (work, effort) in soon.chain(moving).chain(later) {
        quarters = quarters.saturating_add(effort);
        match (work, target) {
            (Work::Proposal(id), _) => {
                done.insert(id);
                open.retain(|path| !path.cut_by.contains(id));
            }
            (Work::Move, Some(way)) => {
                done.extend(road.spared.iter().copied());
                open = way.paths.open().filter(|path| path.cut_by.is_disjoint(&done)).collect();
            }
            (Work::Move, None) => {}
        }
        let number = quarters.div_ceil(hours_per_week.max(1).saturating_mul(4)).max(1);
        if road.weeks.last().is_none_or(|week| week.number != number) {
            road.weeks.push(Week { number, done: Vec::new(), open_paths: 0, grave: 0, findings: 0 });
        }
        if let Some(week) = road.weeks.last_mut() {
            week.done.push(work);
            week.open_paths = open.len();
            let left = || {
                let left = proposals.iter().filter(|proposal| !done.contains(proposal.id));
                left.flat_map(|proposal| &proposal.resolves)
            };
            week.findings = left().count();
            week.grave = left().filter(|found| found.severity >= Severity::High).count();
        }
    }
    road
}

#[cfg(test)]
mod tests {
    use plimsoll_rules::Fingerprint;
    use plimsoll_text::{Files, Place, Span};

    use super::*;
    use crate::graph::Spot;
    use crate::proposals::{Complexity, Resolved};

    fn proposal(id: &'static str, horizon: Horizon, hours: u32, severity: Severity) -> Proposal {
        Proposal {
            id,
            title: id,
            problem: Vec::new(),
            solution: "",
            complexity: Complexity::Low,
            effort_quarters: hours * 4,
            effort_model: String::new(),
            security: "",
            performance: "",
            breaking: "",
            horizon,
            resolves: vec![Resolved {
                rule: "ISO-001",
                message: String::new(),
                severity,
                place: Files::new([("a".into(), String::new())])
                    .iter()
                    .next()
                    .map(|(id, _)| Place::new(id, Span::default()))
                    .unwrap(),
                fingerprint: Fingerprint::from_text(""),
            }],
            cuts: 0,
            in_cut: false,
        }
    }

    fn path(cut_by: &[&'static str]) -> Path {
        Path {
            edges: Vec::new(),
            from: Spot::Node,
            to: Spot::Node,
            points: 1,
            cut_by: cut_by.iter().copied().collect(),
            residual: false,
        }
    }

    #[test]
    fn work_counts_in_the_week_in_which_it_ends_and_takes_its_paths_with_it() {
        let proposals = [
            proposal("a", Horizon::LongTerm, 12, Severity::Critical),
            proposal("b", Horizon::QuickWin, 4, Severity::Low),
            proposal("c", Horizon::QuickWin, 5, Severity::High),
        ];
        let paths = Paths { list: vec![path(&["a", "c"]), path(&["b"]), path(&["a"])], truncated: false };
        let road = roadmap(&proposals, &paths, &[], None, 5);
        let weeks: Vec<_> = road
            .weeks
            .iter()
            .map(|week| (week.number, week.done.clone(), week.open_paths, week.grave, week.findings))
            .collect();
        assert_eq!(
            weeks,
            [
                (1, vec![Work::Proposal("c")], 2, 1, 2),
                (2, vec![Work::Proposal("b")], 1, 1, 1),
                (5, vec![Work::Proposal("a")], 0, 0, 0),
            ]
        );
        assert_eq!((road.closed_in(), road.week_of(Work::Proposal("b"))), (Some(5), Some(2)));
        assert_eq!(road.week_of(Work::Move), None);
    }
}
