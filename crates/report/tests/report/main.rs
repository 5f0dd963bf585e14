//! All formats, on one report that has something of everything.

mod baseline;
mod json;
mod markdown;
mod page;
mod sample;
mod sarif;
mod terminal;
