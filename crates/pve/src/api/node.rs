//! One node.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::request::requests;
use crate::api::NodeVersion;
use crate::values::{flag, maybe_number, number};

/// A node in the list of nodes.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeEntry {
    /// Its name.
    pub node: String,
    /// `online`, `offline` or `unknown`.
    pub status: String,
    /// SHA-256 of the certificate that it shows.
    #[serde(default)]
    pub ssl_fingerprint: Option<String>,
    /// Most memory, in bytes.
    #[serde(default, deserialize_with = "maybe_number")]
    pub maxmem: Option<u64>,
    /// Processors.
    #[serde(default, deserialize_with = "maybe_number")]
    pub maxcpu: Option<u64>,
}

/// A node's clock.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeTime {
    /// Seconds since 1970.
    #[serde(deserialize_with = "number")]
    pub time: u64,
    /// Name of the time zone.
    pub timezone: String,
}

/// A network interface or bridge of a node.
#[derive(Clone, Debug, Deserialize)]
pub struct NetworkEntry {
    /// Its name.
    pub iface: String,
    /// `bridge`, `eth`, `bond`, `vlan` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it is up.
    #[serde(default, deserialize_with = "flag")]
    pub active: bool,
    /// Its address with its length.
    #[serde(default)]
    pub cidr: Option<String>,
    /// The gateway behind it.
    #[serde(default)]
    pub gateway: Option<String>,
}

/// A certificate of a node.
#[derive(Clone, Debug, Deserialize)]
pub struct Certificate {
    /// `pve-root-ca.pem`, `pve-ssl.pem` or `pveproxy-ssl.pem`.
    pub filename: String,
    /// SHA-256.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// Whom it names.
    #[serde(default)]
    pub subject: Option<String>,
    /// When it runs out, seconds since 1970.
    #[serde(default, deserialize_with = "maybe_number")]
    pub notafter: Option<u64>,
    /// The certificate itself.
    #[serde(default)]
    pub pem: Option<String>,
}

/// A template that the node knows how to download.
#[derive(Clone, Debug, Deserialize)]
pub struct ApplianceEntry {
    /// File name, which changes with each release of the template.
    pub template: String,
    /// `system` or `turnkeylinux`.
    pub section: String,
    /// Its digest.
    #[serde(default)]
    pub sha512sum: Option<String>,
}

requests! {
    /// Nodes of the cluster.
    GetNodes = Get "/nodes" -> Vec<NodeEntry> {}

    /// Load, memory, kernel and processors of a node.
    GetNodeStatus = Get "/nodes/{node}/status" -> Map<String, Value> {
        node: String = "node",
    }

    /// A node's release. Nodes of a cluster may differ.
    GetNodeVersion = Get "/nodes/{node}/version" -> NodeVersion {
        node: String = "node",
    }

    /// A node's clock.
    GetNodeTime = Get "/nodes/{node}/time" -> NodeTime {
        node: String = "node",
    }

    /// Network interfaces and bridges, as far as the caller may use or see them.
    GetNetwork = Get "/nodes/{node}/network" -> Vec<NetworkEntry> {
        node: String = "node",
        kind: Option<String> = "type",
    }

    /// Certificates of a node.
    GetCertificates = Get "/nodes/{node}/certificates/info" -> Vec<Certificate> {
        node: String = "node",
    }

    /// Templates that the node's index lists. The index of a node that has long been offline is old.
    GetAppliances = Get "/nodes/{node}/aplinfo" -> Vec<ApplianceEntry> {
        node: String = "node",
    }

    /// Downloads a template of the index.
    DownloadAppliance = Post "/nodes/{node}/aplinfo" -> crate::Upid {
        node: String = "node",
        storage: String = "storage",
        template: String = "template",
    }
}
