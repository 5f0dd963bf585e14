//! Images that are built here and go into the guest's own store: only layers that it does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::process::Stdio;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use plimsoll_remote::{Input, Output};
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio_util::io::SyncIoBridge;

use crate::delta::{LIMIT, Layers, Library};
use crate::error::DeployError;
use crate::event::Event;
use crate::guest::{Action, Guest, Lock, script};
use crate::spec::{Build, Spec};

/// What the engine here says of an image.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    architecture: String,
    #[serde(default)]
    size: u64,
    #[serde(rename = "RootFS")]
    root_fs: RootFs,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RootFs {
    #[serde(default)]
    layers: Vec<String>,
}

/// What the guest says of its store.
#[derive(Debug, Default, PartialEq, Eq)]
struct Store {
    architecture: String,
    /// Whether a layer that is known may be left out of what is loaded.
    takes_parts: bool,
    /// The layers of each image.
    images: Vec<Vec<String>>,
    /// Digests of layers that it can make others of.
    kept: BTreeSet<String>,
}

impl Store {
    fn parse(text: &str) -> Self {
        let mut store = Self::default();
        for line in text.lines() {
            match line.strip_prefix('@').and_then(|line| line.split_once(' ')) {
                Some(("machine", machine)) => {
                    store.architecture = match machine {
                        "x86_64" => "amd64".to_owned(),
                        "aarch64" => "arm64".to_owned(),
                        other => other.to_owned(),
                    }
                }
                Some(("store", kind)) => store.takes_parts = !kind.contains("containerd"),
                Some(("layers", layers)) => store.images.extend(serde_json::from_str::<Vec<String>>(layers)),
                Some(("kept", layer)) => {
                    store.kept.insert(layer.to_owned());
                }
                _ => {}
            }
        }
        store
    }

    /// The layers above the first that it lacks, each with the one that stands in its place in the most similar image.
    ///
    /// The first one is the base image's, which another base replaces as a whole.
    fn formers(&self, layers: &[String], known: usize) -> BTreeMap<String, Option<String>> {
        let shared = |image: &Vec<String>| image.iter().zip(layers).take_while(|(a, b)| a == b).count();
        let mut similar: Vec<&Vec<String>> = self.images.iter().collect();
        similar.sort_by_key(|image| std::cmp::Reverse(shared(image)));
        let digest = |layer: &String| layer.strip_prefix("sha256:").map(ToOwned::to_owned);
        let former = |at: usize| {
            let mut there = similar.iter().filter_map(|image| image.get(at).and_then(digest));
            there.find(|layer| self.kept.contains(layer))
        };
        let lacking = layers.iter().enumerate().skip(known.max(1));
        lacking.filter_map(|(at, layer)| Some((digest(layer)?, former(at)))).collect()
    }

    /// How many of these layers it has, from the bottom. A layer is the same only upon the same ones.
    fn known(&self, layers: &[String]) -> usize {
        if !self.takes_parts {
            return 0;
        }
        let shared = |image: &Vec<String>| image.iter().zip(layers).take_while(|(a, b)| a == b).count();
        self.images.iter().map(shared).max().unwrap_or_default()
    }
}

impl Guest {
    /// Builds an image here unless it is here already, and sends what the guest lacks of it.
    pub(crate) async fn ship(
        &self,
        lock: &Lock,
        release: u64,
        (spec, build, name): (&Spec, &Build, &str),
        library: Library,
    ) -> Result<Output, DeployError> {
        let image = match inspect(name).await? {
            Some(image) => image,
            None => {
                self.build_here(spec, build, name).await?;
                inspect(name).await?.ok_or_else(|| failed("build", "the image is not there afterwards"))?
            }
        };
        self.send_image(lock, release, (name, &image), library).await
    }

    /// Sends an image of a registry that the guest cannot pull; `None` where the engine here has none of this name.
    pub(crate) async fn ship_pulled(
        &self,
        lock: &Lock,
        release: u64,
        name: &str,
        library: Library,
    ) -> Result<Option<Output>, DeployError> {
        let Ok(Some(image)) = inspect(name).await else { return Ok(None) };
        self.send_image(lock, release, (name, &image), library).await.map(Some)
    }

    /// Sends what the guest lacks of an image that is here.
    async fn send_image(
        &self,
        lock: &Lock,
        release: u64,
        (name, image): (&str, &Inspected),
        library: Library,
    ) -> Result<Output, DeployError> {
        let store =
            Store::parse(&self.ask("looking at the guest's images", script!("store"), &[]).await?.text());
        if store.architecture != image.architecture {
            let reason = format!("{name} is for {}, the guest is {}", image.architecture, store.architecture);
            return Err(failed("build", &reason));
        }
        let names = &image.root_fs.layers;
        let known = store.known(names);
        let left_out = names.iter().take(known).filter_map(|layer| blob(layer)).collect();
        let layers = Layers { library, formers: store.formers(names, known) };
        // What is unpacked on the guest before it is loaded takes its size twice for a while.
        let way = if image.size > STREAMED { "stream" } else { "keep" };
        let layers = (way == "keep").then_some(layers);
        let output =
            self.load(lock, release, name, (names, way), save(name, left_out, layers.clone())?).await?;
        if output.status != 94 {
            return Ok(output);
        }
        // What the guest kept was spoilt.
        let left_out = names.iter().take(known).filter_map(|layer| blob(layer)).collect();
        let layers = layers.map(Layers::without_formers);
        self.load(lock, release, name, (names, way), save(name, left_out, layers)?).await
    }

    async fn load(
        &self,
        lock: &Lock,
        release: u64,
        name: &str,
        (layers, way): (&[String], &str),
        archive: tokio::io::DuplexStream,
    ) -> Result<Output, DeployError> {
        let step = format!("ship {name}");
        let action = Action::new(&step, release, script!("load"))
            .args([name.to_owned(), serde_json::to_string(layers)?, way.to_owned()])
            .input(Input::Reader(Box::pin(archive)))
            .limit(Duration::from_secs(3600));
        self.step(lock, action).await
    }

    async fn build_here(&self, spec: &Spec, build: &Build, name: &str) -> Result<(), DeployError> {
        let step = format!("build {name}");
        (self.listener)(Event::Begin { step: step.clone() });
        let begun = std::time::Instant::now();
        let base = spec.contexts.get(&build.context).map(|tree| tree.base.clone()).unwrap_or_default();
        let mut command = docker(&["build", "-t", name, "--label", &format!("plimsoll.app={}", spec.app)]);
        command.arg("-f").arg(base.join(&build.dockerfile));
        if let Some(target) = &build.target {
            command.args(["--target", target]);
        }
        for (key, value) in &build.args {
            command.arg("--build-arg").arg(format!("{key}={value}"));
        }
        let output =
            command.arg(&base).output().await.map_err(|error| failed("build", &error.to_string()))?;
        if !output.status.success() {
            return Err(failed("build", &last(&output.stderr)));
        }
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        (self.listener)(Event::End { step, took, sent: 0 });
        Ok(())
    }
}

/// Images above this size are loaded as they arrive.
const STREAMED: u64 = 2 << 30;

/// Where an archive has a layer.
fn blob(layer: &str) -> Option<String> {
    Some(format!("blobs/sha256/{}", layer.strip_prefix("sha256:")?))
}

fn docker(words: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(words).stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn failed(what: &'static str, reason: &str) -> DeployError {
    DeployError::Local { what, reason: reason.to_owned() }
}

/// The last lines that say something.
fn last(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.get(lines.len().saturating_sub(3)..).unwrap_or_default().join("; ")
}

async fn inspect(name: &str) -> Result<Option<Inspected>, DeployError> {
    let output = docker(&["image", "inspect", "--format", "{{json .}}", name]).output().await;
    let output = output.map_err(|error| failed("docker", &error.to_string()))?;
    if output.status.success() {
        return Ok(Some(serde_json::from_slice(&output.stdout)?));
    }
    let said = last(&output.stderr);
    if said.to_lowercase().contains("no such image") { Ok(None) } else { Err(failed("docker", &said)) }
}

/// What `docker save` gives, compressed, without the layers that are left out, and others as differences.
fn save(
    name: &str,
    left_out: BTreeSet<String>,
    layers: Option<Layers>,
) -> Result<tokio::io::DuplexStream, DeployError> {
    let mut child = docker(&["save", name])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed("docker", &error.to_string()))?;
    let Some(stdout) = child.stdout.take() else { return Err(failed("docker", "it gives nothing")) };
    let (reader, writer) = tokio::io::duplex(1 << 20);
    let (stdout, writer) = (SyncIoBridge::new(stdout), SyncIoBridge::new(writer));
    // An archive that ends early is noticed by the guest, which knows the layers that it must have.
    drop(tokio::task::spawn_blocking(move || filter(stdout, writer, &left_out, layers.as_ref())));
    tokio::spawn(async move { child.wait().await });
    Ok(reader)
}

/// Copies an archive without some of its entries, and with differences in the place of some.
fn filter(
    from: impl io::Read,
    to: impl io::Write,
    left_out: &BTreeSet<String>,
    layers: Option<&Layers>,
) -> io::Result<()> {
    let mut archive = tar::Archive::new(from);
    let mut sent = tar::Builder::new(GzEncoder::new(to, Compression::default()));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        if left_out.contains(&path) {
            continue;
        }
        let mut header = entry.header().clone();
        // Times of this machine are no part of an image.
        header.set_mtime(0);
        let kept = |layers: &&Layers| name_of(&path).is_some_and(|name| layers.formers.contains_key(name));
        if let (Some(layers), Some(name)) = (layers.filter(kept), name_of(&path))
            && entry.size() <= LIMIT
        {
            let mut layer = Vec::new();
            entry.read_to_end(&mut layer)?;
            let (path, bytes) = layers.difference(name, &layer).unwrap_or((path.clone(), layer));
            header.set_size(bytes.len() as u64);
            sent.append_data(&mut header, &path, bytes.as_slice())?;
            continue;
        }
        match entry.link_name()? {
            Some(link) => sent.append_link(&mut header, &path, link)?,
            None => sent.append_data(&mut header, &path, &mut entry)?,
        }
    }
    io::Write::flush(&mut sent.into_inner()?.finish()?)
}

/// The digest that an archive's entry is named by.
fn name_of(path: &str) -> Option<&str> {
    path.strip_prefix("blobs/sha256/")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| format!("sha256:{name}")).collect()
    }

    #[test]
    fn a_layer_is_known_only_upon_the_same_ones() {
        let text =
            "@machine x86_64\n@store overlay2\n@layers [\"sha256:a\",\"sha256:b\"]\n@layers [\"sha256:c\"]\n";
        let store = Store::parse(text);
        assert_eq!(store.architecture, "amd64");
        assert_eq!(store.known(&layers(&["a", "b", "x"])), 2);
        assert_eq!(store.known(&layers(&["b", "a"])), 0);
        assert_eq!(store.formers(&layers(&["a", "x"]), 1), BTreeMap::from([("x".to_owned(), None)]));
        let keeps = Store::parse(&format!("{text}@kept b\n@kept c\n"));
        let formers = keeps.formers(&layers(&["a", "x", "y"]), 1);
        assert_eq!(
            formers.into_iter().collect::<Vec<_>>(),
            [("x".to_owned(), Some("b".to_owned())), ("y".to_owned(), None)]
        );
        let whole = Store::parse(&text.replace("overlay2", "io.containerd.snapshotter.v1"));
        assert_eq!(whole.known(&layers(&["a", "b", "x"])), 0);
    }

    #[test]
    fn what_is_left_out_is_not_sent_and_the_rest_is_whole() {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in [("blobs/sha256/a", "old"), ("blobs/sha256/b", "new"), ("manifest.json", "{}")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        let archive = archive.into_inner().unwrap();
        let mut sent = Vec::new();
        filter(archive.as_slice(), &mut sent, &BTreeSet::from(["blobs/sha256/a".to_owned()]), None).unwrap();
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(sent.as_slice()).read_to_end(&mut plain).unwrap();
        let mut archive = tar::Archive::new(plain.as_slice());
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["blobs/sha256/b", "manifest.json"]);
    }
}
