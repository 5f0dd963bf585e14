//! Bytes to the guest: build contexts, mounted files, the release itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use flate2::Compression;
use flate2::write::GzEncoder;
use plimsoll_remote::Input;

use crate::delta::Library;
use crate::digest;
use crate::error::DeployError;
use crate::guest::{Action, Guest, Lock};
use crate::push::Known;
use crate::tree::{Listing, Tree};

/// Time to send something.
const SEND: Duration = Duration::from_secs(1800);

/// Lists of what guests have, by digest, so that they need not be asked for.
#[derive(Clone, Debug)]
pub struct Cache(pub PathBuf);

impl Cache {
    /// Layers that were sent stand beside the lists.
    pub(crate) fn layers(&self) -> Library {
        Library(self.0.with_file_name("layers"))
    }

    /// So does what the engine here pushed.
    pub(crate) fn pushed(&self) -> Known {
        Known(self.0.with_file_name("pushed"))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the cache's own file")]
    fn read(&self, root: &str) -> Option<Listing> {
        let text = std::fs::read_to_string(self.0.join(root)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// A list that cannot be kept is asked for again.
    #[expect(clippy::disallowed_methods, reason = "this is the cache's own file")]
    fn write(&self, root: &str, listing: &Listing) {
        let _ = std::fs::create_dir_all(&self.0);
        let fresh = self.0.join(format!("{root}.new"));
        let text = serde_json::to_string(listing).unwrap_or_default();
        if std::fs::write(&fresh, text).is_ok() {
            let _ = std::fs::rename(&fresh, self.0.join(root));
        }
    }
}

impl Guest {
    /// Sends what changed in a build context since the state that the guest has.
    pub(crate) async fn send_context(
        &self,
        lock: &Lock,
        release: u64,
        (name, tree, known): (&str, &Tree, Option<&str>),
        cache: &Cache,
    ) -> Result<plimsoll_remote::Output, DeployError> {
        let before = match known {
            None => None,
            Some(root) => match cache.read(root) {
                Some(listing) => Some(listing),
                None => self.listing(lock, name).await.ok(),
            },
        };
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        let all: Vec<&Utf8Path> = tree.entries.keys().map(Utf8PathBuf::as_path).collect();
        let send = match &before {
            None => all,
            Some(before) => {
                let (send, gone) = tree.difference(before);
                let gone: String = gone.iter().map(|path| format!("{path}\n")).collect();
                add(&mut archive, "gone", gone.as_bytes())?;
                send
            }
        };
        tree.append(&mut archive, Utf8Path::new("tree"), &send)?;
        let bytes = finish(archive)?;
        let step = format!("send {name}");
        let extent = if before.is_some() { "part" } else { "whole" };
        let action = Action::new(&step, release, "context")
            .args([name, &tree.root, &digest::of(tree.sums().as_bytes()), extent])
            .input(Input::Bytes(bytes))
            .limit(SEND);
        let output = self.step(lock, action).await?;
        if output.status == 0 {
            cache.write(&tree.root, &tree.listing());
        }
        Ok(output)
    }

    async fn listing(&self, lock: &Lock, name: &str) -> Result<Listing, DeployError> {
        let words = ["do_listing", name];
        let text = self.ask_in(&lock.shell, "listing a build context", &words).await?.text();
        let (sums, executables) = text.split_once("\n\n").unwrap_or((text.as_str(), ""));
        let mut listing: Listing = sums
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(sum, path)| (path.to_owned(), (sum.to_owned(), false)))
            .collect();
        for path in executables.lines() {
            if let Some(entry) = listing.get_mut(path) {
                entry.1 = true;
            }
        }
        Ok(listing)
    }

    /// Sends files that containers mount.
    pub(crate) async fn send_files(
        &self,
        lock: &Lock,
        release: u64,
        name: &str,
        tree: &Tree,
    ) -> Result<plimsoll_remote::Output, DeployError> {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
        let all: Vec<&Utf8Path> = tree.entries.keys().map(Utf8PathBuf::as_path).collect();
        tree.append(&mut archive, Utf8Path::new(""), &all)?;
        let bytes = finish(archive)?;
        let step = format!("send files {}", name.get(..8).unwrap_or(name));
        let action = Action::new(&step, release, "files")
            .args([name, &digest::of(tree.sums().as_bytes())])
            .input(Input::Bytes(bytes))
            .limit(SEND);
        self.step(lock, action).await
    }

    /// Writes a release: its record and its project, a line each, and its values.
    pub(crate) async fn send_release(
        &self,
        lock: &Lock,
        release: u64,
        [record, project, values]: [&str; 3],
    ) -> Result<plimsoll_remote::Output, DeployError> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        for part in [record, "\n", project, "\n", values] {
            std::io::Write::write_all(&mut encoder, part.as_bytes()).map_err(unpackable)?;
        }
        let bytes = encoder.finish().map_err(unpackable)?;
        let action = Action::new("render", release, "render").input(Input::Bytes(bytes));
        self.step(lock, action).await
    }
}

type Archive = tar::Builder<GzEncoder<Vec<u8>>>;

fn unpackable(source: std::io::Error) -> crate::tree::TreeError {
    crate::tree::TreeError::Read { path: Path::new("archive").to_owned(), source }
}

fn add(archive: &mut Archive, name: &str, bytes: &[u8]) -> Result<(), DeployError> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o600);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    Ok(archive.append_data(&mut header, name, bytes).map_err(unpackable)?)
}

fn finish(archive: Archive) -> Result<Vec<u8>, DeployError> {
    Ok(archive.into_inner().and_then(GzEncoder::finish).map_err(unpackable)?)
}
