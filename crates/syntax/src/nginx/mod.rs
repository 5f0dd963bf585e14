//! nginx configuration.

mod parse;

pub use parse::{Config, Directive, parse};
