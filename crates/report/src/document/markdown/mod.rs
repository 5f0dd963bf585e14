//! The document as Markdown.

mod inline;
mod parts;
mod proposal;
mod write;

pub use write::write;
