//! Facts about a deployment, computed once from the trees and shared by all rules.

mod facts;
mod inventory;

pub use facts::Facts;
pub use inventory::Inventory;
