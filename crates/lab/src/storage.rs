//! Storages and what their kinds can do (pve-storage; see the table of storage types in the vendor's guide, pvesm).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::state::State;

/// A volume, template, image or backup.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    pub(crate) content: String,
    pub(crate) format: String,
    pub(crate) size: u64,
    pub(crate) ctime: i64,
    pub(crate) vmid: Option<u32>,
    pub(crate) notes: Option<String>,
    pub(crate) protected: bool,
    /// A backup holds a guest.
    pub(crate) backup: Option<Box<crate::guest::Guest>>,
}

impl Volume {
    pub(crate) fn new(content: &str, format: &str, size: u64, now: i64) -> Self {
        Self {
            content: content.to_owned(),
            format: format.to_owned(),
            size,
            ctime: now / 1000,
            vmid: None,
            notes: None,
            protected: false,
            backup: None,
        }
    }
}

/// A storage.
#[derive(Clone, Debug)]
pub(crate) struct Storage {
    pub(crate) kind: String,
    pub(crate) content: BTreeSet<String>,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) total: u64,
    pub(crate) volumes: BTreeMap<String, Volume>,
}

impl Storage {
    pub(crate) fn new(kind: &str, content: &str, options: &[(&str, &str)]) -> Self {
        Self {
            kind: kind.to_owned(),
            content: content.split(',').map(str::to_owned).collect(),
            options: options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            total: 1 << 40,
            volumes: BTreeMap::new(),
        }
    }

    /// What a kind of storage may hold at most.
    pub(crate) fn possible(kind: &str) -> &'static [&'static str] {
        match kind {
            "dir" | "nfs" | "cifs" | "btrfs" => {
                &["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import"]
            }
            "cephfs" => &["vztmpl", "iso", "backup", "snippets", "import"],
            "pbs" => &["backup"],
            "lvm" | "lvmthin" | "zfspool" | "rbd" => &["images", "rootdir"],
            "esxi" => &["import"],
            _ => &["images"],
        }
    }

    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.kind.as_str(), "nfs" | "cifs" | "cephfs" | "rbd" | "pbs")
            || self.options.get("shared").is_some_and(|v| v == "1")
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.options.get("disable").is_some_and(|value| value == "1")
    }

    /// Whether its volumes are files.
    pub(crate) fn is_files(&self) -> bool {
        matches!(self.kind.as_str(), "dir" | "nfs" | "cifs" | "btrfs" | "cephfs")
    }

    /// Whether volumes of a guest can be kept as snapshots. Containers have raw images on files, which cannot.
    pub(crate) fn has_snapshots(&self, container: bool) -> bool {
        match self.kind.as_str() {
            "lvmthin" | "zfspool" | "rbd" | "btrfs" => true,
            "dir" | "nfs" | "cifs" => !container,
            _ => false,
        }
    }

    /// Whether a template's volumes can be shared by its copies.
    pub(crate) fn has_clones(&self, container: bool) -> bool {
        self.has_snapshots(container)
    }

    pub(crate) fn used(&self) -> u64 {
        (2 << 30) + self.volumes.values().map(|volume| volume.size / 10).sum::<u64>()
    }

    /// A storage as its node sees it.
    pub(crate) fn status(&self, name: Option<&str>) -> Value {
        let content: Vec<&str> = self.content.iter().map(String::as_str).collect();
        let used = self.used();
        let mut out = json!({
            "type": self.kind, "content": content.join(","), "active": u8::from(!self.is_disabled()),
            "enabled": u8::from(!self.is_disabled()), "shared": u8::from(self.is_shared()),
            "total": self.total, "used": used, "avail": self.total.saturating_sub(used),
        });
        if let (Some(name), Some(map)) = (name, out.as_object_mut()) {
            map.insert("storage".to_owned(), json!(name));
            #[expect(clippy::cast_precision_loss, reason = "a fraction for people")]
            map.insert("used_fraction".to_owned(), json!(used as f64 / self.total as f64));
        }
        out
    }

    /// The name of the next disk of a guest.
    pub(crate) fn next_disk(&self, vmid: u32, prefix: &str, suffix: &str) -> String {
        let name = |number: u32| {
            let disk = format!("{prefix}-{vmid}-disk-{number}");
            if self.is_files() { format!("{vmid}/{disk}.{suffix}") } else { disk }
        };
        (0..).map(name).find(|name| !self.volumes.contains_key(name)).unwrap_or_default()
    }
}

impl State {
    /// Makes a volume for a guest and answers its full name.
    pub(crate) fn allocate(
        &mut self,
        storage: &str,
        vmid: u32,
        container: bool,
        bytes: u64,
    ) -> Result<String, String> {
        let now = self.now();
        let full = self.faults.storage_full(storage);
        let store =
            self.storages.get_mut(storage).ok_or_else(|| format!("storage '{storage}' does not exist"))?;
        let content = if container { "rootdir" } else { "images" };
        if !store.content.contains(content) {
            let what = if container { "container directories" } else { "vm images" };
            return Err(format!("storage '{storage}' does not support {what}"));
        }
        if full || store.used() + bytes / 10 > store.total {
            return Err(match store.kind.as_str() {
                "lvmthin" | "lvm" => {
                    format!(
                        "lvcreate 'pve/vm-{vmid}-disk-0' error:   Free space in pool {storage} is not enough"
                    )
                }
                _ => format!("unable to create image: not enough free space on storage '{storage}'"),
            });
        }
        let format = if container || !store.is_files() { "raw" } else { "qcow2" };
        let prefix = if store.kind == "zfspool" && container { "subvol" } else { "vm" };
        let name = store.next_disk(vmid, prefix, format);
        let mut volume = Volume::new(content, format, bytes, now);
        volume.vmid = Some(vmid);
        store.volumes.insert(name.clone(), volume);
        Ok(format!("{storage}:{name}"))
    }

    /// The volume of a full name.
    pub(crate) fn volume(&self, volid: &str) -> Option<&Volume> {
        let (storage, name) = volid.split_once(':')?;
        self.storages.get(storage)?.volumes.get(name)
    }

    pub(crate) fn free(&mut self, volid: &str) -> bool {
        let Some((storage, name)) = volid.split_once(':') else { return false };
        self.backend.drop_volume(volid);
        self.storages.get_mut(storage).is_some_and(|storage| storage.volumes.remove(name).is_some())
    }
}
