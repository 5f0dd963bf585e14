//! The decision matrix.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_rules::Profile;

use super::{Costs, Kind, Migration, Obstacle, Obstruction, Quality, migration, obstacles, transformed};
use crate::graph::{Graph, Paths, graph, left, paths};
use crate::situation::{Isolation, Situation};

/// What alternatives are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criterion {
    /// How far the node is from an attacker, computed from the paths.
    Isolation,
    /// How well the app fits as it is.
    Compatibility,
    /// Memory and start.
    Resources,
    /// How little there is to look after.
    Operation,
    /// How cheap it is to get there.
    Migration,
    /// Snapshots, backup, migration, restart elsewhere.
    Recovery,
    /// How well trodden and supported it is.
    Maturity,
}

impl Criterion {
    /// All, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Isolation,
        Self::Compatibility,
        Self::Resources,
        Self::Operation,
        Self::Migration,
        Self::Recovery,
        Self::Maturity,
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Isolation => "isolation",
            Self::Compatibility => "compatibility",
            Self::Resources => "resources",
            Self::Operation => "operation",
            Self::Migration => "migration",
            Self::Recovery => "recovery",
            Self::Maturity => "maturity",
        }
    }

    /// How its score is made, for people.
    #[must_use]
    pub const fn model(self) -> &'static str {
        match self {
            Self::Isolation => {
                "3 for each point of the easiest path to the node once the proposed changes beside the guest are made, at most 100; less 20 while a path is left that needs no unknown flaw of the platform"
            }
            Self::Compatibility => {
                "100 less 2 for each note, 5 for each line that complicates and 40 for each that forbids it"
            }
            Self::Resources => "100 less 1 for each 15 MiB in the middle of the range, less its boot seconds",
            Self::Operation | Self::Recovery | Self::Maturity => {
                "a table for each way, from its documentation"
            }
            Self::Migration => "100 less 2 for each hour of the migration",
        }
    }
}

/// How much each criterion counts, in the order of [`Criterion::ALL`]; 100 together by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights(pub [u32; 7]);

impl Weights {
    /// The weights of a profile.
    #[must_use]
    pub const fn of(profile: Profile) -> Self {
        Self(match profile {
            Profile::Homelab => [20, 15, 15, 15, 15, 10, 10],
            Profile::Internet => [35, 15, 5, 10, 10, 10, 15],
            Profile::Production => [25, 15, 5, 10, 5, 25, 15],
        })
    }

    /// The weight of a criterion.
    #[must_use]
    pub fn get(self, criterion: Criterion) -> u32 {
        self.0.get(criterion as usize).copied().unwrap_or(0)
    }

    /// The same with another weight for a criterion.
    #[must_use]
    pub fn with(mut self, criterion: Criterion, weight: u32) -> Self {
        if let Some(slot) = self.0.get_mut(criterion as usize) {
            *slot = weight;
        }
        self
    }
}

/// A way to host the app, judged.
#[derive(Clone, Debug)]
pub struct Alternative {
    /// What it is.
    pub kind: Kind,
    /// Whether it is how the app is hosted today.
    pub is_today: bool,
    /// The lines that stand against it, the worst first.
    pub obstacles: Vec<Obstacle>,
    /// The paths that remain if only the way of hosting changes.
    pub paths: Paths,
    /// The paths that remain if the cheapest cut is made too.
    pub paths_after_cut: Paths,
    /// The graph of the changed situation, for drawing.
    pub graph: Graph,
    /// What it costs to run; nothing where the files do not tell.
    pub costs: Option<Costs>,
    /// What it offers.
    pub quality: Quality,
    /// How to get there.
    pub migration: Migration,
}

impl Alternative {
    /// Whether a line forbids it.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.obstacles.iter().any(|obstacle| obstacle.obstruction == Obstruction::Forbids)
    }

    /// The points from 0 to 100 for a criterion.
    #[must_use]
    pub fn score(&self, criterion: Criterion) -> u32 {
        let points = match criterion {
            Criterion::Isolation => {
                let nearest = self.paths_after_cut.to_node().map(|path| path.points).min();
                let open = self.paths_after_cut.to_node().any(|path| !path.residual);
                nearest.map_or(100, |points| (points * 3).min(100)).saturating_sub(if open { 20 } else { 0 })
            }
            Criterion::Compatibility => {
                let loss: u32 = self
                    .obstacles
                    .iter()
                    .map(|obstacle| match obstacle.obstruction {
                        Obstruction::Note => 2,
                        Obstruction::Complicates => 5,
                        Obstruction::Forbids => 40,
                    })
                    .sum();
                100_u32.saturating_sub(loss)
            }
            Criterion::Resources => self.costs.map_or(50, |costs| {
                let memory = (costs.memory_mib.0 + costs.memory_mib.1) / 2 / 15;
                let boot = (costs.boot_seconds.0 + costs.boot_seconds.1) / 2;
                100_u32.saturating_sub(memory + boot)
            }),
            Criterion::Operation => self.quality.operation,
            Criterion::Migration => 100_u32.saturating_sub(self.migration.effort_quarters() / 2),
            Criterion::Recovery => self.quality.recovery,
            Criterion::Maturity => self.quality.maturity,
        };
        points.min(100)
    }
}

/// Every way to host the app, today's first.
#[must_use]
pub fn alternatives(facts: &Facts, situation: &Situation, cut: &BTreeSet<&'static str>) -> Vec<Alternative> {
    let isolation = situation.guests.first().map_or(Isolation::Unknown, |guest| guest.isolation);
    let today = Kind::of(isolation);
    let services = u32::try_from(situation.containers.len()).unwrap_or(u32::MAX / 32);
    let others = Kind::ALL.into_iter().filter(|kind| *kind != today);
    std::iter::once(today)
        .chain(others)
        .map(|kind| {
            let is_today = kind == today;
            let changed = if is_today { situation.clone() } else { transformed(situation, kind) };
            // What changes the guest itself is the alternative, not a change beside it.
            let done: BTreeSet<&'static str> =
                cut.iter().copied().filter(|id| !matches!(*id, "unprivileged-guest" | "vm-guest")).collect();
            let graph = graph(&changed);
            let paths = paths(&graph);
            let obstacles = if is_today { Vec::new() } else { obstacles(facts, kind) };
            Alternative {
                kind,
                is_today,
                paths_after_cut: left(&graph, &paths, &done),
                paths,
                graph,
                costs: kind.costs(services),
                quality: kind.quality(),
                migration: migration(facts, situation, kind, &obstacles),
                obstacles,
            }
        })
        .collect()
}

/// One line of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The alternative.
    pub kind: Kind,
    /// Points for each criterion, in the order of [`Criterion::ALL`].
    pub scores: [u32; 7],
    /// The weighted sum in hundredths of a point.
    pub total: u32,
}

/// What would change the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sensitivity {
    /// The criterion whose weight changes.
    pub criterion: Criterion,
    /// Its weight now.
    pub weight: u32,
    /// The nearest weight with another winner.
    pub flips_at: u32,
    /// That winner.
    pub winner: Kind,
}

/// The decision matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The weights.
    pub weights: Weights,
    /// The alternatives, the best first.
    pub rows: Vec<Row>,
    /// Each criterion whose weight can change the outcome, the smallest change first.
    pub sensitivity: Vec<Sensitivity>,
}

/// An alternative with its points, which no weight changes.
struct Scored {
    kind: Kind,
    is_forbidden: bool,
    /// In the order of [`Criterion::ALL`].
    scores: [u32; 7],
}

impl Scored {
    fn row(&self, weights: Weights) -> Row {
        let all: u32 = weights.0.iter().sum::<u32>().max(1);
        let sum: u32 = self.scores.iter().zip(weights.0).map(|(score, weight)| score * weight).sum();
        Row { kind: self.kind, scores: self.scores, total: sum * 100 / all }
    }

    /// What the best has least of.
    fn rank(&self, weights: Weights) -> (bool, std::cmp::Reverse<u32>, Kind) {
        (self.is_forbidden, std::cmp::Reverse(self.row(weights).total), self.kind)
    }
}

/// Weighs the alternatives.
#[must_use]
pub fn matrix(alternatives: &[Alternative], weights: Weights) -> Matrix {
    let mut scored: Vec<Scored> = alternatives
        .iter()
        .map(|alternative| Scored {
            kind: alternative.kind,
            is_forbidden: alternative.is_forbidden(),
            scores: Criterion::ALL.map(|criterion| alternative.score(criterion)),
        })
        .collect();
    scored.sort_by_key(|one| one.rank(weights));
    let winner = scored.first().map(|one| one.kind);
    let mut sensitivity: Vec<Sensitivity> = Criterion::ALL
        .into_iter()
        .filter_map(|criterion| {
            let weight = weights.get(criterion);
            let mut others: Vec<u32> = (0..=100).filter(|other| *other != weight).collect();
            others.sort_by_key(|other| (other.abs_diff(weight), *other));
            others.into_iter().find_map(|flips_at| {
                let other = weights.with(criterion, flips_at);
                let first = scored.iter().min_by_key(|one| one.rank(other))?.kind;
                (Some(first) != winner).then_some(Sensitivity { criterion, weight, flips_at, winner: first })
            })
        })
        .collect();
    sensitivity.sort_by_key(|flip| (flip.flips_at.abs_diff(flip.weight), flip.criterion));
    Matrix { weights, rows: scored.iter().map(|one| one.row(weights)).collect(), sensitivity }
}
