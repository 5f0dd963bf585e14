//! The evaluation as a document.

mod types;

pub use types::*;
