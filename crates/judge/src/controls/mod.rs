//! Comparison with named controls, and what the kernel's mechanisms give here.

mod compare;
mod mechanisms;
mod table;

pub use compare::{Compared, State, compare};
pub use mechanisms::{Mechanism, mechanisms};
pub use table::{Control, controls};
