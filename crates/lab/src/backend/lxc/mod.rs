//! Guests that really boot: Debian's LXC in namespaces and a network of the lab's own.

pub(super) mod config;
pub(super) mod disks;
mod guests;
pub(super) mod leases;
pub(super) mod leftovers;
pub(super) mod machine;
mod power;
mod seed;
mod usage;
mod work;

pub use guests::Lxc;
pub use machine::Place;
