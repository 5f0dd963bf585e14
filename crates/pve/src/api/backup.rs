//! Backups now and by schedule.

use serde::Deserialize;

use super::request::requests;
use crate::Vmid;
use crate::values::flag;

/// A job that makes backups.
#[derive(Clone, Debug, Deserialize)]
pub struct BackupJob {
    /// Its name.
    pub id: String,
    /// When.
    #[serde(default)]
    pub schedule: Option<String>,
    /// Where to.
    #[serde(default)]
    pub storage: Option<String>,
    /// Guests with commas between them.
    #[serde(default)]
    pub vmid: Option<String>,
    /// Remarks.
    #[serde(default)]
    pub comment: Option<String>,
    /// Whether it is switched on.
    #[serde(default = "on", deserialize_with = "flag")]
    pub enabled: bool,
    /// What the notes of its backups say.
    #[serde(default, rename = "notes-template")]
    pub notes_template: Option<String>,
    /// Whether all guests.
    #[serde(default, deserialize_with = "flag")]
    pub all: bool,
    /// Which are kept.
    #[serde(default, rename = "prune-backups")]
    pub prune: Option<serde_json::Value>,
}

/// A job that says nothing of it is switched on.
const fn on() -> bool {
    true
}

/// A guest that no job backs up.
#[derive(Clone, Debug, Deserialize)]
pub struct NotBackedUp {
    /// Its number.
    pub vmid: Vmid,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// `lxc` or `qemu`.
    #[serde(rename = "type")]
    pub kind: String,
}

requests! {
    /// Backs guests up. It must be asked of the node that runs them: another answers `OK` and does nothing. Unless `remove` is off,
    /// older backups are pruned.
    #[derive(Default)]
    Vzdump = Post "/nodes/{node}/vzdump" -> String {
        node: String = "node",
        vmid: Option<String> = "vmid",
        storage: Option<String> = "storage",
        mode: Option<String> = "mode",
        compress: Option<String> = "compress",
        notes_template: Option<String> = "notes-template",
        protected: Option<bool> = "protected",
        remove: Option<bool> = "remove",
        bwlimit: Option<u32> = "bwlimit",
    }

    /// The configuration inside a backup.
    ExtractConfig = Get "/nodes/{node}/vzdump/extractconfig" -> String {
        node: String = "node",
        volume: String = "volume",
    }

    /// Jobs that make backups.
    GetBackupJobs = Get "/cluster/backup" -> Vec<BackupJob> {}

    /// Adds a job.
    #[derive(Default)]
    CreateBackupJob = Post "/cluster/backup" -> () {
        id: Option<String> = "id",
        schedule: Option<String> = "schedule",
        storage: Option<String> = "storage",
        vmid: Option<String> = "vmid",
        all: Option<bool> = "all",
        pool: Option<String> = "pool",
        mode: Option<String> = "mode",
        compress: Option<String> = "compress",
        enabled: Option<bool> = "enabled",
        prune: Option<String> = "prune-backups",
        notes_template: Option<String> = "notes-template",
        comment: Option<String> = "comment",
    }

    /// Changes a job; what is not said stays.
    #[derive(Default)]
    UpdateBackupJob = Put "/cluster/backup/{id}" -> () {
        id: String = "id",
        schedule: Option<String> = "schedule",
        storage: Option<String> = "storage",
        vmid: Option<String> = "vmid",
        pool: Option<String> = "pool",
        mode: Option<String> = "mode",
        compress: Option<String> = "compress",
        enabled: Option<bool> = "enabled",
        prune: Option<String> = "prune-backups",
        notes_template: Option<String> = "notes-template",
        comment: Option<String> = "comment",
    }

    /// Takes a job away.
    DeleteBackupJob = Delete "/cluster/backup/{id}" -> () {
        id: String = "id",
    }

    /// Guests that no job backs up.
    GetNotBackedUp = Get "/cluster/backup-info/not-backed-up" -> Vec<NotBackedUp> {}
}
