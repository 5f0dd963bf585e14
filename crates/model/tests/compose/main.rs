//! The Compose model against what Docker Compose makes of the same files.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixtures has failed")]

mod case;
mod compare;
mod corpus;
mod live;
mod origins;
mod recorded;
