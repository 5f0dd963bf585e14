//! Fixes: which to apply, the texts that they give, and the proof that they help.
//!
//! A rule attaches a [`Fix`](plimsoll_text::Fix) to its finding and promises nothing. [`mend`] applies it in
//! memory, judges the patched files again, and keeps it only if the finding is gone, no other came, everything
//! can still be read and applying it twice is applying it once. [`prove`] says the same of fixes that are only
//! shown. Nothing here reads or writes a file.

mod apply;
mod compare;
mod diff;
mod mend;
mod proof;
mod prove;
mod settle;

pub use diff::unified_diff;
pub use mend::{Accept, Changed, Check, Fixed, Mended, Request, Withdrawn, mend};
pub use prove::{Claim, FindingKey, prove};
