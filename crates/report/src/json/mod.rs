//! The JSON report.

mod convert;
mod v1;

pub use convert::to_json;
