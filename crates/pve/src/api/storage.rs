//! Storages and what they hold.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::request::requests;
use crate::values::{flag, maybe_number};
use crate::{Upid, Vmid};

/// A storage as a node sees it.
#[derive(Clone, Debug, Deserialize)]
pub struct StorageEntry {
    /// Its name. The answer about one storage leaves it out.
    #[serde(default)]
    pub storage: Option<String>,
    /// `dir`, `lvmthin`, `zfspool` …
    #[serde(rename = "type")]
    pub kind: String,
    /// What it may hold, with commas between: `rootdir`, `images`, `vztmpl`, `iso`, `backup`, `snippets`, `import`.
    #[serde(default)]
    pub content: String,
    /// Whether it can be reached. Sizes are missing when it cannot.
    #[serde(default, deserialize_with = "flag")]
    pub active: bool,
    /// Whether it may be used.
    #[serde(default, deserialize_with = "flag")]
    pub enabled: bool,
    /// Whether all nodes see the same.
    #[serde(default, deserialize_with = "flag")]
    pub shared: bool,
    /// Size in bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub total: Option<u64>,
    /// Used bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub used: Option<u64>,
    /// Free bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub avail: Option<u64>,
}

impl StorageEntry {
    /// Whether it may hold a kind of content.
    pub fn holds(&self, content: &str) -> bool {
        self.content.split(',').any(|kind| kind == content)
    }
}

/// A volume, template, image or backup.
#[derive(Clone, Debug, Deserialize)]
pub struct Volume {
    /// `storage:name`.
    pub volid: String,
    /// What it is.
    #[serde(default)]
    pub content: Option<String>,
    /// `raw`, `qcow2`, `tzst`, `iso` …
    #[serde(default)]
    pub format: Option<String>,
    /// Bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub size: Option<u64>,
    /// Seconds since 1970.
    #[serde(default, deserialize_with = "maybe_number")]
    pub ctime: Option<u64>,
    /// The guest that it belongs to.
    #[serde(default)]
    pub vmid: Option<Vmid>,
    /// A remark.
    #[serde(default)]
    pub notes: Option<String>,
    /// Whether pruning leaves it alone.
    #[serde(default, deserialize_with = "flag")]
    pub protected: bool,
}

/// What a download would bring.
#[derive(Clone, Debug, Deserialize)]
pub struct UrlMetadata {
    /// The name that the server gives it.
    #[serde(default)]
    pub filename: Option<String>,
    /// Bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub size: Option<u64>,
    /// Its media type.
    #[serde(default)]
    pub mimetype: Option<String>,
}

requests! {
    /// Storages of a node.
    #[derive(Default)]
    GetStorages = Get "/nodes/{node}/storage" -> Vec<StorageEntry> {
        node: String = "node",
        content: Option<String> = "content",
        enabled: Option<bool> = "enabled",
        storage: Option<String> = "storage",
    }

    /// One storage of a node.
    GetStorageStatus = Get "/nodes/{node}/storage/{storage}/status" -> StorageEntry {
        node: String = "node",
        storage: String = "storage",
    }

    /// What a storage holds.
    GetContent = Get "/nodes/{node}/storage/{storage}/content" -> Vec<Volume> {
        node: String = "node",
        storage: String = "storage",
        content: Option<String> = "content",
        vmid: Option<Vmid> = "vmid",
    }

    /// One volume.
    GetVolume = Get "/nodes/{node}/storage/{storage}/content/{volume}" -> Map<String, Value> {
        node: String = "node",
        storage: String = "storage",
        volume: String = "volume",
    }

    /// Takes a volume away: a task, or nothing when it is quick.
    DeleteVolume = Delete "/nodes/{node}/storage/{storage}/content/{volume}" -> Option<Upid> {
        node: String = "node",
        storage: String = "storage",
        volume: String = "volume",
        delay: Option<u32> = "delay",
    }

    /// Lets the node download a file.
    #[derive(Default)]
    DownloadUrl = Post "/nodes/{node}/storage/{storage}/download-url" -> Upid {
        node: String = "node",
        storage: String = "storage",
        url: String = "url",
        content: String = "content",
        filename: String = "filename",
        checksum: Option<String> = "checksum",
        checksum_algorithm: Option<String> = "checksum-algorithm",
        compression: Option<String> = "compression",
        verify_certificates: Option<bool> = "verify-certificates",
    }

    /// Asks the node what a download would bring.
    QueryUrl = Get "/nodes/{node}/query-url-metadata" -> UrlMetadata {
        node: String = "node",
        url: String = "url",
        verify_certificates: Option<bool> = "verify-certificates",
    }

    /// Lets the node fetch an image of an OCI registry as a template. A tag is needed; digests and credentials are not taken.
    OciPull = Post "/nodes/{node}/storage/{storage}/oci-registry-pull" since V9_1 -> Upid {
        node: String = "node",
        storage: String = "storage",
        reference: String = "reference",
        filename: Option<String> = "filename",
    }

    /// Storages of the datacenter, as configured.
    GetStorageConfigs = Get "/storage" -> Vec<Map<String, Value>> {
        kind: Option<String> = "type",
    }

    /// One storage as configured.
    GetStorageConfig = Get "/storage/{storage}" -> Map<String, Value> {
        storage: String = "storage",
    }

    /// Adds a storage. What its type needs goes into `options`.
    CreateStorage = Post "/storage" -> Map<String, Value> {
        storage: String = "storage",
        kind: String = "type",
        content: Option<String> = "content",
        options: BTreeMap<String, String> = "",
    }

    /// Changes a storage.
    UpdateStorage = Put "/storage/{storage}" -> Map<String, Value> {
        storage: String = "storage",
        content: Option<String> = "content",
        disable: Option<bool> = "disable",
        options: BTreeMap<String, String> = "",
    }

    /// Takes a storage out of the configuration. What it holds stays.
    DeleteStorage = Delete "/storage/{storage}" -> () {
        storage: String = "storage",
    }
}
