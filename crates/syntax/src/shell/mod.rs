//! Shell (bash and POSIX sh) as a tree of our own.

mod ast;
mod build;
mod expansion;
mod holes;
mod literal;
mod lower;
mod parse;
mod redirect;
mod scan;
mod walk;
mod word;

pub use ast::*;
pub use literal::literal_word;
pub use parse::{join, parse, parse_nested};
pub use walk::{Visit, walk, walk_words};
