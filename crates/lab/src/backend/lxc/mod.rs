//! Guests that really boot: Debian's LXC in namespaces and a network of the lab's own.

mod config;
mod disks;
mod guests;
mod leases;
mod leftovers;
mod machine;
mod power;
mod seed;
mod usage;
mod work;

pub use guests::Lxc;
pub use machine::Place;
