//! What guests are made of. One interface: simulated guests, and containers that really boot.

#[cfg(unix)]
pub mod docker;
mod interface;
#[cfg(unix)]
pub mod lxc;
mod simulated;
#[cfg(unix)]
mod workers;

pub use interface::{Address, Backend, GuestSpec, Network, NewGuest, Operation, Progress, Template, Usage};
pub use simulated::Simulated;
