//! Guests: what the files say about LXC containers and VMs, and where each property is set.

mod commands;
mod config;
mod guest;
mod property;
mod terraform;
mod yaml;

pub use guest::{Guest, GuestKind, Guests, Maker, Setting};
pub use property::Properties;
pub use terraform::terraform_value;

pub(crate) use commands::from_commands;
pub(crate) use config::from_config;
pub(crate) use terraform::from_terraform;
pub(crate) use yaml::{from_ansible, from_variables};
