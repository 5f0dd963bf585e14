//! justfiles (just.systems).

mod parse;

pub use parse::{Justfile, Parameter, Recipe, RecipeLine, Variable, parse};
