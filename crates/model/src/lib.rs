//! Facts about a deployment, computed once from the trees and shared by all rules.

mod facts;

pub use facts::Facts;
