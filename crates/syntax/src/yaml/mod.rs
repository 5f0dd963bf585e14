//! YAML as a spanned tree.

mod ast;
mod build;
mod scalar;
mod template;

pub use ast::*;
pub use build::parse;
