//! All formats, on one report that has something of everything.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its case should stop")]

mod baseline;
mod json;
mod markdown;
mod page;
mod sample;
mod sarif;
mod terminal;
