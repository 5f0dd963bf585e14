//! Guests that boot wherever Docker runs: systemd, SSH and Docker Engine in containers of the guest image.
//!
//! A guest is one volume of the engine. It holds the guest's disks as folders, beside copies of them for snapshots, so that a root
//! file system is as real as a node's and `/var/lib/docker` lies on no layers. The container is new at each start: its first process
//! makes the disk its root (`entry.sh`) and gives its place to the guest's init. What is done with disks (`tools.sh`) is done in
//! containers too: this machine needs nothing but the program `docker`.

mod config;
mod engine;
mod guests;
mod leftovers;
mod machine;
mod power;
mod usage;
mod work;

pub use guests::Docker;
pub use machine::{Place, Reach};
