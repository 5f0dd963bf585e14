//! Backups, restores, drills and snapshots of a guest, through the Proxmox VE API.
//!
//! A [`Shelf`] is the storage that holds backups, a [`Machine`] the guest. What is made here carries a mark: notes of
//! backups say whose they are ([`Label`]), descriptions of guests that a drill made say who made them ([`Maker`]), names
//! of snapshots begin with [`SNAPSHOT`]. A client that was killed leaves things that the next one knows by their mark.
//! Which backups go is worked out by [`superfluous`], without a question to anybody.

mod calendar;
mod drill;
mod error;
mod job;
mod keep;
mod label;
mod machine;
mod shelf;
mod snapshot;
mod vmid;

pub use calendar::{age, exactly, shown};
pub use drill::{Drill, Maker, leftovers, rehearse};
pub use error::BackupError;
pub use job::{JobChange, Schedule, arrange, backup_jobs, job_changes, jobs_of};
pub use keep::superfluous;
pub use label::Label;
pub use machine::{Line, Machine};
pub use shelf::{Overwrite, Shelf, Stored};
pub use snapshot::SNAPSHOT;
pub use vmid::{next_free, of_archive};
