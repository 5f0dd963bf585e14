//! Compose projects, resolved: every value knows its place and the variables it came from.
//!
//! [`resolve`] reads files by the Compose specification: interpolation, merging of several files, `extends`,
//! `include`, profiles, env files, and short forms spelled out.

mod canonical;
mod cast;
mod check;
mod environment;
mod fields;
mod interpolate;
mod load;
mod merge;
mod path;
mod read_project;
mod read_service;
mod render;
mod resolve;
mod schema;
mod service;
mod short;
mod tree;
mod types;
mod unique;
mod units;
mod value;

pub use environment::Environment;
pub use render::{Paths, render};
pub use resolve::{Request, Resolution, default_files, resolve};
pub use service::*;
pub use types::*;
pub use value::*;
