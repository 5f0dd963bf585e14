//! Commands on a guest, over the user's own OpenSSH.
//!
//! One connection carries everything: the first command opens it, later ones share it, and it outlives the process by
//! a minute so that the next run need not wait for it. The host key is pinned: a guest that shows another one is
//! refused before anything is sent.

mod destination;
mod error;
mod host_key;
mod job;
mod key_pair;
mod open_ssh;
mod quote;
mod session;
mod shell;

pub use destination::Destination;
pub use error::RemoteError;
pub use host_key::{HostKey, ParseHostKeyError, Pin};
pub use job::{Input, Job, Output, Stream};
pub use key_pair::KeyPair;
pub use open_ssh::{OpenSsh, scan};
pub use quote::quote;
pub use shell::{Call, How, Program, Shell};
