//! Ways to host the app, and how they compare.

use super::{Evidence, Hours, Text};

/// A way to host the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative {
    /// Its anchor, without `#`.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Whether it is how the app is hosted today.
    pub is_today: bool,
    /// Whether the verdict names it.
    pub is_recommended: bool,
    /// Whether the app fits, in one sentence.
    pub fit: Text,
    /// The lines that stand against it, the worst first.
    pub obstacles: Vec<Obstacle>,
    /// The attack paths that remain.
    pub paths: PathCount,
    /// What it costs, each with a name and a value: memory, disk, boot, operation.
    pub costs: Vec<(&'static str, Text)>,
    /// What it gives, each with a name and a value: snapshots, live migration, backup, Docker.
    pub gives: Vec<(&'static str, Text)>,
    /// The steps to get there, each with its files and hours; none for today's way.
    pub migration: Vec<Text>,
    /// Effort of all steps, in hours.
    pub hours: Hours,
    /// What breaks or changes for others.
    pub breaking: Vec<Text>,
    /// Where the numbers and statements come from.
    pub sources: Vec<Text>,
}

/// A line that stands against a way to host the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// `forbids`, `complicates` or `note`.
    pub weight: &'static str,
    /// The service.
    pub service: String,
    /// The line and what it says.
    pub evidence: Evidence,
}

/// How many attack paths remain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathCount {
    /// Paths to the node that need no unknown flaw of the platform, if only the way of hosting changes.
    pub to_node: usize,
    /// The same for paths to data.
    pub to_data: usize,
    /// Paths to the node that need no unknown flaw, once the proposed changes are made too.
    pub to_node_after: usize,
    /// The points of the easiest path to the node then; nothing where there is none.
    pub easiest_after: Option<u32>,
}

/// The decision matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// Its anchor, without `#`.
    pub id: String,
    /// What it is weighed for.
    pub profile: &'static str,
    /// What is compared.
    pub criteria: Vec<Criterion>,
    /// The ways, the best first.
    pub rows: Vec<Row>,
    /// What would change the outcome, sentence by sentence.
    pub sensitivity: Vec<Text>,
}

/// What ways are compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// Its name.
    pub name: &'static str,
    /// How much it counts; 100 together unless the owner says otherwise.
    pub weight: u32,
    /// How its points are made.
    pub model: &'static str,
}

/// A way in the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The anchor of the alternative.
    pub alternative: String,
    /// Its title.
    pub title: String,
    /// Points from 0 to 100, one for each criterion.
    pub scores: Vec<u32>,
    /// The weighted sum in hundredths of a point.
    pub total: u32,
    /// Whether it is how the app is hosted today.
    pub is_today: bool,
    /// Whether the verdict names it.
    pub is_recommended: bool,
}
