//! Changes that resolve findings and cut attack paths.

mod access;
mod containers;
mod operation;
mod order;
mod template;

pub use order::{Cut, Proposal, Resolved, propose};
pub use template::{Complexity, Horizon, Template, of_rule, templates};
