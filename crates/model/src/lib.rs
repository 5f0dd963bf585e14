//! Facts about a deployment, computed once from the trees and shared by all rules.

pub mod application;
mod circles;
pub mod commands;
pub mod compose;
mod facts;
pub mod guests;
pub mod ignores;
pub mod images;
mod inventory;
mod kind;
mod programs;
pub mod services;
mod stacks;
mod terraform;
mod trees;
mod written;

pub use facts::Facts;
pub use inventory::Inventory;
pub use kind::Kind;
pub use stacks::{Role, Stack, Stacks};
pub use trees::Trees;
pub use written::WrittenFile;
