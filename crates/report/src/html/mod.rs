//! The document as one HTML page that needs nothing else: no network, no other file, not even its own script.

mod alternative;
mod controls;
mod escape;
mod finding;
mod graph;
mod inline;
mod matrix;
mod parts;
mod proposal;
mod tally;
mod wrap;
mod write;

pub use write::write;
