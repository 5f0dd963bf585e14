//! What guests are made of. One interface: simulated guests, and containers that really boot.

#[cfg(unix)]
pub mod docker;
#[cfg(unix)]
mod files;
mod interface;
#[cfg(unix)]
pub mod lxc;
#[cfg(unix)]
mod qemu;
mod simulated;
#[cfg(unix)]
mod workers;

pub use interface::{
    Address, Backend, GuestAgent, GuestSpec, Network, NewGuest, Operation, Progress, Template, Usage,
};
pub use simulated::Simulated;
