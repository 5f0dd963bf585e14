//! The evaluation as a document: a pure builder of typed parts, and what writes them.

mod build;
pub mod markdown;
pub mod notes;
mod types;

pub use build::{Input, Withdrawals, build};
pub use types::*;
