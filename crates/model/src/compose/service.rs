//! A service.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_text::Place;

use super::{Bytes, HostPath, Resolved, Resources, Value, Variable};

/// A service with its short forms spelled out.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Where its name is written as a key (in the last file that has it).
    pub place: Place,
    /// The image.
    pub image: Option<Resolved<String>>,
    /// How to build it.
    pub build: Option<Build>,
    /// The command.
    pub command: Option<Resolved<Command>>,
    /// The entrypoint.
    pub entrypoint: Option<Resolved<Command>>,
    /// The environment of the container by name: `env_file` entries under `environment` ones.
    pub environment: BTreeMap<String, EnvEntry>,
    /// The files of `env_file`.
    pub env_files: Vec<EnvFile>,
    /// Ports, one for each container port and host port.
    pub ports: Vec<Port>,
    /// Ports that only other containers see.
    pub expose: Vec<Resolved<String>>,
    /// Mounts.
    pub volumes: Vec<Mount>,
    /// What it depends on by service name (`links`, `network_mode: service:…` and the like included).
    pub depends_on: BTreeMap<String, Dependency>,
    /// Its health check.
    pub healthcheck: Option<Healthcheck>,
    /// The restart policy: `no`, `always`, `on-failure[:n]`, `unless-stopped`.
    pub restart: Option<Resolved<String>>,
    /// The user.
    pub user: Option<Resolved<String>>,
    /// Whether it is privileged.
    pub privileged: Option<Resolved<bool>>,
    /// Added capabilities.
    pub cap_add: Vec<Resolved<String>>,
    /// Dropped capabilities.
    pub cap_drop: Vec<Resolved<String>>,
    /// Security options.
    pub security_opt: Vec<Resolved<String>>,
    /// Whether its root file system is read-only.
    pub read_only: Option<Resolved<bool>>,
    /// In-memory mounts.
    pub tmpfs: Vec<Resolved<String>>,
    /// Devices of the host.
    pub devices: Vec<Device>,
    /// Groups added to the user.
    pub group_add: Vec<Resolved<String>>,
    /// `host`, `none`, `bridge`, `service:…` or `container:…`.
    pub network_mode: Option<Resolved<String>>,
    /// The networks by key; the implicit `default` has no place.
    pub networks: BTreeMap<String, ServiceNetwork>,
    /// The process namespace.
    pub pid: Option<Resolved<String>>,
    /// The IPC namespace.
    pub ipc: Option<Resolved<String>>,
    /// The UTS namespace.
    pub uts: Option<Resolved<String>>,
    /// The user namespace.
    pub userns_mode: Option<Resolved<String>>,
    /// The cgroup namespace.
    pub cgroup: Option<Resolved<String>>,
    /// Kernel parameters.
    pub sysctls: BTreeMap<String, Resolved<String>>,
    /// Limits of resources of the process.
    pub ulimits: BTreeMap<String, Resolved<Ulimit>>,
    /// Memory limit (`mem_limit`; `deploy.resources` is apart).
    pub mem_limit: Option<Resolved<Bytes>>,
    /// Reserved memory.
    pub mem_reservation: Option<Resolved<Bytes>>,
    /// CPU limit.
    pub cpus: Option<Resolved<f64>>,
    /// Limit of processes.
    pub pids_limit: Option<Resolved<i64>>,
    /// Size of `/dev/shm`.
    pub shm_size: Option<Resolved<Bytes>>,
    /// Deployment.
    pub deploy: Option<Deploy>,
    /// Number of containers (`scale`).
    pub scale: Option<Resolved<i64>>,
    /// Logging.
    pub logging: Option<Logging>,
    /// Labels.
    pub labels: BTreeMap<String, Resolved<String>>,
    /// The container's name.
    pub container_name: Option<Resolved<String>>,
    /// The container's host name.
    pub hostname: Option<Resolved<String>>,
    /// The profiles that start it; none means always.
    pub profiles: Vec<Resolved<String>>,
    /// Whether an init process runs in it.
    pub init: Option<Resolved<bool>>,
    /// Time to stop before it is killed.
    pub stop_grace_period: Option<Resolved<Duration>>,
    /// The signal to stop it.
    pub stop_signal: Option<Resolved<String>>,
    /// Secrets.
    pub secrets: Vec<FileMount>,
    /// Configs.
    pub configs: Vec<FileMount>,
    /// When to pull: `always`, `never`, `missing`, `build`.
    pub pull_policy: Option<Resolved<String>>,
    /// The platform.
    pub platform: Option<Resolved<String>>,
    /// The container runtime.
    pub runtime: Option<Resolved<String>>,
    /// The working directory.
    pub working_dir: Option<Resolved<String>>,
    /// Extra entries of `/etc/hosts`: host name to addresses.
    pub extra_hosts: BTreeMap<String, Vec<Resolved<String>>>,
    /// Name servers.
    pub dns: Vec<Resolved<String>>,
    /// Links as written.
    pub links: Vec<Resolved<String>>,
    /// `volumes_from` as written.
    pub volumes_from: Vec<Resolved<String>>,
    /// Whether standard input stays open.
    pub stdin_open: Option<Resolved<bool>>,
    /// Whether it has a terminal.
    pub tty: Option<Resolved<bool>>,
    /// What `extends` names, when it was used.
    pub extends: Option<Extends>,
    /// Keys without a type of their own, and `x-` extensions.
    pub other: BTreeMap<String, Value>,
}

/// A command, an entrypoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The words.
    pub words: Vec<String>,
    /// Whether it is written as one text, which Compose splits like a shell does.
    pub is_text: bool,
}

/// How an image is built.
#[derive(Clone, Debug)]
pub struct Build {
    /// Where it is written.
    pub place: Place,
    /// The context.
    pub context: Resolved<HostPath>,
    /// The Dockerfile, relative to the context; `Dockerfile` when nothing says it (then its place is the build's).
    pub dockerfile: Option<Resolved<String>>,
    /// A Dockerfile in the Compose file.
    pub dockerfile_inline: Option<Resolved<String>>,
    /// The stage.
    pub target: Option<Resolved<String>>,
    /// Build arguments.
    pub args: BTreeMap<String, EnvEntry>,
    /// Labels.
    pub labels: BTreeMap<String, Resolved<String>>,
    /// Build secrets.
    pub secrets: Vec<FileMount>,
    /// Named contexts.
    pub additional_contexts: BTreeMap<String, Resolved<HostPath>>,
    /// Tags.
    pub tags: Vec<Resolved<String>>,
    /// Platforms.
    pub platforms: Vec<Resolved<String>>,
    /// Other keys.
    pub other: BTreeMap<String, Value>,
}

/// One variable of the container's environment (or one build argument).
#[derive(Clone, Debug, PartialEq)]
pub struct EnvEntry {
    /// The name.
    pub key: String,
    /// The value; nothing when it is taken over from an environment that does not have it.
    pub value: Option<String>,
    /// The entry: `KEY: value`, `KEY=value`, or the line of an env file.
    pub place: Place,
    /// The value alone; the key when there is no value.
    pub value_place: Place,
    /// What defines it.
    pub origin: EnvOrigin,
    /// The variables that its text names.
    pub variables: Vec<Variable>,
}

/// What defines a variable of the container's environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvOrigin {
    /// A value in a Compose file.
    Compose,
    /// An entry of a file of `env_file`.
    EnvFile,
    /// Only named in a Compose file; the value comes from the environment of Compose.
    PassedThrough(super::VariableSource),
}

/// A file of `env_file`.
#[derive(Clone, Debug)]
pub struct EnvFile {
    /// The path.
    pub path: Resolved<HostPath>,
    /// Whether it must be there.
    pub required: bool,
    /// The format, when one is given (`raw`).
    pub format: Option<Resolved<String>>,
    /// Whether it is among the files under judgement.
    pub found: bool,
}

/// A published port (or one that gets a random host port).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Where it is written.
    pub place: Place,
    /// The variables that its text names.
    pub variables: Vec<Variable>,
    /// The host address; nothing means every address.
    pub host_ip: Option<String>,
    /// The host port or range as text; nothing means a random one.
    pub published: Option<String>,
    /// The container port.
    pub target: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// `ingress` or `host`, when written or implied.
    pub mode: Option<String>,
    /// A name for people.
    pub name: Option<String>,
    /// The application protocol.
    pub app_protocol: Option<String>,
}

/// The kinds of mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountKind {
    /// A named or anonymous volume.
    Volume,
    /// A path of the host.
    Bind,
    /// Memory.
    Tmpfs,
    /// A Windows named pipe.
    NamedPipe,
    /// A cluster volume.
    Cluster,
}

/// A mount.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Where it is written.
    pub place: Place,
    /// The variables that its text names.
    pub variables: Vec<Variable>,
    /// What is mounted.
    pub kind: MountKind,
    /// The volume's key (for a volume) or the path (for a bind mount); nothing for anonymous ones.
    pub source: Option<MountSource>,
    /// Where it is mounted.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// Whether it is written in the short form.
    pub is_short: bool,
    /// Options of its kind (`bind`, `volume`, `tmpfs`, `consistency`, `x-…`).
    pub options: BTreeMap<String, Value>,
}

/// What a mount mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountSource {
    /// The key of a top-level volume.
    Volume(String),
    /// A path.
    Path(HostPath),
}

/// A device of the host in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Where it is written.
    pub place: Place,
    /// The variables that its text names.
    pub variables: Vec<Variable>,
    /// The path on the host (or a CDI name).
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// `rwm` and the like; nothing when a long form does not say it.
    pub permissions: Option<String>,
}

/// A dependency.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// Where it is written (for an implied one, what implies it).
    pub place: Place,
    /// What is waited for.
    pub condition: Condition,
    /// Whether a restart of the other restarts this one.
    pub restart: bool,
    /// Whether the other must be there.
    pub required: bool,
    /// Whether `depends_on` says it; else `links`, `network_mode` and the like imply it.
    pub explicit: bool,
}

/// What a dependency waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The container was started.
    Started,
    /// The container is healthy.
    Healthy,
    /// The container ended with status 0.
    CompletedSuccessfully,
}

/// A health check.
#[derive(Clone, Debug)]
pub struct Healthcheck {
    /// Where it is written.
    pub place: Place,
    /// The test.
    pub test: Option<Resolved<HealthTest>>,
    /// Time between tests.
    pub interval: Option<Resolved<Duration>>,
    /// Time that a test may take.
    pub timeout: Option<Resolved<Duration>>,
    /// Time in which failures do not count.
    pub start_period: Option<Resolved<Duration>>,
    /// Time between tests in the start period.
    pub start_interval: Option<Resolved<Duration>>,
    /// Failures until it is unhealthy.
    pub retries: Option<Resolved<u64>>,
    /// Whether it is switched off by `disable: true`.
    pub disable: Option<Resolved<bool>>,
    /// `x-` extensions.
    pub other: BTreeMap<String, Value>,
}

/// The test of a health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthTest {
    /// `["CMD", …]`.
    Exec(Vec<String>),
    /// `["CMD-SHELL", text]` or a text.
    Shell(String),
    /// `["NONE"]`.
    None,
    /// A list that starts with something else; Compose refuses it.
    Other(Vec<String>),
}

/// A service's place in a network.
#[derive(Clone, Debug, Default)]
pub struct ServiceNetwork {
    /// Where it is written; nothing for the implicit default network.
    pub place: Option<Place>,
    /// Options: aliases, addresses, priority.
    pub options: BTreeMap<String, Value>,
}

/// A limit of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ulimit {
    /// One value for both.
    Single(i64),
    /// Soft and hard values.
    Pair {
        /// The soft value.
        soft: i64,
        /// The hard value.
        hard: i64,
    },
}

/// `deploy`.
#[derive(Clone, Debug)]
pub struct Deploy {
    /// Where it is written.
    pub place: Place,
    /// Number of containers.
    pub replicas: Option<Resolved<i64>>,
    /// Limits.
    pub limits: Option<Resources>,
    /// Reservations.
    pub reservations: Option<Resources>,
    /// Labels of the service.
    pub labels: BTreeMap<String, Resolved<String>>,
    /// Everything else (`mode`, `placement`, `update_config`, `restart_policy`, …).
    pub other: BTreeMap<String, Value>,
}

/// `logging`.
#[derive(Clone, Debug)]
pub struct Logging {
    /// Where it is written.
    pub place: Place,
    /// The driver.
    pub driver: Option<Resolved<String>>,
    /// Its options.
    pub options: BTreeMap<String, Resolved<String>>,
    /// `x-` extensions.
    pub other: BTreeMap<String, Value>,
}

/// A secret or a config in a service.
#[derive(Clone, Debug)]
pub struct FileMount {
    /// Where it is written.
    pub place: Place,
    /// The key of the top-level secret or config.
    pub source: Resolved<String>,
    /// The path in the container, or for a bare name the file in `/run/secrets`.
    pub target: Option<Resolved<String>>,
    /// Owner.
    pub uid: Option<Resolved<String>>,
    /// Group.
    pub gid: Option<Resolved<String>>,
    /// Mode.
    pub mode: Option<Resolved<i64>>,
    /// Other keys.
    pub other: BTreeMap<String, Value>,
}

/// What `extends` names.
#[derive(Clone, Debug)]
pub struct Extends {
    /// Where it is written.
    pub place: Place,
    /// The base service.
    pub service: String,
    /// The file, when it is another one.
    pub file: Option<String>,
}
