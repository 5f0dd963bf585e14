//! Commands that a Python program starts or sends to other machines.

mod program;
mod text;
mod wrappers;

pub(crate) use program::python;
