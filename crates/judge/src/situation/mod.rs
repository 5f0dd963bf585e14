//! What of the facts matters for judging: containers, guests and weaknesses, small enough to be changed and judged
//! again ("what if the guest were a VM?").

mod read;
mod types;

pub(crate) use read::all;
pub use read::{internet, situation};
pub use types::{Container, Entry, GuestModel, Isolation, Situation, Volume, Weakness};
