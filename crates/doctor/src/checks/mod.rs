//! The checks, each a pure function of what was seen.

mod guest;
mod network;
mod node;
mod schedule;
mod storage;

pub use guest::{GuestSeen, Inside, engine, guest, ssh, tools};
pub use network::{Echo, address};
pub use node::{Access, NotAsked, node, not_asked};
pub use schedule::{JobSeen, schedule};

/// Bytes in GiB for people.
fn gib(bytes: u64) -> String {
    let tenths = bytes / ((1 << 30) / 10);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}
