//! Source of C-like languages as tokens: JavaScript and TypeScript, Go, Rust.
//!
//! What facts need of these languages (reads of environment variables, calls with literal arguments) shows in the
//! tokens; comments, strings and regular expressions are told apart so that nothing in them is taken for code.

mod lexer;
mod tokens;

pub use tokens::{Dialect, Token, TokenKind, Tokens, parse};

#[cfg(test)]
mod tests;
