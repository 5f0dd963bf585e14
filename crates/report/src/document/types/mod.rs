//! What the document holds, whatever it is written as.

mod alternative;
mod diagram;
mod finding;
mod parts;
mod proposal;
mod text;

pub use alternative::{Alternative, Criterion, Matrix, Obstacle, PathCount, Row};
pub use diagram::{Diagram, Edge, Node, NodeKind};
pub use finding::{Evidence, Excerpt, Finding, Patch};
pub use parts::{Block, Column, Document, Notes, Section, Table};
pub use proposal::{Hours, Proposal, Resolved, Withdrawn};
pub use text::{Inline, Position, Text};
