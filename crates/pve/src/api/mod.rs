//! Requests and answers, one type each. The names of fields follow the node's parameters; what a parameter means is in the vendor's
//! API viewer under the same path.

mod access;
mod agent;
mod backup;
mod cluster;
mod firewall;
mod guest;
mod lxc;
mod node;
mod qemu;
mod request;
mod storage;
mod tasks;

pub use access::*;
pub use agent::*;
pub use backup::*;
pub use cluster::*;
pub use firewall::*;
pub use guest::*;
pub use lxc::*;
pub use node::*;
pub use qemu::*;
pub use request::{Described, Method, Param, Request};
pub use storage::*;
pub use tasks::*;

/// Every request that the client can make.
pub fn described() -> Vec<&'static Described> {
    [
        access::DESCRIBED,
        agent::DESCRIBED,
        backup::DESCRIBED,
        cluster::DESCRIBED,
        firewall::DESCRIBED,
        guest::DESCRIBED,
        lxc::DESCRIBED,
        node::DESCRIBED,
        qemu::DESCRIBED,
        storage::DESCRIBED,
        tasks::DESCRIBED,
    ]
    .into_iter()
    .flatten()
    .collect()
}
