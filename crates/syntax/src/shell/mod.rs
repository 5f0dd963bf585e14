//! Shell (bash and POSIX sh) as a tree of our own.

mod ast;

pub use ast::*;
