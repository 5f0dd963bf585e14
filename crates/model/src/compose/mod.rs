//! Compose projects, resolved: every value knows its place and the variables it came from.

mod service;
mod types;
mod value;

pub use service::*;
pub use types::*;
pub use value::*;
