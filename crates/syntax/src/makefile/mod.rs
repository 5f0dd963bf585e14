//! Makefiles (GNU make).

mod ast;
mod parse;
mod recipe;

pub use ast::{Makefile, RecipeLine, Target, Variable};
pub use parse::parse;

#[cfg(test)]
mod tests;
