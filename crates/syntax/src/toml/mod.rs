//! TOML: `pyproject.toml`, `Cargo.toml` and configuration files.

mod parse;

pub use parse::{Entry, Table, Toml, Value, ValueKind, parse};
