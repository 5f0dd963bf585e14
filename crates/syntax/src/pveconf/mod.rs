//! Proxmox VE guest configuration: `/etc/pve/lxc/ID.conf` and `/etc/pve/qemu-server/ID.conf`.
//!
//! Sources: pct.conf(5), qm.conf(5) and lxc.container.conf(5).

mod parse;
mod property;

pub use parse::{Comment, Entry, GuestConfig, Section, parse};
pub use property::{Property, PropertyString};
