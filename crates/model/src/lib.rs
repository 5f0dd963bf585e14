//! Facts about a deployment, computed once from the trees and shared by all rules.

pub mod application;
pub mod compose;
mod facts;
pub mod images;
mod inventory;

pub use facts::Facts;
pub use inventory::Inventory;
