//! A Proxmox VE node that fits in a test: it judges requests by the vendor's contract and answers in the node's words.
//!
//! [`Lab`] is the node without a network: requests in, answers out, time and chance under control. [`Server`] puts it behind HTTPS on
//! the loopback interface. Guests come from a [`Backend`]; the one here simulates them.

mod access;
mod backend;
mod clock;
mod cloudinit;
mod contract;
#[cfg(unix)]
pub mod control;
mod cx;
mod faults;
mod formats;
mod guest;
mod handlers;
#[cfg(unix)]
pub mod host;
mod http;
mod lab;
mod options;
mod pveum;
mod reply;
mod server;
mod state;
mod storage;
mod task;
mod validate;

pub use backend::{
    Address, Backend, GuestAgent, GuestSpec, Network, NewGuest, Operation, Progress, Simulated, Template,
    Usage,
};
#[cfg(unix)]
pub use backend::{docker, lxc};
pub use contract::Release;
pub use faults::{Fault, Rule};
pub use http::{Outcome, Request, Response};
pub use lab::{Lab, Summary, coverage, privileges};
pub use options::Options;
pub use server::{Certificate, Server, StartError};
