//! The project and its resources.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use plimsoll_text::{FileId, Place};

use super::{Bytes, Resolved, Service, Value};

/// A resolved Compose project.
#[derive(Clone, Debug, Default)]
pub struct Compose {
    /// The project's name.
    pub name: String,
    /// Where the name is written, when a file says it.
    pub name_place: Option<Place>,
    /// The project directory relative to the evaluated root; empty for the root itself.
    pub directory: Utf8PathBuf,
    /// The files that were read, in order of reading: `-f` files, then includes and bases of `extends`.
    pub files: Vec<FileId>,
    /// Dotenv files that interpolation used.
    pub env_files: Vec<FileId>,
    /// The services that the chosen profiles start.
    pub services: BTreeMap<String, Service>,
    /// The services that need a profile that is not chosen.
    pub disabled: BTreeMap<String, Service>,
    /// Top-level volumes by key.
    pub volumes: BTreeMap<String, Resource>,
    /// Top-level networks by key; `default` only when written.
    pub networks: BTreeMap<String, Network>,
    /// Top-level secrets by key.
    pub secrets: BTreeMap<String, FileObject>,
    /// Top-level configs by key.
    pub configs: BTreeMap<String, FileObject>,
    /// `x-` extensions of the top level.
    pub extensions: BTreeMap<String, Value>,
    /// Every variable that the files name, in order of file and place.
    pub variables: Vec<super::Variable>,
}

/// A path in a Compose file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPath {
    /// As written, variables resolved.
    pub written: String,
    /// Relative to the evaluated root (it may start with `..`; `.` is the root), or absolute, or starting with `~`;
    /// or, for a build context, a URL.
    pub resolved: Utf8PathBuf,
}

/// A named volume.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Where its key is written.
    pub place: Place,
    /// Its name in the engine.
    pub name: String,
    /// Whether it must exist already.
    pub external: Option<Resolved<bool>>,
    /// Its driver.
    pub driver: Option<Resolved<String>>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, Resolved<String>>,
    /// The path of the host behind it, when its options make it a bind mount.
    pub device: Option<Resolved<HostPath>>,
    /// Labels.
    pub labels: BTreeMap<String, Resolved<String>>,
    /// Other keys and `x-` extensions.
    pub other: BTreeMap<String, Value>,
}

/// A network.
#[derive(Clone, Debug)]
pub struct Network {
    /// Where its key is written; nothing for the implicit `default`.
    pub place: Option<Place>,
    /// Its name in the engine.
    pub name: String,
    /// Whether it must exist already.
    pub external: Option<Resolved<bool>>,
    /// Its driver.
    pub driver: Option<Resolved<String>>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, Resolved<String>>,
    /// Whether it has no way out.
    pub internal: Option<Resolved<bool>>,
    /// Whether containers that are no part of the project may join.
    pub attachable: Option<Resolved<bool>>,
    /// Whether it has IPv6.
    pub enable_ipv6: Option<Resolved<bool>>,
    /// Labels.
    pub labels: BTreeMap<String, Resolved<String>>,
    /// Address management.
    pub ipam: Option<Value>,
    /// Other keys and `x-` extensions.
    pub other: BTreeMap<String, Value>,
}

/// A secret or a config.
#[derive(Clone, Debug)]
pub struct FileObject {
    /// Where its key is written.
    pub place: Place,
    /// Its name in the engine.
    pub name: String,
    /// The file that holds it.
    pub file: Option<Resolved<HostPath>>,
    /// The variable that holds it.
    pub environment: Option<Resolved<String>>,
    /// The content itself (configs only).
    pub content: Option<Resolved<String>>,
    /// Whether it must exist already.
    pub external: Option<Resolved<bool>>,
    /// Other keys and `x-` extensions.
    pub other: BTreeMap<String, Value>,
}

/// Something that Compose would refuse or warn about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether Compose refuses the project.
    pub is_error: bool,
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// Where; nothing when the project as a whole is meant (no file given, say).
    pub place: Option<Place>,
    /// What is wrong, as a lowercase fragment without a full stop.
    pub message: String,
}

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The YAML or the dotenv text is broken.
    Syntax,
    /// A file that is named is not there.
    MissingFile,
    /// `include` or `extends` leads back to where it started.
    Cycle,
    /// A name that nothing defines (service, network, volume, secret, config, anchor).
    UnknownReference,
    /// A variable that must be set is not (`:?`).
    RequiredVariable,
    /// A variable without a default that nothing sets: Compose puts in nothing.
    UnsetVariable,
    /// An interpolation that cannot be read.
    Interpolation,
    /// A value of the wrong shape or type, or a key that the specification does not have.
    Schema,
    /// Values that exclude each other.
    Conflict,
    /// An obsolete key.
    Obsolete,
}

/// Limits or reservations of `deploy.resources`.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// CPUs.
    pub cpus: Option<Resolved<f64>>,
    /// Memory.
    pub memory: Option<Resolved<Bytes>>,
    /// Processes.
    pub pids: Option<Resolved<i64>>,
    /// Devices and generic resources (reservations only).
    pub other: BTreeMap<String, Value>,
}
