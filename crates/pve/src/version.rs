//! Releases of Proxmox VE, and what came with which.

use std::fmt;
use std::str::FromStr;

/// A release such as 9.2 or 8.4.21. A missing part compares as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 8, 9 …
    pub major: u16,
    /// The part after the first dot.
    pub minor: u16,
    /// The part after the second dot.
    pub patch: u16,
}

impl Version {
    /// The last 8.x release line.
    pub const V8_4: Self = Self::new(8, 4, 0);
    /// Guest agent privileges, unprivileged containers by default, rules instead of groups for high availability.
    pub const V9_0: Self = Self::new(9, 0, 0);
    /// Images of OCI registries as containers.
    pub const V9_1: Self = Self::new(9, 1, 0);
    /// Secrets of tokens can be renewed in place.
    pub const V9_2: Self = Self::new(9, 2, 0);

    /// A release by its parts.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Whether new containers are unprivileged unless the request says otherwise (pve-container 6.0.6).
    pub fn unprivileged_by_default(self) -> bool {
        self >= Self::V9_0
    }

    /// The privilege that running a command through the guest agent takes. `VM.Monitor` left with release 9.
    pub fn agent_privilege(self) -> &'static str {
        if self >= Self::V9_0 { "VM.GuestAgent.Unrestricted" } else { "VM.Monitor" }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 {
            write!(f, ".{}", self.patch)?;
        }
        Ok(())
    }
}

/// Text that is no release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no Proxmox VE version such as 9.2 or 8.4.1")]
pub struct VersionError(String);

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let wrong = || VersionError(text.to_owned());
        // 8.4.0~12 and 9.2.11-1 exist: what follows the numbers does not matter for gates.
        let mut parts = text.split(['-', '~', '+']).next().unwrap_or_default().split('.');
        let mut next = |needed: bool| match parts.next() {
            Some(part) => part.parse().map_err(|_| wrong()),
            None if needed => Err(wrong()),
            None => Ok(0),
        };
        let version = Self { major: next(true)?, minor: next(true)?, patch: next(false)? };
        if parts.next().is_some() { Err(wrong()) } else { Ok(version) }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn releases_are_read_and_ordered() {
        let old: Version = "8.4.1".parse().unwrap();
        let new: Version = "9.2".parse().unwrap();
        assert!(old < Version::V9_0 && Version::V9_1 < new);
        assert_eq!("9.2.11-1".parse::<Version>().unwrap().to_string(), "9.2.11");
        assert_eq!(old.agent_privilege(), "VM.Monitor");
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "9", "nine.two", "9.2.1.1", "9."] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }
}
