//! What public images are known to hold.

use plimsoll_syntax::dockerfile::ImageReference;

/// Facts about a public image that its reference does not tell. Sources: the images' own Dockerfiles and
/// documentation on Docker Hub.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownImage {
    /// Names that it goes by, without registry and tag.
    pub names: &'static [&'static str],
    /// What it is for.
    pub role: Role,
    /// Distribution when the tag does not say.
    pub default_os: Os,
    /// Ports it listens on by default.
    pub ports: &'static [u16],
    /// The user it starts as when not root.
    pub user: Option<&'static str>,
    /// Whether its entry point drops from root to a user of its own.
    pub drops_root: bool,
    /// Variables that only the first start with an empty data directory reads.
    pub first_start: &'static [&'static str],
    /// Where it keeps its data.
    pub data: &'static [&'static str],
    /// Programs in it besides those of its distribution's minimal image.
    pub programs: &'static [&'static str],
}

/// What an image is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A distribution.
    System,
    /// A language runtime or toolchain.
    Runtime,
    /// A web server or reverse proxy.
    WebServer,
    /// A database.
    Database,
    /// A cache or key-value store.
    Cache,
    /// A message broker.
    Broker,
    /// A search or time-series engine.
    Search,
    /// Object storage.
    ObjectStorage,
    /// Monitoring and logs.
    Monitoring,
    /// Identity and secrets.
    Identity,
    /// Anything else.
    Other,
}

/// Distribution families and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Os {
    /// Debian, minimal package set.
    DebianSlim,
    /// Debian with the build tools of `buildpack-deps` (`curl`, `wget`, `git`, compilers).
    DebianFull,
    /// Ubuntu.
    Ubuntu,
    /// Alpine: musl and BusyBox.
    Alpine,
    /// Fedora, CentOS, Rocky, Alma, Oracle, UBI.
    RedHat,
    /// No shell and no package manager.
    Distroless,
    /// An empty image.
    Scratch,
    /// Not known.
    Unknown,
}

impl KnownImage {
    /// The facts about a reference's image, if it is a known one.
    #[must_use]
    pub fn find(_reference: &ImageReference) -> Option<&'static Self> {
        None
    }
}
