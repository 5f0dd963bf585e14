//! The real binary, in directories of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot prepare its case should stop")]

mod backup;
mod bad_input;
mod discovery;
mod doctor;
mod document;
mod evaluate;
mod example;
mod fix;
mod hostile;
mod init;
mod lab;
mod lab_docs;
mod other_commands;
mod page;
mod sandbox;
mod secret;
mod stability;
#[path = "../support/terminal.rs"]
mod terminal;
mod total;
