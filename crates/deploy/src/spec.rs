//! What a target should run: everything that a plan needs to know of the checkout.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde_json::Value as Json;

use crate::digest::Hasher;
use crate::local::Engine;
use crate::tree::Tree;

/// Values that the guest gets in files for root only. They are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values(pub BTreeMap<String, String>);

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// An app as it should run on a target.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The app: the name of the Compose project and of its directory on the guest.
    pub app: String,
    /// The target.
    pub target: String,
    /// What is deployed, in the user's words (a commit).
    pub version: Option<String>,
    /// The project with paths of the guest; values stand in it as [`reference`]s. Images are put in when they are known.
    pub compose: Json,
    /// The services in the order in which they are switched.
    pub services: Vec<Service>,
    /// Values by the names under which the project refers to them.
    pub values: Values,
    /// Files and directories that containers mount, by the digest under which they stand on the guest.
    pub files: BTreeMap<String, Tree>,
    /// Build contexts by name.
    pub contexts: BTreeMap<String, Tree>,
    /// What runs before services are switched.
    pub hooks: Vec<Hook>,
    /// What must hold from outside once they are.
    pub checks: Vec<Check>,
    /// How careful to be.
    pub options: Options,
    /// What a person should know.
    pub warnings: Vec<String>,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Where its image comes from.
    pub image: Source,
    /// How its containers are replaced.
    pub order: Order,
    /// Containers.
    pub replicas: u32,
    /// Whether it runs to its end instead of staying.
    pub is_job: bool,
    /// The services that it depends on, directly or not.
    pub needs: BTreeSet<String>,
    /// How long it may take to become healthy.
    pub deadline: Duration,
    /// Failures of its health check do not count for so long.
    pub start_period: Duration,
    /// How long it has to stop.
    pub grace: Duration,
    /// Digest of what its containers are made of, image left out.
    pub digest: String,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A registry, or what the guest already has under this name.
    Registry(String),
    /// Built out of a context.
    Build(Build),
}

/// How an image is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The context, a key of [`Spec::contexts`].
    pub context: String,
    /// The Dockerfile relative to the context.
    pub dockerfile: String,
    /// The stage.
    pub target: Option<String>,
    /// Arguments.
    pub args: BTreeMap<String, String>,
    /// Digest of all that goes in; the image's tag.
    pub key: String,
}

impl Source {
    /// The name under which the image stands in the guest.
    #[must_use]
    pub fn name(&self, app: &str) -> String {
        match self {
            Self::Registry(name) => name.clone(),
            Self::Build(build) => format!("plimsoll/{app}:{}", build.key.get(..32).unwrap_or(&build.key)),
        }
    }
}

/// How the containers of a service are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The new ones are healthy before the old ones stop.
    StartFirst,
    /// The old ones stop first: there is a pause.
    StopFirst {
        /// What forbids the other order, each with its line.
        because: Vec<String>,
    },
}

/// A command in a container of the new image before anything is switched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The service whose image, environment and networks it gets.
    pub service: String,
    /// The words of the command.
    pub run: Vec<String>,
    /// How long it may take.
    pub deadline: Duration,
}

/// What must hold from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// An HTTP request is answered with this status.
    Http {
        /// The address.
        url: String,
        /// The status.
        expect: u16,
        /// A text that the answer holds.
        contains: Option<String>,
        /// Time for one try.
        timeout: Duration,
    },
    /// A TCP port accepts.
    Tcp {
        /// Host and port.
        address: String,
        /// Time for one try.
        timeout: Duration,
    },
    /// A command on this machine ends with status 0.
    Command {
        /// The command, for `sh -c`.
        run: String,
        /// Time for one try.
        timeout: Duration,
    },
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, expect, contains: None, .. } => write!(f, "{url} answers {expect}"),
            Self::Http { url, expect, contains: Some(text), .. } => {
                write!(f, "{url} answers {expect} with `{text}`")
            }
            Self::Tcp { address, .. } => write!(f, "{address} accepts"),
            Self::Command { run, .. } => write!(f, "`{run}` succeeds"),
        }
    }
}

/// Where images are built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// By the engine on this machine.
    #[default]
    Local,
    /// By the guest's own.
    Guest,
}

/// How careful to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where images are built.
    pub build: Place,
    /// What builds here; nothing takes Docker where it answers, else Podman.
    pub engine: Option<Engine>,
    /// Good releases that are kept.
    pub keep: usize,
    /// How long everything must stay healthy before a release counts as good.
    pub watch: Duration,
    /// How long checks from outside may fail.
    pub check_deadline: Duration,
    /// How long a service may take to become healthy; nothing leaves it to its own health check.
    pub health_deadline: Option<Duration>,
    /// How long to wait for another deploy.
    pub lock_wait: Duration,
    /// Whether a failure takes the guest's data back, too.
    pub restore_data: bool,
    /// Whether a release that fails after something was switched stays as it is, for somebody to look at.
    pub keep_failed: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            build: Place::default(),
            engine: None,
            keep: 5,
            watch: Duration::from_secs(3),
            check_deadline: Duration::from_secs(30),
            health_deadline: None,
            lock_wait: Duration::from_secs(40),
            restore_data: false,
            keep_failed: false,
        }
    }
}

/// Marks of a reference: characters that no Compose file has a use for.
const MARKS: [char; 2] = ['\u{f0000}', '\u{f0001}'];

/// How a value stands in [`Spec::compose`].
#[must_use]
pub fn reference(name: &str) -> String {
    let [open, close] = MARKS;
    format!("{open}{name}{close}")
}

/// References as Compose reads them, in a text whose dollar signs are doubled.
#[must_use]
pub(crate) fn spelled(text: &str) -> String {
    let [open, close] = MARKS;
    text.replace(open, "${").replace(close, "}")
}

/// The names of the values that a text refers to.
#[must_use]
pub(crate) fn referred(text: &str) -> BTreeSet<String> {
    let [open, close] = MARKS;
    let parts = text.split(open).skip(1);
    parts.filter_map(|part| part.split_once(close).map(|(name, _)| name.to_owned())).collect()
}

impl Spec {
    /// The service of this name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// Digest of a service's containers with this image.
    #[must_use]
    pub fn fingerprint(service: &Service, image: &str) -> String {
        let mut hasher = Hasher::default();
        hasher.text(&service.digest);
        hasher.text(image);
        hasher.finish()
    }

    /// The env file: a line for each value, quoted as Compose reads it.
    #[must_use]
    pub fn env_file(&self) -> String {
        self.values.0.iter().map(|(name, value)| env_line(name, value)).collect()
    }
}

/// A line of the env file.
pub(crate) fn env_line(name: &str, value: &str) -> String {
    let mut quoted = String::new();
    for c in value.chars() {
        match c {
            '\\' | '"' | '$' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c => quoted.push(c),
        }
    }
    format!("{name}=\"{quoted}\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_and_spelled() {
        let text = format!("postgres://app:{}@db/{}", reference("PASSWORD"), reference("NAME"));
        assert_eq!(referred(&text), BTreeSet::from(["NAME".to_owned(), "PASSWORD".to_owned()]));
        assert_eq!(spelled(&text), "postgres://app:${PASSWORD}@db/${NAME}");
    }

    #[test]
    fn values_are_never_shown() {
        let values = Values(BTreeMap::from([("PASSWORD".to_owned(), "horse".to_owned())]));
        assert_eq!(format!("{values:?}"), "{\"PASSWORD\"}");
    }
}
