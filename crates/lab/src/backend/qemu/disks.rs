//! Disks of virtual machines: a qcow2 file for each volume, with its snapshots inside (qemu-img(1)).

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::host::{HostError, Tool, file};

/// The folder with the disks of one virtual machine.
#[derive(Clone, Debug)]
pub(super) struct Disks {
    folder: PathBuf,
}

fn image(words: &[&str]) -> Tool {
    Tool::new("qemu-img").args(words.iter().copied())
}

impl Disks {
    pub(super) fn of(home: &Path) -> Self {
        Self { folder: home.join("disks") }
    }

    pub(super) fn make(&self) -> Result<(), HostError> {
        std::fs::create_dir_all(&self.folder).map_err(file(&self.folder))
    }

    /// The file of a volume.
    pub(super) fn file(&self, volume: &str) -> PathBuf {
        self.folder.join(format!("{}.qcow2", volume.replace(['/', ':'], "_")))
    }

    /// All files.
    pub(super) fn all(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "qcow2"))
            .collect();
        files.sort();
        files
    }

    /// An empty disk.
    pub(super) fn create(&self, volume: &str, bytes: u64) -> Result<(), HostError> {
        let to = self.file(volume);
        image(&["create", "-q", "-f", "qcow2"]).arg(&to).arg(bytes.to_string()).run().map(drop)
    }

    /// A disk that begins as what an image holds. The image is only read, and may go: the disk keeps it.
    pub(super) fn import(&self, volume: &str, from: &Path) -> Result<(), HostError> {
        let found = Info::of(from)?;
        let to = self.file(volume);
        let base = to.with_extension("base");
        if std::fs::hard_link(from, &base).is_err() {
            Tool::new("cp").args(["--reflink=auto", "--sparse=auto", "--"]).arg(from).arg(&base).run()?;
        }
        image(&["create", "-q", "-f", "qcow2", "-F", &found.format, "-b"]).arg(&base).arg(&to).run().map(drop)
    }

    /// Makes a disk larger that is not in use.
    pub(super) fn grow(&self, volume: &str, bytes: u64) -> Result<(), HostError> {
        image(&["resize", "-q", "-f", "qcow2"]).arg(self.file(volume)).arg(bytes.to_string()).run().map(drop)
    }

    /// Forgets a volume.
    pub(super) fn remove(&self, volume: &str) {
        let path = self.file(volume);
        // Most volumes are not of this machine.
        let _ = std::fs::remove_file(path.with_extension("base"));
        let _ = std::fs::remove_file(path);
    }
}

/// Keeps what a disk holds that is not in use.
pub(super) fn keep(disk: &Path, name: &str) -> Result<(), HostError> {
    image(&["snapshot", "-q", "-c", name]).arg(disk).run().map(drop)
}

/// Takes a disk back that is not in use.
pub(super) fn back(disk: &Path, name: &str) -> Result<(), HostError> {
    image(&["snapshot", "-q", "-a", name]).arg(disk).run().map(drop)
}

/// Forgets what a disk kept that is not in use.
pub(super) fn forget(disk: &Path, name: &str) -> Result<(), HostError> {
    image(&["snapshot", "-q", "-d", name]).arg(disk).run().map(drop)
}

/// A whole copy of a disk that is not in use, or of what it kept.
pub(super) fn copy(from: &Path, snapshot: Option<&str>, to: &Path) -> Result<(), HostError> {
    let kept: Vec<String> =
        snapshot.iter().flat_map(|name| ["-l".into(), format!("snapshot.name={name}")]).collect();
    image(&["convert", "-q", "-f", "qcow2", "-O", "qcow2"]).args(kept).arg(from).arg(to).run().map(drop)
}

/// What a file says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Info {
    format: String,
    bytes: u64,
    snapshots: Vec<String>,
}

impl Info {
    /// Reads it. A file that reaches for another one is refused: it could name any file of this machine.
    fn of(path: &Path) -> Result<Self, HostError> {
        let said = image(&["info", "-U", "--output=json"]).arg(path).run()?;
        if said.contains("\"backing-filename\"") || said.contains("\"data-file\"") {
            return Err(HostError::Other("the image is a part of another file".to_owned()));
        }
        Self::parse(&said).ok_or_else(|| HostError::Other("qemu-img says nothing of the image".to_owned()))
    }

    /// The same for a file of the lab's own.
    pub(super) fn of_own(path: &Path) -> Result<Self, HostError> {
        let said = image(&["info", "-U", "--output=json"]).arg(path).run()?;
        Self::parse(&said).ok_or_else(|| HostError::Other("qemu-img says nothing of the disk".to_owned()))
    }

    fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let kept = value.get("snapshots").and_then(Value::as_array);
        let names = kept.into_iter().flatten().filter_map(|one| one.get("name")?.as_str());
        Some(Self {
            format: value.get("format")?.as_str()?.to_owned(),
            bytes: value.get("virtual-size")?.as_u64()?,
            snapshots: names.map(str::to_owned).collect(),
        })
    }

    pub(super) fn keeps(&self, name: &str) -> bool {
        self.snapshots.iter().any(|kept| kept == name)
    }
}

/// Bytes of the disk that an image holds.
pub(in crate::backend) fn image_size(path: &Path) -> Result<u64, HostError> {
    Info::of(path).map(|info| info.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_image_says_of_itself_is_read() {
        let text = r#"{"virtual-size": 3221225472, "format": "qcow2", "snapshots": [{"id": "1", "name": "before"}]}"#;
        let info = Info::parse(text).unwrap();
        assert_eq!((info.bytes, info.format.as_str()), (3 << 30, "qcow2"));
        assert!(info.keeps("before") && !info.keeps("bef"));
        assert_eq!(Info::parse("{}"), None);
    }
}
