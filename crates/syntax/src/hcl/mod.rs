//! HCL: Terraform, OpenTofu and Packer files.
//!
//! Source: the HCL native syntax specification, <https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md>.
//! The reader is our own because it must go on after a mistake and keep positions in templates; `hcl-edit`
//! checks it in the tests.

mod ast;
mod parse;
mod template;

pub use ast::{Attribute, Block, Body, Expression, ExpressionKind, Hcl};
pub use parse::parse;

#[cfg(test)]
mod tests;
