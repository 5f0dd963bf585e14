//! What `plimsoll.yaml` says, as values that cannot be wrong.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::{Bytes, Template};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The app's name; also the Compose project's.
    pub app: String,
    /// Compose files, merged in this order, relative to the file's folder.
    pub compose: Vec<Utf8PathBuf>,
    /// Targets by name; at least one.
    pub targets: BTreeMap<String, Target>,
    /// Secrets by the name of the variable that the compose file uses.
    pub secrets: BTreeMap<String, SecretSpec>,
    /// Who can read the secrets file: `age1…` or `ssh-ed25519 …`.
    pub recipients: Vec<String>,
}

/// A named environment of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// The node; always there unless the guest is adopted.
    pub proxmox: Option<Proxmox>,
    /// The guest.
    pub guest: Guest,
    /// Checks from the client after a switch, in order.
    pub checks: Vec<Check>,
    /// Commands with the new image before the switch, in order.
    pub before_release: Vec<Hook>,
    /// Backups; none when nothing is said.
    pub backup: Option<Backup>,
    /// Where images are built.
    pub build: Build,
    /// How long the release is watched after its checks passed.
    pub watch: Duration,
    /// How long services and checks may take to pass.
    pub deadline: Duration,
    /// Good releases that are kept, the current one included.
    pub keep: u32,
    /// What a failure puts back.
    pub on_failure: OnFailure,
}

/// A node. The token never stands here: the variable `PLIMSOLL_PVE_TOKEN` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxmox {
    /// `https://pve.lan:8006`, without a path.
    pub url: String,
    /// The node's name in its cluster.
    pub node: String,
    /// The resource pool that holds the guest.
    pub pool: Option<String>,
    /// SHA-256 of the node's certificate, `AB:CD:…`.
    pub fingerprint: Option<String>,
}

/// The guest that runs the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guest {
    /// A virtual machine with Docker Engine.
    Vm(NewGuest),
    /// An unprivileged LXC container with Docker Engine.
    Lxc(NewGuest),
    /// One native container of the node per service.
    Oci(NewGuest),
    /// A machine that exists already.
    Adopt(Adopted),
}

/// A guest that is created when it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGuest {
    /// Its number; the next free one when nothing is said.
    pub id: Option<u32>,
    /// Its name on the node; app and target when nothing is said.
    pub name: Option<String>,
    /// Virtual processors.
    pub cores: u32,
    /// Memory.
    pub memory: Bytes,
    /// The size of its disk.
    pub disk: Bytes,
    /// The storage of its disk.
    pub storage: String,
    /// Its network.
    pub network: Network,
    /// What the disk is made from: a volume of the node or a URL; the newest Debian when nothing is said.
    pub image: Option<String>,
    /// The digest of what a URL gives, `sha512:…`.
    pub checksum: Option<String>,
    /// Whether it is a clone of a template; made from the image when nothing is said.
    pub clone: Option<CloneKind>,
    /// The account that deploys.
    pub user: String,
    /// Public keys, or paths of `.pub` files, that may log in; the client's own key when empty.
    pub ssh_keys: Vec<String>,
}

/// How a guest is cloned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloneKind {
    /// Its disk shares what it has in common with the template's.
    Linked,
    /// Its disk is a copy.
    Full,
}

/// A guest's network card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The node's bridge.
    pub bridge: String,
    /// The VLAN tag.
    pub vlan: Option<u16>,
    /// The address.
    pub address: Address,
    /// The gateway; there with a fixed address.
    pub gateway: Option<IpAddr>,
    /// Name servers; those of the node when empty.
    pub dns: Vec<IpAddr>,
}

/// How a guest gets its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// From the network.
    Dhcp,
    /// A fixed one.
    Fixed {
        /// The address.
        ip: IpAddr,
        /// The length of the network's prefix.
        prefix: u8,
    },
}

/// A machine that exists already and is reached over SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Name or address for SSH and for `{guest}`.
    pub address: String,
    /// The account.
    pub user: String,
    /// The port of SSH.
    pub port: u16,
    /// The host key as `ssh-keyscan` prints it: type and key.
    pub host_key: Option<String>,
    /// Its number on the node, for snapshots and backups; needs `proxmox`.
    pub id: Option<u32>,
}

impl Guest {
    /// The word in the file.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Vm(_) => "vm",
            Self::Lxc(_) => "lxc",
            Self::Oci(_) => "oci",
            Self::Adopt(_) => "adopt",
        }
    }

    /// The address where it is known without asking anyone.
    #[must_use]
    pub fn known_address(&self) -> Option<String> {
        match self {
            Self::Adopt(adopted) => Some(adopted.address.clone()),
            Self::Vm(new) | Self::Lxc(new) | Self::Oci(new) => match new.network.address {
                Address::Fixed { ip, .. } => Some(ip.to_string()),
                Address::Dhcp => None,
            },
        }
    }
}

/// A check from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// A request that must be answered with a status, and with a text where one is given.
    Http {
        /// The URL.
        url: Template,
        /// The status.
        expect: u16,
        /// Text that the answer must hold.
        contains: Option<String>,
        /// How long one try may take.
        timeout: Duration,
    },
    /// A connection that must be accepted.
    Tcp {
        /// `host:port`.
        address: Template,
        /// How long one try may take.
        timeout: Duration,
    },
    /// A command on the client that must end with 0.
    Command {
        /// The command for `sh -c`.
        run: Template,
        /// How long one try may take.
        timeout: Duration,
    },
}

/// A command that runs in a service's new image before the switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The service.
    pub service: String,
    /// The command for the image's `sh -c`.
    pub run: String,
    /// How long it may take.
    pub deadline: Duration,
}

/// Scheduled backups of the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The storage that takes them.
    pub storage: String,
    /// When a job of the node makes one, as a calendar event: `daily`, `02:30`, `mon..fri 22:00`; nothing for no job.
    pub schedule: Option<String>,
    /// What is kept; everything when all are 0.
    pub keep: Keep,
}

/// How many backups are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The newest ones.
    pub last: u32,
    /// One for each of so many days.
    pub daily: u32,
    /// One for each of so many weeks.
    pub weekly: u32,
    /// One for each of so many months.
    pub monthly: u32,
    /// One for each of so many years.
    pub yearly: u32,
}

/// Where images are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// On the client.
    Local,
    /// In the guest.
    Guest,
}

/// What a failed release puts back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The last good release.
    Restore,
    /// The last good release and the snapshot of the data.
    RestoreData,
    /// Nothing: the new release stays for inspection.
    Keep,
}

/// Where a secret comes from, and whether its server follows when it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSpec {
    /// Where its value comes from.
    pub origin: Origin,
    /// The server whose password it is.
    pub rotate: Option<Rotation>,
}

/// A password of a server that changes when the secret does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The kind of server.
    pub server: Rotate,
    /// The service that is the server, where it cannot be told from the Compose file.
    pub service: Option<String>,
    /// The user whose password it is, where the server's own variables do not say so.
    pub user: Option<String>,
}

/// Where a secret's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The secrets file; set by hand.
    Store,
    /// The secrets file; made once.
    Generate(Generate),
    /// A variable of the client's environment.
    Env(String),
    /// A file on the client, relative to the file's folder; a last line break is dropped.
    File(Utf8PathBuf),
    /// What a command on the client prints; a last line break is dropped.
    Command(String),
}

/// How a secret is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generate {
    /// Characters.
    pub length: usize,
    /// Which ones.
    pub alphabet: Alphabet,
}

/// The characters of a generated secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Letters, digits, `-` and `_`: may stand in URLs.
    UrlSafe,
    /// Letters and digits.
    Alphanumeric,
    /// Digits and `a` to `f`.
    Hex,
}

impl Alphabet {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::UrlSafe, Self::Alphanumeric, Self::Hex];

    /// The word in the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UrlSafe => "url-safe",
            Self::Alphanumeric => "alphanumeric",
            Self::Hex => "hex",
        }
    }

    /// Its characters.
    #[must_use]
    pub fn characters(self) -> &'static str {
        match self {
            Self::UrlSafe => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            Self::Alphanumeric => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Self::Hex => "0123456789abcdef",
        }
    }
}

/// Servers whose password can be changed with the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotate {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// Redis and Valkey.
    Redis,
}

impl Rotate {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Mysql, Self::Redis];

    /// The word in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Redis => "redis",
        }
    }

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Redis => "Redis",
        }
    }
}
