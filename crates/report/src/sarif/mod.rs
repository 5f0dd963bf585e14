//! SARIF 2.1.0.

mod convert;
mod types;
mod uri;

pub use convert::to_sarif;
