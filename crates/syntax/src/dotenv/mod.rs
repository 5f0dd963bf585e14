//! Dotenv files by the rules of Docker Compose; variables inside values are left to whoever resolves them.

mod ast;
mod read;

pub use ast::*;
pub use read::{parse, parse_raw};
