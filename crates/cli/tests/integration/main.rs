//! The real binary, in directories of its own.

mod bad_input;
mod discovery;
mod evaluate;
mod other_commands;
mod sandbox;
mod stability;
