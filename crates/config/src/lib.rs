//! `plimsoll.yaml` as typed values.
//!
//! [`parse`] gives a [`Config`] or every error at once, each with file, line and column and, for a key that does not
//! exist, the one that was probably meant. What keys there are stands in one table (`keys.rs`); the reader, the JSON
//! Schema ([`schema`]) and the reference page ([`reference`]) are made from it. The `evaluate` section is checked
//! against the same table and read by the judge.

mod error;
mod keys;
mod read;
mod reference;
mod schema;
mod shape;
mod similar;
mod template;
mod types;
mod units;
mod verify;

pub use error::{ConfigError, Errors};
pub use read::parse;
pub use reference::reference;
pub use schema::schema;
pub use similar::similar;
pub use template::Template;
pub use types::{
    Address, Adopted, Alphabet, Backup, Build, Check, CloneKind, Config, Generate, Guest, Hook, Keep,
    Network, NewGuest, OnFailure, Origin, Proxmox, Rotate, Rotation, SecretSpec, Target,
};
pub use units::{Bytes, parse_duration, show_duration};

/// The name of the file, at the root of the checkout.
pub const FILE_NAME: &str = "plimsoll.yaml";
