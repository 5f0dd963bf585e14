//! Finding and reading the files to evaluate.

mod link;
mod names;
mod read;
mod root;
mod walk;

pub(crate) use walk::{Discovery, discover};
