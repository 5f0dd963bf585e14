//! The engine of this machine: images that it has, and builds.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::task::JoinHandle;

use crate::error::DeployError;
use crate::spec::{Build, Spec};

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
        Self(tokio::spawn(built(name.to_owned(), label, base, build.clone())))
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

async fn built(name: String, label: String, base: PathBuf, build: Build) -> Result<Built, DeployError> {
    if let Some(image) = inspect(&name).await? {
        return Ok(Built { image, took: None });
    }
    let begun = Instant::now();
    let mut command = docker(&["build", "-t", &name, "--label", &label]);
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
    match inspect(&name).await? {
        Some(image) => Ok(Built { image, took }),
        None => Err(failed("build", "the image is not there afterwards")),
    }
}

pub(crate) fn docker(words: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(words).stdin(Stdio::null()).kill_on_drop(true);
    command
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

pub(crate) async fn inspect(name: &str) -> Result<Option<Inspected>, DeployError> {
    let output = docker(&["image", "inspect", "--format", "{{json .}}", name]).output().await;
    let output = output.map_err(|error| failed("docker", &error.to_string()))?;
    if output.status.success() {
        return Ok(Some(serde_json::from_slice(&output.stdout)?));
    }
    let said = last(&output.stderr);
    if said.to_lowercase().contains("no such image") { Ok(None) } else { Err(failed("docker", &said)) }
}

/// Whether there is an engine here that builds.
pub(crate) async fn builds_here() -> bool {
    let Ok(mut child) = docker(&["version", "--format", "{{.Server.Version}}"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
    else {
        return false;
    };
    let mut text = String::new();
    if let Some(stdout) = &mut child.stdout {
        drop(tokio::time::timeout(Duration::from_secs(5), stdout.read_to_string(&mut text)).await);
    }
    !text.trim().is_empty()
}
