//! Disks of guests: folders with real files. A snapshot is a copy, a backup an archive.

use std::fs::File;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::config::{is_unprivileged, mounts, owner};
use super::leftovers;
use super::machine::Machine;
use crate::backend::GuestSpec;
use crate::guest::volume_of;
use crate::host::{HostError, Tool, file};

/// Folders of one guest.
pub(super) struct Disks {
    pub(super) home: PathBuf,
}

impl Disks {
    pub(super) fn current(&self) -> PathBuf {
        self.home.join("disks")
    }

    pub(super) fn kept(&self, name: &str) -> PathBuf {
        self.home.join("snapshots").join(name)
    }

    /// An empty guest.
    pub(super) fn make(&self, spec: &GuestSpec) -> Result<(), HostError> {
        let current = self.current();
        let root = current.join("rootfs");
        std::fs::create_dir_all(&root).map_err(file(&root))?;
        std::fs::create_dir_all(self.home.join("snapshots")).map_err(file(&self.home))?;
        let mode = |folder: &Path, mode| {
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).map_err(file(folder))
        };
        mode(&self.home, 0o711)?;
        // Programs in there that make their caller root are for the guest only.
        mode(&current, 0o700)?;
        own(&current, spec)?;
        own(&root, spec)?;
        self.label(spec)
    }

    /// Fills the root file system from a template.
    pub(super) fn unpack_template(
        &self,
        machine: &Machine,
        spec: &GuestSpec,
        archive: &Path,
    ) -> Result<(), HostError> {
        let root = self.current().join("rootfs");
        // Devices come from LXC; users of unprivileged guests may make none.
        unpack(machine, spec, archive, &root, &["--exclude=./dev/*", "--exclude=dev/*"])
    }

    /// Fills all disks from a backup.
    pub(super) fn unpack_backup(
        &self,
        machine: &Machine,
        spec: &GuestSpec,
        archive: &Path,
    ) -> Result<(), HostError> {
        unpack(machine, spec, archive, &self.current(), &[])?;
        self.label(spec)
    }

    /// Writes all disks into an archive, with users as the guest sees them.
    pub(super) fn pack(&self, machine: &Machine, spec: &GuestSpec, archive: &Path) -> Result<u64, HostError> {
        let part = archive.with_extension("part");
        let to = File::create(&part).map_err(file(&part))?;
        let tool = if is_unprivileged(spec) { machine.shifted("tar") } else { machine.inside("tar") };
        let mut tool = tool
            .args([
                "--numeric-owner",
                "--xattrs",
                "--xattrs-include=*",
                "--one-file-system",
                "--warning=no-file-ignored",
            ])
            .args(packing(archive))
            .arg("-C")
            .arg(self.current())
            .args(["-cf", "-", "rootfs"]);
        // Only what says so is in a backup, as on the node.
        let wanted = |key: &str| spec.config.get(key).is_some_and(|value| value.contains("backup=1"));
        tool = tool.args(mounts(spec).into_iter().map(|(key, _)| key).filter(|key| wanted(key)));
        tool.to(to).run().inspect_err(|_| {
            // Half a backup is none.
            let _ = std::fs::remove_file(&part);
        })?;
        std::fs::rename(&part, archive).map_err(file(archive))?;
        Ok(archive.metadata().map_or(0, |found| found.len()))
    }

    /// Folders of mount points, before a start. One whose volume is another than before begins empty.
    pub(super) fn prepare_mounts(&self, spec: &GuestSpec) -> Result<(), HostError> {
        for (key, _) in mounts(spec) {
            let folder = self.current().join(&key);
            if folder.exists()
                && self.labelled(&key) != spec.config.get(&key).and_then(|value| volume_of(value))
            {
                std::fs::remove_dir_all(&folder).map_err(file(&folder))?;
            }
            if !folder.exists() {
                std::fs::create_dir(&folder).map_err(file(&folder))?;
                own(&folder, spec)?;
            }
        }
        self.label(spec)
    }

    /// Copies a disk into the folder of another volume. It stands in for the disk once the configuration names that volume.
    pub(super) fn copy_disk(&self, disk: &str, volume: &str) -> Result<(), HostError> {
        let from = self.current().join(disk);
        if !from.exists() {
            // A mount point that no start has seen holds nothing yet.
            return Ok(());
        }
        let (to, half) = (self.current().join(moved(volume)), self.current().join("moving"));
        let _ = std::fs::remove_dir_all(&half);
        copy(&from, &half)?;
        std::fs::rename(&half, &to).map_err(file(&to))
    }

    /// Puts the folders of moved volumes where the configuration wants them. What was there before is kept where the
    /// configuration still knows its volume.
    pub(super) fn adopt_moved(&self, spec: &GuestSpec) -> Result<(), HostError> {
        let disks = crate::guest::disks(&spec.config);
        for (key, volume) in disks.iter().filter(|(key, _)| !key.starts_with("unused")) {
            let (folder, waiting) = (self.current().join(key), self.current().join(moved(volume)));
            if !waiting.exists() {
                continue;
            }
            if folder.exists() {
                let before = self.labelled(key).filter(|before| disks.iter().any(|(_, of)| of == before));
                match before {
                    Some(before) => {
                        let to = self.current().join(moved(&before));
                        std::fs::rename(&folder, &to).map_err(file(&to))?;
                    }
                    None => std::fs::remove_dir_all(&folder).map_err(file(&folder))?,
                }
            }
            std::fs::rename(&waiting, &folder).map_err(file(&folder))?;
            leftovers::write(&self.current().join(format!("{key}.volume")), volume)?;
        }
        Ok(())
    }

    /// Notes which volume each disk is.
    pub(super) fn label(&self, spec: &GuestSpec) -> Result<(), HostError> {
        let mounted = mounts(spec).into_iter().map(|(key, _)| key);
        for key in mounted.chain(["rootfs".to_owned()]) {
            let volume = spec.config.get(&key).and_then(|value| volume_of(value)).unwrap_or_default();
            leftovers::write(&self.current().join(format!("{key}.volume")), &volume)?;
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "a note of the lab's own")]
    fn labelled(&self, key: &str) -> Option<String> {
        std::fs::read_to_string(self.current().join(format!("{key}.volume"))).ok()
    }
}

/// The folder of a volume that waits to be a disk.
fn moved(volume: &str) -> String {
    format!("volume-{}", volume.replace(['/', ':'], "_"))
}

/// Forgets a volume that waits to be a disk of any guest.
pub(super) fn drop_moved(guests: &Path, volume: &str) {
    for guest in std::fs::read_dir(guests).into_iter().flatten().flatten() {
        // Most guests have none.
        let _ = std::fs::remove_dir_all(guest.path().join("disks").join(moved(volume)));
    }
}

fn own(folder: &Path, spec: &GuestSpec) -> Result<(), HostError> {
    chown(folder, Some(owner(spec)), Some(owner(spec))).map_err(file(folder))
}

/// How an archive is packed, by its name: it is read from a stream, where tar cannot look.
pub(in crate::backend) fn packing(archive: &Path) -> &'static [&'static str] {
    match archive.extension().and_then(|ending| ending.to_str()) {
        Some("zst") => &["--use-compress-program=zstd -T0"],
        Some("gz") => &["--gzip"],
        Some("xz") => &["--xz"],
        Some("bz2") => &["--bzip2"],
        Some("lzo") => &["--lzop"],
        _ => &[],
    }
}

fn unpack(
    machine: &Machine,
    spec: &GuestSpec,
    archive: &Path,
    into: &Path,
    more: &[&str],
) -> Result<(), HostError> {
    let from = File::open(archive).map_err(file(archive))?;
    let tool = if is_unprivileged(spec) { machine.shifted("tar") } else { machine.inside("tar") };
    tool.args(["--numeric-owner", "--same-owner", "--xattrs", "--xattrs-include=*"])
        .args(more.iter().copied())
        .args(packing(archive))
        .args(["-xpf", "-", "-C"])
        .arg(into)
        .from(from)
        .run()
        .map(drop)
}

/// A copy with everything that belongs to files.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), HostError> {
    Tool::new("cp")
        .args(["--archive", "--reflink=auto", "--sparse=auto", "--"])
        .arg(from)
        .arg(to)
        .run()
        .map(drop)
}
