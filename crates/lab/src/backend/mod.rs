//! What guests are made of. One interface: simulated guests, and containers that really boot.

mod interface;
#[cfg(unix)]
pub mod lxc;
mod simulated;

pub use interface::{Address, Backend, GuestSpec, Network, NewGuest, Operation, Progress, Template, Usage};
pub use simulated::Simulated;
