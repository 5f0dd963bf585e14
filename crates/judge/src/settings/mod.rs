//! The `evaluate:` section of `plimsoll.yaml`.

mod accepted;
mod date;
mod read;

pub use accepted::{AcceptedRisk, Status, accept, statuses};
pub use date::Date;
pub use read::{Settings, read};
