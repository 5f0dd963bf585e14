//! Other ways to host the app, each judged by running the graph again on the changed situation.

mod costs;
mod fit;
mod kinds;
mod matrix;
mod migration;
mod verdict;

pub use costs::{Costs, Quality};
pub use fit::{Obstacle, Obstruction, obstacles};
pub use kinds::{Kind, transformed};
pub use matrix::{Alternative, Criterion, Matrix, Row, Sensitivity, Weights, alternatives, matrix};
pub use migration::{Migration, Step, migration};
pub use verdict::{Outcome, Verdict, verdict};
