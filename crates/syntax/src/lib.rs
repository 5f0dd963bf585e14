//! Total readers: any text gives a tree and a list of syntax errors, never a panic.
//!
//! Every reader takes a [`plimsoll_text::Layer`], so the spans in its tree are bytes of the outermost file even
//! when the text was nested in other text.

mod scan;
#[cfg(test)]
mod testing;

pub mod dockerfile;
pub mod dotenv;
pub mod hcl;
pub mod ini;
pub mod justfile;
pub mod makefile;
pub mod markdown;
pub mod nginx;
pub mod pveconf;
pub mod python;
pub mod shell;
pub mod source;
pub mod toml;
pub mod yaml;
