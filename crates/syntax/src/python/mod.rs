//! Python source, as far as facts about an application need: statements, calls, strings.
//!
//! The reader is tolerant: it keeps what it understands and passes over the rest. It does not check the language.

mod ast;
mod expression;
mod lexer;
mod parse;
mod statement;
mod string;

pub use ast::{
    Argument, Expr, ExprKind, Imported, Module, Parameter, Statement, StatementKind, Str, StrPart,
};
pub use parse::parse;

#[cfg(test)]
mod tests;
