//! Dockerfiles by the BuildKit frontend's grammar.
//!
//! Source: Dockerfile reference, <https://docs.docker.com/reference/dockerfile/>. The reader is our own because
//! it must go on after a mistake, keep positions through continuations and read a Dockerfile that a script
//! writes; `parse-dockerfile` checks it in the tests.

mod ast;
mod instruction;
mod logical;
mod parse;
mod reference;
mod words;

pub use ast::*;
pub use parse::parse;
pub use reference::{ImageReference, expand};

#[cfg(test)]
mod tests;
