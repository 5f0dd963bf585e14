//! Where a guest is.

use std::path::PathBuf;

use crate::Pin;

/// A guest and who logs in there. What is not said here comes from the user's own `~/.ssh/config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Its address or name.
    pub host: String,
    /// Its port; nothing leaves it to OpenSSH.
    pub port: Option<u16>,
    /// The user; nothing leaves it to OpenSSH.
    pub user: Option<String>,
    /// A private key to use; nothing leaves it to OpenSSH (agent, usual files).
    pub identity: Option<PathBuf>,
    /// What it must show.
    pub pin: Pin,
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        write!(f, "{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
