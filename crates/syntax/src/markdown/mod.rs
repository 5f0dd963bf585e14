//! Markdown: headings, code blocks and the lines of text around them.
//!
//! Follows CommonMark as far as a reader of documentation needs; inline elements are read on request only, so
//! that large documentation trees cost little.

mod ast;
mod inline;
mod parse;

pub use ast::{CodeBlock, Heading, Line, LineKind, Markdown};
pub use inline::Link;
pub use parse::parse;

#[cfg(test)]
mod tests;
