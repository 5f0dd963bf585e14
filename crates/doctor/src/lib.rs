//! What a target needs of its node and its guest, whether it is there, and how to put it there.
//!
//! Privileges follow from one table, [`CALLS`]: each call of the API that a target makes, with the privileges that the
//! node checks for it and where that is written. [`Needs::of`] reads the table for the [`Work`] of one target,
//! [`lines`] writes the commands that grant exactly that, and [`verify`] asks the node before anything is changed.

mod calls;
mod check;
pub mod checks;
mod lines;
mod look;
mod needs;
mod schedule_calls;
mod verify;
mod work;

pub use calls::{CALLS, Call, Need, Place, Releases, Source};
pub use check::{Check, Outcome, Report};
pub use lines::{Names, lines};
pub use look::{Answer, Seen, Vouched, certificate, look};
pub use needs::{Missing, Needs};
pub use schedule_calls::SCHEDULE_CALLS;
pub use verify::{VerifyError, permissions, verify, verify_schedule};
pub use work::{Card, Download, Kind, LOCAL, Templates, Work};
