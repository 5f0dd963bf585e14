//! Who can get where, by which steps.

mod build;
mod export;
mod findings;
mod paths;
mod types;

pub use build::graph;
pub use export::{to_dot, to_mermaid};
pub(crate) use paths::left;
pub use paths::{BlastRadius, Path, Paths, blast_radii, paths};
pub use types::{Actor, Cost, Edge, Graph, Spot};
