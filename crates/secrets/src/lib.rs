//! Secrets of a deployment: one file beside the code, encrypted with age.
//!
//! Everything here is pure: bytes in, bytes out. The command line reads and writes the files, and gives the
//! randomness.

mod error;
mod generate;
mod keys;
mod store;

pub use age::secrecy::{ExposeSecret, SecretString};
pub use error::SecretsError;
pub use generate::generate;
pub use keys::{Identities, Recipients, new_identity, public_keys};
pub use store::{Pending, Store};

/// The file's name beside `plimsoll.yaml`.
pub const FILE_NAME: &str = "secrets.age";
