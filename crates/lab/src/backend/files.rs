//! What volumes of a lab hold: templates, images and backups are files of this machine.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::host::{HostError, file};

/// Files by volume. Those in the lab's own folder go with the volume; others are the cache's, and stay.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    known: Mutex<BTreeMap<String, PathBuf>>,
}

/// Makes a folder that only root sees into: seeds and disks hold keys.
pub(super) fn private(folder: &Path) -> Result<(), HostError> {
    let made = std::fs::create_dir_all(folder);
    let mode = std::fs::Permissions::from_mode(0o700);
    made.and_then(|()| std::fs::set_permissions(folder, mode)).map_err(file(folder))
}

impl Files {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, known: Mutex::default() }
    }

    pub(super) fn furnish(&self) -> Result<(), HostError> {
        private(&self.folder)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, PathBuf>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the content of a volume lies, or will.
    pub(super) fn place(&self, volume: &str) -> PathBuf {
        self.folder.join(volume.replace(['/', ':'], "_"))
    }

    /// Where an upload is put before it has a name.
    pub(super) fn spool(&self, number: u64) -> PathBuf {
        self.folder.join(format!("upload-{number}"))
    }

    /// Makes a file the content of a volume.
    pub(super) fn put(&self, volume: String, path: PathBuf) {
        self.known().insert(volume, path);
    }

    /// Makes an upload the content of a volume.
    pub(super) fn keep(&self, volume: &str, from: &Path) -> Result<(), String> {
        let to = self.place(volume);
        std::fs::rename(from, &to).map_err(|error| format!("cannot keep the upload: {error}"))?;
        self.put(volume.to_owned(), to);
        Ok(())
    }

    /// The content of a volume.
    pub(super) fn need(&self, volume: &str) -> Result<PathBuf, HostError> {
        let found = self.known().get(volume).cloned();
        found.ok_or_else(|| HostError::Other(format!("volume '{volume}' has no content in this lab")))
    }

    pub(super) fn size(&self, volume: &str) -> Option<u64> {
        self.need(volume).ok()?.metadata().ok().map(|found| found.len())
    }

    pub(super) fn drop_volume(&self, volume: &str) {
        let removed = self.known().remove(volume);
        if let Some(path) = removed.filter(|path| path.starts_with(&self.folder)) {
            let _ = std::fs::remove_file(path);
        }
    }

    pub(super) fn clear(&self) {
        self.known().clear();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
