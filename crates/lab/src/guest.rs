//! Guests: configuration, pending changes, snapshots and power.

use std::collections::BTreeMap;

use plimsoll_pve::property::PropertyString;
use serde_json::{Map, Value, json};

use crate::backend::GuestSpec;
use crate::handlers::Sets;

/// A container or a virtual machine, with the node's words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Lxc,
    Qemu,
}

impl Kind {
    /// In messages.
    pub(crate) fn word(self) -> &'static str {
        if self == Self::Lxc { "CT" } else { "VM" }
    }

    /// In paths of the API and in lists.
    pub(crate) fn api(self) -> &'static str {
        if self == Self::Lxc { "lxc" } else { "qemu" }
    }

    /// In names of configuration files.
    pub(crate) fn folder(self) -> &'static str {
        if self == Self::Lxc { "lxc" } else { "qemu-server" }
    }

    pub(crate) fn is_container(self) -> bool {
        self == Self::Lxc
    }

    /// The kind of a task: `vzstart`, `qmstart`.
    pub(crate) fn task(self, container: &'static str, machine: &'static str) -> &'static str {
        if self == Self::Lxc { container } else { machine }
    }
}

/// A snapshot: the configuration and what the disks held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) time: i64,
    pub(crate) parent: Option<String>,
    pub(crate) description: String,
    pub(crate) number: u32,
    /// Whether the memory of a virtual machine was kept with its disks.
    pub(crate) memory: bool,
}

/// A guest.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) kind: Kind,
    pub(crate) vmid: u32,
    pub(crate) node: String,
    pub(crate) config: BTreeMap<String, String>,
    /// Changes for the next start; `None` takes the option away.
    pub(crate) pending: BTreeMap<String, Option<String>>,
    pub(crate) lock: Option<String>,
    pub(crate) snapshots: BTreeMap<String, Snapshot>,
    pub(crate) parent: Option<String>,
    /// When it was started.
    pub(crate) running: Option<i64>,
    pub(crate) pid: u32,
    /// What its disks hold, as far as the lab knows: path to content.
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) firewall: Map<String, Value>,
    pub(crate) rules: Vec<Map<String, Value>>,
    pub(crate) sets: Sets,
    /// Programs that the guest agent started.
    pub(crate) programs: BTreeMap<u64, Value>,
}

impl Guest {
    pub(crate) fn new(kind: Kind, vmid: u32, node: &str) -> Self {
        Self {
            kind,
            vmid,
            node: node.to_owned(),
            config: BTreeMap::new(),
            pending: BTreeMap::new(),
            lock: None,
            snapshots: BTreeMap::new(),
            parent: None,
            running: None,
            pid: 0,
            files: BTreeMap::new(),
            firewall: Map::new(),
            rules: Vec::new(),
            sets: Sets::default(),
            programs: BTreeMap::new(),
        }
    }

    pub(crate) fn name(&self) -> String {
        let key = if self.kind.is_container() { "hostname" } else { "name" };
        self.config.get(key).cloned().unwrap_or_else(|| format!("{}{}", self.kind.word(), self.vmid))
    }

    pub(crate) fn is_template(&self) -> bool {
        self.config.get("template").is_some_and(|value| value == "1")
    }

    pub(crate) fn is_on(&self, key: &str) -> bool {
        self.config.get(key).is_some_and(|value| value == "1")
    }

    /// Changes with whatever a change of the guest may depend on.
    pub(crate) fn digest(&self) -> String {
        crate::handlers::digest::of(&(&self.config, &self.pending, &self.lock, self.snapshots.keys()))
    }

    /// The configuration with what is pending.
    pub(crate) fn future(&self) -> BTreeMap<String, String> {
        let mut config = self.config.clone();
        for (key, value) in &self.pending {
            match value {
                Some(value) => config.insert(key.clone(), value.clone()),
                None => config.remove(key),
            };
        }
        config
    }

    pub(crate) fn apply_pending(&mut self) {
        self.config = self.future();
        self.pending.clear();
    }

    pub(crate) fn spec(&self) -> GuestSpec {
        GuestSpec { vmid: self.vmid, container: self.kind.is_container(), config: self.config.clone() }
    }

    /// Disks: option and volume. Drives without a volume and directories of the node are none.
    pub(crate) fn disks(&self) -> Vec<(String, String)> {
        disks(&self.config)
    }

    /// Bytes of an option, by its schema's type in answers.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let main = if self.kind.is_container() { "rootfs" } else { "scsi0" };
        let list = self.config.get(main).or_else(|| self.config.get("virtio0"));
        let list: Option<PropertyString> = list.and_then(|text| text.parse().ok());
        let size = list.and_then(|list| list.get("size").map(str::to_owned)).unwrap_or_default();
        size.parse::<plimsoll_pve::property::Size>().map_or(0, |size| size.0)
    }

    /// What the disks of a simulated guest hold: a small Debian system and what was written into it.
    pub(crate) fn used_bytes(&self) -> u64 {
        const SYSTEM: u64 = 600 << 20;
        let written: usize = self.files.iter().map(|(path, content)| path.len() + content.len()).sum();
        (SYSTEM + written as u64).min(self.disk_bytes())
    }

    pub(crate) fn status(&self, now: i64) -> Map<String, Value> {
        let number = |key: &str, otherwise: u64| {
            self.config.get(key).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
        };
        let on = self.running.is_some();
        let memory = number("memory", 512) << 20;
        let uptime = self.running.map_or(0, |since| (now - since).max(0) / 1000);
        let used = if on { memory / 4 } else { 0 };
        // The node sees into the file system of a container that runs, and of nothing else.
        let disk = if on && self.kind.is_container() { self.used_bytes() } else { 0 };
        let cpus = number("cores", if self.kind.is_container() { 2 } else { 1 }) * number("sockets", 1);
        let value = json!({
            "vmid": self.vmid, "name": self.name(), "status": if on { "running" } else { "stopped" }, "uptime": uptime,
            "cpu": 0, "cpus": cpus, "mem": used, "maxmem": memory, "disk": disk, "maxdisk": self.disk_bytes(),
            "diskread": 0, "diskwrite": 0, "netin": 0, "netout": 0,
        });
        let mut out = value.as_object().cloned().unwrap_or_default();
        let mut put = |key: &str, value: Value| {
            out.insert(key.to_owned(), value);
        };
        if self.kind.is_container() {
            put("type", json!("lxc"));
            put("swap", json!(0));
            put("maxswap", json!(number("swap", 512) << 20));
        }
        if on {
            put("pid", json!(self.pid));
        }
        if let Some(tags) = self.config.get("tags") {
            put("tags", json!(tags));
        }
        if let Some(lock) = &self.lock {
            put("lock", json!(lock));
        }
        if self.is_template() {
            put("template", json!(1));
        }
        out
    }
}

/// Options that hold disks, in a configuration of either kind.
pub(crate) fn is_disk(key: &str) -> bool {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    matches!(stem, "rootfs" | "mp" | "scsi" | "virtio" | "sata" | "ide" | "efidisk" | "tpmstate" | "unused")
}

/// The volume of a disk's value: the default key, whatever it is called.
pub(crate) fn volume_of(value: &str) -> Option<String> {
    let list: PropertyString = value.parse().ok()?;
    let volume = list.bare().or_else(|| list.get("volume")).or_else(|| list.get("file"))?;
    Some(volume.to_owned())
}

/// Puts another volume into a disk's value.
pub(crate) fn with_volume(value: &str, volume: &str) -> String {
    let Ok(mut list) = value.parse::<PropertyString>() else { return volume.to_owned() };
    list.remove("volume");
    list.remove("file");
    list.remove("import-from");
    list.set_bare(volume);
    list.to_string()
}

pub(crate) fn disks(config: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let found = config.iter().filter(|(key, _)| is_disk(key)).filter_map(|(key, value)| {
        let volume = volume_of(value)?;
        let real =
            volume.contains(':') && !volume.starts_with('/') && !value.contains("media=cdrom,file=none");
        real.then(|| (key.clone(), volume))
    });
    found.filter(|(_, volume)| !volume.contains(":iso/")).collect()
}
