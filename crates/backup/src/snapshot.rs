//! Snapshots of a guest.

use plimsoll_pve::api::{CreateSnapshot, DeleteSnapshot, GetSnapshots, HasFeature, Rollback, Snapshot};

use crate::machine::TRIES;
use crate::{BackupError, Machine};

/// How names of our snapshots begin; the number of the release that they were made for comes behind.
pub const SNAPSHOT: &str = "plimsoll-";

impl Machine {
    /// Whether its storages can keep a snapshot.
    pub async fn can_snapshot(&self) -> Result<bool, BackupError> {
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        let request = HasFeature { node, kind, vmid, feature: "snapshot".to_owned(), snapname: None };
        Ok(self.client.read(&request, TRIES).await?.has)
    }

    /// Snapshots that we made, oldest first.
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>, BackupError> {
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        let mut all = self.client.read(&GetSnapshots { node, kind, vmid }, TRIES).await?;
        all.retain(|one| one.name.starts_with(SNAPSHOT));
        all.sort_by_key(|one| one.snaptime);
        Ok(all)
    }

    /// Keeps what is now under a name; gives the node's time of it.
    pub async fn snapshot(&self, name: &str, description: &str) -> Result<u64, BackupError> {
        let create = CreateSnapshot {
            node: self.node.clone(),
            kind: self.kind,
            vmid: self.vmid,
            snapname: name.to_owned(),
            description: Some(description.to_owned()),
        };
        self.finish(&create, "snapshot").await?;
        let made = self.snapshots().await?.into_iter().find(|one| one.name == name);
        let made = made.ok_or_else(|| {
            BackupError::Refused(format!("the node says that the snapshot `{name}` is made, but shows none"))
        })?;
        Ok(made.snaptime.unwrap_or_default())
    }

    /// Takes the guest back to what was kept under a name, and starts it.
    pub async fn roll_back(&self, name: &str) -> Result<(), BackupError> {
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        let back = Rollback { node, kind, vmid, snapname: name.to_owned(), start: None };
        self.finish(&back, "rollback").await?;
        self.start().await
    }

    /// Forgets a snapshot.
    pub async fn forget(&self, name: &str) -> Result<(), BackupError> {
        let (node, kind, vmid) = (self.node.clone(), self.kind, self.vmid);
        let delete = DeleteSnapshot { node, kind, vmid, snapname: name.to_owned(), force: None };
        self.finish(&delete, "delsnapshot").await.map(drop)
    }
}
