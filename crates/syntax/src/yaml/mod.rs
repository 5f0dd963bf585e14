//! YAML as a spanned tree.

mod ast;

pub use ast::*;
