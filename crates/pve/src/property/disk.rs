//! Volumes of containers and drives of machines.

use super::check::{self, Size, is_on, key, property};
use super::{PropertyError, PropertyString};

fn size(text: &str) -> bool {
    text.parse::<Size>().is_ok()
}

fn mount_options(text: &str) -> bool {
    text.split(';')
        .all(|option| matches!(option, "discard" | "lazytime" | "noatime" | "nodev" | "noexec" | "nosuid"))
}

const MOUNT: &[check::Key] = &[
    key("size", "a size such as 8G", size),
    key("acl", "0 or 1", check::flag),
    key("backup", "0 or 1", check::flag),
    key("quota", "0 or 1", check::flag),
    key("replicate", "0 or 1", check::flag),
    key("ro", "0 or 1", check::flag),
    key("shared", "0 or 1", check::flag),
    key("mountoptions", "options such as noatime with `;` between them", mount_options),
    key("mp", "an absolute path without `..`", |text| {
        text.starts_with('/') && !text.split('/').any(|part| part == "..")
    }),
];

fn has(key: &'static str, list: &PropertyString) -> Result<(), PropertyError> {
    list.get_or_bare(key).map(|_| ()).ok_or(PropertyError::Missing(key))
}

property!(
    /// The root file system of a container (`rootfs`) or a mount point (`mp0` …).
    Mount,
    default Some("volume"),
    keys MOUNT,
    also |list| has("volume", list)
);

/// What stands behind a mount point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A volume of a storage, made or to be made.
    Volume,
    /// A directory of the node. Only `root@pam` with a password may say so.
    Directory,
    /// A block device of the node. Only `root@pam` with a password may say so.
    Device,
}

impl Mount {
    /// A volume to be made: `gib` GiB on a storage.
    pub fn allocate(storage: &str, gib: u32) -> Self {
        let mut list = PropertyString::default();
        list.set_bare(format!("{storage}:{gib}"));
        Self(list)
    }

    /// The volume, `storage:name`, or a path of the node.
    pub fn volume(&self) -> &str {
        self.0.get_or_bare("volume").unwrap_or_default()
    }

    /// The storage that holds the volume.
    pub fn storage(&self) -> Option<&str> {
        if self.source() == Source::Volume {
            self.volume().split_once(':').map(|(storage, _)| storage)
        } else {
            None
        }
    }

    /// What stands behind it.
    pub fn source(&self) -> Source {
        match self.volume() {
            path if path.starts_with("/dev/") => Source::Device,
            path if path.starts_with('/') => Source::Directory,
            _ => Source::Volume,
        }
    }

    /// Where it is mounted. The root file system has none.
    pub fn path(&self) -> Option<&str> {
        self.0.get("mp")
    }

    /// Mounts it at a path.
    pub fn at(mut self, path: &str) -> Self {
        self.0.set("mp", path);
        self
    }

    /// Its size.
    pub fn size(&self) -> Option<Size> {
        self.0.get("size")?.parse().ok()
    }

    /// Whether a backup holds it. Mount points are left out unless they say otherwise; the root file system is always in.
    pub fn in_backup(&self) -> bool {
        self.path().is_none() || is_on(self.0.get("backup"))
    }
}

const DRIVE: &[check::Key] = &[
    key("size", "a size such as 8G", size),
    key("backup", "0 or 1", check::flag),
    key("iothread", "0 or 1", check::flag),
    key("replicate", "0 or 1", check::flag),
    key("ro", "0 or 1", check::flag),
    key("shared", "0 or 1", check::flag),
    key("ssd", "0 or 1", check::flag),
    key("discard", "`on` or `ignore`", |text| matches!(text, "on" | "ignore")),
    key("media", "`disk` or `cdrom`", |text| matches!(text, "disk" | "cdrom")),
    key("aio", "native, threads or io_uring", |text| matches!(text, "native" | "threads" | "io_uring")),
];

fn import_allocates(list: &PropertyString) -> Result<(), PropertyError> {
    has("file", list)?;
    let file = list.get_or_bare("file").unwrap_or_default();
    // The node wants exactly `STORAGE:0` beside `import-from`.
    if list.get("import-from").is_some() && !file.ends_with(":0") {
        let (key, value) = ("file".to_owned(), file.to_owned());
        return Err(PropertyError::Value { key, value, wants: "`STORAGE:0` where `import-from` stands" });
    }
    Ok(())
}

property!(
    /// A drive of a virtual machine (`scsi0`, `virtio1`, `sata0`, `ide2`).
    Drive,
    default Some("file"),
    keys DRIVE,
    also import_allocates
);

impl Drive {
    /// A disk made from an image that the node holds, such as `local:import/debian.qcow2`.
    pub fn import(storage: &str, image: &str) -> Self {
        let mut list = PropertyString::default();
        list.set_bare(format!("{storage}:0"));
        list.set("import-from", image);
        Self(list)
    }

    /// The drive that carries cloud-init's data.
    pub fn cloud_init(storage: &str) -> Self {
        let mut list = PropertyString::default();
        list.set_bare(format!("{storage}:cloudinit"));
        Self(list)
    }

    /// An empty disk to be made: `gib` GiB on a storage.
    pub fn allocate(storage: &str, gib: u32) -> Self {
        let mut list = PropertyString::default();
        list.set_bare(format!("{storage}:{gib}"));
        Self(list)
    }

    /// The volume, `storage:name`, or `none` for an empty drive.
    pub fn file(&self) -> &str {
        self.0.get_or_bare("file").unwrap_or_default()
    }

    /// The storage that holds the volume.
    pub fn storage(&self) -> Option<&str> {
        self.file().split_once(':').map(|(storage, _)| storage).filter(|storage| !storage.starts_with('/'))
    }

    /// Its size.
    pub fn size(&self) -> Option<Size> {
        self.0.get("size")?.parse().ok()
    }

    /// Whether it is a CD drive.
    pub fn is_cdrom(&self) -> bool {
        self.0.get("media") == Some("cdrom")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_tells_what_stands_behind_it() {
        let mount: Mount = "local-lvm:vm-100-disk-1,mp=/data,backup=1,size=8G,keepattrs=1".parse().unwrap();
        assert_eq!(
            (mount.storage(), mount.path(), mount.in_backup()),
            (Some("local-lvm"), Some("/data"), true)
        );
        assert_eq!(mount.size(), Some(Size(8 << 30)));
        let bind: Mount = "/srv/data,mp=/data".parse().unwrap();
        assert_eq!((bind.source(), bind.storage(), bind.in_backup()), (Source::Directory, None, false));
        assert_eq!("volume=/dev/sdb,mp=/x".parse::<Mount>().unwrap().source(), Source::Device);
        assert_eq!(Mount::allocate("thin", 4).at("/var/lib/docker").to_string(), "thin:4,mp=/var/lib/docker");
    }

    #[test]
    fn mount_points_are_refused_for_what_the_node_would_refuse() {
        assert_eq!("mp=/data".parse::<Mount>().unwrap_err(), PropertyError::Missing("volume"));
        for text in ["thin:1,mp=data", "thin:1,mp=/a/../b", "thin:1,size=8g", "thin:1,mountoptions=sync"] {
            assert!(matches!(text.parse::<Mount>(), Err(PropertyError::Value { .. })), "{text}");
        }
    }

    #[test]
    fn an_import_needs_a_storage_and_a_zero() {
        let drive = Drive::import("local-lvm", "local:import/debian.qcow2");
        assert_eq!(drive.to_string(), "local-lvm:0,import-from=local:import/debian.qcow2");
        assert_eq!(drive.to_string().parse::<Drive>().unwrap(), drive);
        assert!("local-lvm:8,import-from=local:import/debian.qcow2".parse::<Drive>().is_err());
        assert!("none,media=cdrom".parse::<Drive>().unwrap().is_cdrom());
    }
}
