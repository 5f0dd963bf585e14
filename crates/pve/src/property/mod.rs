//! Property strings: `key=value,key=value` inside one configuration value.
//!
//! A client that writes back only what it knows cuts the network of a guest whose `net0` has a key of a newer release. So each type
//! here is a list that keeps order, unknown keys and the way in which the default key was written; getters and setters are a view of
//! it. Reading one checks the keys it knows.

mod check;
mod disk;
mod net;
mod options;
mod string;

pub use check::Size;
pub use disk::{Drive, Mount, Source};
pub use net::{IpConfig, LxcNet, QemuNet};
pub use options::{Features, Startup};
pub use string::{PropertyError, PropertyString};
