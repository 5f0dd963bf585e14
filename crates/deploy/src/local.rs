//! The engine of this machine, Docker or Podman: images that it has, and builds.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::error::DeployError;
use crate::registry::Reference;
use crate::spec::{Build, Spec};

/// What builds and keeps images on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// Docker Engine.
    #[default]
    Docker,
    /// Podman.
    Podman,
}

impl Engine {
    fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }

    pub(crate) fn command(self, words: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        command.args(words).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// An image's name in which nothing is left to guess: Podman takes a short one for its own.
    fn name(self, name: &str) -> String {
        match self {
            Self::Docker => name.to_owned(),
            Self::Podman => Reference::parse(name).whole(),
        }
    }

    /// Gives the archive of an image as Docker loads it.
    pub(crate) fn save(self, name: &str) -> Command {
        let name = self.name(name);
        match self {
            Self::Docker => self.command(&["save", &name]),
            Self::Podman => self.command(&["save", "--quiet", "--format", "docker-archive", &name]),
        }
    }

    /// Whether it answers.
    async fn answers(self) -> bool {
        let format = match self {
            Self::Docker => "{{.Server.Version}}",
            Self::Podman => "{{.Client.Version}}",
        };
        let mut command = self.command(&["version", "--format", format]);
        let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else {
            return false;
        };
        let mut text = String::new();
        if let Some(stdout) = &mut child.stdout {
            drop(tokio::time::timeout(Duration::from_secs(5), stdout.read_to_string(&mut text)).await);
        }
        !text.trim().is_empty()
    }
}

/// What the engine here says of an image.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Inspected {
    pub(crate) id: String,
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) size: u64,
    #[serde(rename = "RootFS")]
    pub(crate) root_fs: RootFs,
    #[serde(default)]
    graph_driver: Option<GraphDriver>,
    /// The engine that has it.
    #[serde(skip)]
    pub(crate) engine: Engine,
}

/// Drivers of Docker's own store, by moby's `daemon/graphdriver`.
const GRAPH_DRIVERS: [&str; 8] =
    ["aufs", "btrfs", "devicemapper", "fuse-overlayfs", "overlay", "overlay2", "vfs", "zfs"];

impl Inspected {
    /// Whether the engine keeps layers as they were packed, which containerd does: then its archive has them under other
    /// digests, and a push packs nothing.
    pub(crate) fn is_packed(&self) -> bool {
        let driver = self.graph_driver.as_ref().map_or("", |driver| driver.name.as_str());
        self.engine == Engine::Docker && !GRAPH_DRIVERS.contains(&driver)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GraphDriver {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RootFs {
    #[serde(default)]
    pub(crate) layers: Vec<String>,
}

/// An image that is here.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) image: Inspected,
    /// How long it was built; nothing where it was here before.
    pub(crate) took: Option<Duration>,
}

/// An image that is being built, beside everything else. It is given up when this is dropped.
#[derive(Debug)]
pub(crate) struct Building(JoinHandle<Result<Built, DeployError>>);

impl Building {
    /// Begins to build an image unless it is here already.
    pub(crate) fn begin(spec: &Spec, build: &Build, name: &str) -> Self {
        let base = spec.contexts.get(&build.context).map(|tree| tree.base.clone()).unwrap_or_default();
        let label = format!("plimsoll.app={}", spec.app);
        Self(tokio::spawn(built(spec.options.engine, name.to_owned(), label, base, build.clone())))
    }

    /// Waits for it.
    pub(crate) async fn built(mut self) -> Result<Built, DeployError> {
        match (&mut self.0).await {
            Ok(built) => built,
            Err(error) => Err(failed("build", &error.to_string())),
        }
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn built(
    engine: Option<Engine>,
    name: String,
    label: String,
    base: PathBuf,
    build: Build,
) -> Result<Built, DeployError> {
    let (engine, found) = find(engine, &name).await?;
    if let Some(image) = found {
        return Ok(Built { image, took: None });
    }
    let begun = Instant::now();
    let mut command = engine.command(&["build", "-t", &engine.name(&name), "--label", &label]);
    if engine == Engine::Podman {
        // Its own format has no health checks, and another configuration than the one that Docker gets.
        command.args(["--format", "docker"]);
    }
    command.arg("-f").arg(base.join(&build.dockerfile));
    if let Some(target) = &build.target {
        command.args(["--target", target]);
    }
    for (key, value) in &build.args {
        command.arg("--build-arg").arg(format!("{key}={value}"));
    }
    let output = command.arg(&base).output().await.map_err(|error| failed("build", &error.to_string()))?;
    if !output.status.success() {
        return Err(failed("build", &last(&output.stderr)));
    }
    let took = Some(begun.elapsed());
    match inspect(engine, &name).await? {
        Some(image) => Ok(Built { image, took }),
        None => Err(failed("build", "the image is not there afterwards")),
    }
}

pub(crate) fn failed(what: &'static str, reason: &str) -> DeployError {
    DeployError::Local { what, reason: reason.to_owned() }
}

/// The last lines that say something.
fn last(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join("; ")
}

/// An image by its name, and the engine that was asked: the one that is said, or Docker where it answers, or Podman.
pub(crate) async fn find(
    engine: Option<Engine>,
    name: &str,
) -> Result<(Engine, Option<Inspected>), DeployError> {
    let first = engine.unwrap_or_default();
    match (inspect(first, name).await, engine) {
        (Ok(found), _) => Ok((first, found)),
        (Err(error), Some(_)) => Err(error),
        (Err(error), None) => match inspect(Engine::Podman, name).await {
            Ok(found) => Ok((Engine::Podman, found)),
            Err(_) => Err(error),
        },
    }
}

async fn inspect(engine: Engine, name: &str) -> Result<Option<Inspected>, DeployError> {
    let output = engine.command(&["image", "inspect", &engine.name(name)]).output().await;
    let output = output.map_err(|error| failed(engine.program(), &error.to_string()))?;
    if output.status.success() {
        return inspected(engine, &output.stdout);
    }
    let said = last(&output.stderr);
    let lacks = match engine {
        Engine::Docker => "no such image",
        Engine::Podman => "image not known",
    };
    if said.to_lowercase().contains(lacks) { Ok(None) } else { Err(failed(engine.program(), &said)) }
}

fn inspected(engine: Engine, text: &[u8]) -> Result<Option<Inspected>, DeployError> {
    let all: Vec<Inspected> = serde_json::from_slice(text)?;
    Ok(all.into_iter().next().map(|image| match image.id.starts_with("sha256:") {
        true => Inspected { engine, ..image },
        // So does Podman call it, also where it is installed as `docker`.
        false => Inspected { engine: Engine::Podman, id: format!("sha256:{}", image.id), ..image },
    }))
}

/// Whether there is an engine here that builds.
pub(crate) async fn builds_here(engine: Option<Engine>) -> bool {
    match engine {
        Some(engine) => engine.answers().await,
        None => Engine::Docker.answers().await || Engine::Podman.answers().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_engines_say_the_same_of_an_image() {
        let of = |id: &str, driver: &str| {
            let text = format!(
                r#"[{{"Id": "{id}", "Architecture": "amd64", "Size": 5, "GraphDriver": {{"Name": "{driver}"}},
                     "RootFS": {{"Type": "layers", "Layers": ["sha256:l"]}}}}]"#
            );
            inspected(Engine::Docker, text.as_bytes()).unwrap().unwrap()
        };
        let (docker, podman) = (of("sha256:a", "overlay2"), of("a", "overlay"));
        assert!(!docker.is_packed() && !podman.is_packed() && of("sha256:a", "overlayfs").is_packed());
        assert_eq!((docker.engine, podman.engine), (Engine::Docker, Engine::Podman));
        assert_eq!((docker.id, docker.root_fs.layers), (podman.id, podman.root_fs.layers));
        assert!(inspected(Engine::Podman, b"[]").unwrap().is_none());
    }

    #[test]
    fn podman_is_told_whole_names() {
        assert_eq!(Engine::Podman.name("plimsoll/shop:1"), "docker.io/plimsoll/shop:1");
        assert_eq!(Engine::Podman.name("redis"), "docker.io/library/redis:latest");
        assert_eq!(Engine::Docker.name("redis"), "redis");
    }
}
