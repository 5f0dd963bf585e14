//! A resolved project in the words of `docker compose config --format json`.

mod build;
mod object;
mod project;
mod service;

pub use object::Paths;
pub use project::render;
