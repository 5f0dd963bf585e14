//! The storage that holds backups.

use std::collections::BTreeSet;
use std::sync::Arc;

use plimsoll_pve::api::{
    DeleteVolume, ExtractConfig, GetContent, GuestKind, LxcCreate, QemuCreate, Volume, Vzdump,
};
use plimsoll_pve::property::PropertyString;
use plimsoll_pve::{Client, GuestConfig, Upid, Vmid};

use crate::machine::TRIES;
use crate::vmid::of_archive;
use crate::{BackupError, Label, Machine};

/// A backup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// `storage:backup/…`
    pub volume: String,
    /// The guest that it was made of.
    pub vmid: Option<Vmid>,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Bytes on the storage.
    pub bytes: u64,
    /// Remarks.
    pub notes: String,
    /// Whether pruning leaves it alone.
    pub protected: bool,
}

impl Stored {
    fn of(volume: Volume) -> Self {
        let vmid = volume.vmid.or_else(|| of_archive(&volume.volid).map(|(_, vmid)| vmid));
        Self {
            vmid,
            at: volume.ctime.unwrap_or_default(),
            bytes: volume.size.unwrap_or_default(),
            notes: volume.notes.unwrap_or_default(),
            protected: volume.protected,
            volume: volume.volid,
        }
    }

    /// Whose it is, where it says so.
    #[must_use]
    pub fn label(&self) -> Option<Label> {
        Label::find(&self.notes)
    }
}

/// A restore in the place of the guest that was there.
#[derive(Clone, Debug, Default)]
pub struct Overwrite {
    /// The storage of its disks; that of the backup when nothing is said.
    pub storage: Option<String>,
    /// The pool that it comes into where there was none before.
    pub pool: Option<String>,
}

/// The storage that holds backups.
#[derive(Clone)]
pub struct Shelf {
    /// The node's API.
    pub client: Arc<Client>,
    /// The node that is asked.
    pub node: String,
    /// The storage's name.
    pub storage: String,
}

impl Shelf {
    /// Backups of a guest, and those that say that they are of this app's target; the newest first.
    pub async fn list(
        &self,
        vmid: Option<Vmid>,
        app: &str,
        target: &str,
    ) -> Result<Vec<Stored>, BackupError> {
        let request = GetContent {
            node: self.node.clone(),
            storage: self.storage.clone(),
            content: Some("backup".to_owned()),
            vmid: None,
        };
        let volumes = self.client.read(&request, TRIES).await?;
        let all = volumes.into_iter().map(Stored::of);
        let is_of = |one: &Stored| match one.label() {
            Some(label) => label.is_of(app, target),
            // A number may have been another guest's before; nothing says so.
            None => vmid.is_some() && one.vmid == vmid,
        };
        let mut found: Vec<Stored> = all.filter(is_of).collect();
        found.sort_by(|a, b| (b.at, &b.volume).cmp(&(a.at, &a.volume)));
        Ok(found)
    }

    /// Backs the guest up and reads back what the backup says of it.
    pub async fn take(
        &self,
        machine: &Machine,
        label: &Label,
        protected: bool,
    ) -> Result<Stored, BackupError> {
        let list = || self.list(Some(machine.vmid), &label.app, &label.target);
        let before: BTreeSet<String> = list().await?.into_iter().map(|one| one.volume).collect();
        let newest = machine.newest("dump").await?;
        let dump = Vzdump {
            node: self.node.clone(),
            vmid: Some(machine.vmid.to_string()),
            storage: Some(self.storage.clone()),
            mode: Some("snapshot".to_owned()),
            compress: Some("zstd".to_owned()),
            notes_template: Some(label.to_string()),
            protected: protected.then_some(true),
            // What the storage keeps is not for this backup to decide.
            remove: Some(false),
            bwlimit: None,
        };
        let upid: Option<Upid> = match self.client.read(&dump, TRIES).await {
            Ok(answer) => answer.parse().ok(),
            Err(error) if error.outcome_unknown() => {
                Some(machine.started("dump", newest.as_ref()).await?.ok_or(BackupError::Api(error))?)
            }
            Err(error) => return Err(error.into()),
        };
        let Some(upid) = upid else {
            let (vmid, node) = (machine.vmid, &self.node);
            return Err(BackupError::Refused(format!("guest {vmid} is not on the node {node}")));
        };
        machine.wait(&upid).await?;
        let made = list().await?.into_iter().find(|one| !before.contains(&one.volume));
        let made = made.ok_or_else(|| {
            BackupError::Refused(format!(
                "the node says that the backup is done, but `{}` holds no new one",
                self.storage
            ))
        })?;
        let kept = self.config(&made).await?;
        let (own, disk) =
            (machine.config().await?, if machine.kind == GuestKind::Lxc { "rootfs" } else { "boot" });
        if made.bytes == 0 || kept.text(disk).is_some() != own.text(disk).is_some() {
            return Err(BackupError::Refused(format!("the backup `{}` is not whole", made.volume)));
        }
        Ok(made)
    }

    /// The configuration of the guest inside a backup.
    pub async fn config(&self, stored: &Stored) -> Result<GuestConfig, BackupError> {
        let request = ExtractConfig { node: self.node.clone(), volume: stored.volume.clone() };
        let text = self.client.read(&request, TRIES).await?;
        let lines = text.lines().take_while(|line| !line.starts_with('['));
        let pairs = lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
        Ok(GuestConfig(pairs.map(|(key, value)| (key.to_owned(), value.trim().into())).collect()))
    }

    /// Takes a backup away.
    pub async fn remove(&self, stored: &Stored, machine: &Machine) -> Result<(), BackupError> {
        let volume = stored.volume.split_once(':').map_or(stored.volume.as_str(), |(_, name)| name);
        let request = DeleteVolume {
            node: self.node.clone(),
            storage: self.storage.clone(),
            volume: volume.to_owned(),
            delay: Some(5),
        };
        if let Some(upid) = self.client.call(&request).await? {
            machine.wait(&upid).await?;
        }
        Ok(())
    }

    /// Makes the guest of a number out of a backup; a stopped guest that has the number is replaced.
    pub async fn restore(
        &self,
        stored: &Stored,
        machine: &Machine,
        over: &Overwrite,
    ) -> Result<(), BackupError> {
        let (node, vmid) = (machine.node.clone(), machine.vmid);
        let there = Machine::find(&machine.client, &node, vmid, &machine.line).await?.is_some();
        let pool = over.pool.clone().filter(|_| !there);
        match machine.kind {
            GuestKind::Lxc => {
                let kept = self.config(stored).await?;
                let create = LxcCreate {
                    node,
                    vmid,
                    ostemplate: stored.volume.clone(),
                    restore: Some(true),
                    force: there.then_some(true),
                    unprivileged: kept.flag("unprivileged"),
                    storage: over.storage.clone(),
                    pool,
                    ..LxcCreate::default()
                };
                machine.finish(&create, "restore").await?;
            }
            GuestKind::Qemu => {
                let create = QemuCreate {
                    node,
                    vmid,
                    archive: Some(stored.volume.clone()),
                    force: there.then_some(true),
                    storage: over.storage.clone(),
                    pool,
                    ..QemuCreate::default()
                };
                machine.finish(&create, "restore").await?;
            }
        }
        Ok(())
    }

    /// Makes another guest out of a backup, with other cards' addresses and nothing in its description, and leaves it stopped.
    pub async fn restore_copy(
        &self,
        stored: &Stored,
        machine: &Machine,
        over: &Overwrite,
    ) -> Result<(), BackupError> {
        let kept = self.config(stored).await?;
        let name = kept.text(if machine.kind == GuestKind::Lxc { "hostname" } else { "name" });
        let beside = Beside {
            name: format!("{}-{}", name.unwrap_or_else(|| "guest".to_owned()), machine.vmid),
            description: format!("Restored from {}.\n", stored.volume),
            over: over.clone(),
            isolated: None,
        };
        self.restore_beside(stored, machine, beside).await
    }

    /// Makes another guest out of a backup, beside the one that it was made of.
    pub(crate) async fn restore_beside(
        &self,
        stored: &Stored,
        machine: &Machine,
        beside: Beside,
    ) -> Result<(), BackupError> {
        let (node, vmid) = (machine.node.clone(), machine.vmid);
        let kept = self.config(stored).await?;
        let Beside { name, description, over, isolated } = beside;
        let nets = kept.numbered("net");
        let nets = nets
            .into_iter()
            .filter_map(|(number, text)| Some((number, isolated.as_ref()?.card(number, &text))));
        match machine.kind {
            GuestKind::Lxc => {
                let create = LxcCreate {
                    node,
                    vmid,
                    ostemplate: stored.volume.clone(),
                    restore: Some(true),
                    unique: Some(true),
                    unprivileged: kept.flag("unprivileged"),
                    storage: over.storage,
                    pool: over.pool,
                    hostname: Some(name),
                    description: Some(description),
                    onboot: Some(false),
                    protection: Some(false),
                    nets: nets.filter_map(|(number, card)| Some((number, card.parse().ok()?))).collect(),
                    ..LxcCreate::default()
                };
                machine.finish(&create, "restore").await?;
            }
            GuestKind::Qemu => {
                let create = QemuCreate {
                    node,
                    vmid,
                    archive: Some(stored.volume.clone()),
                    unique: Some(true),
                    storage: over.storage,
                    pool: over.pool,
                    name: Some(name),
                    description: Some(description),
                    onboot: Some(false),
                    protection: Some(false),
                    nets: nets.filter_map(|(number, card)| Some((number, card.parse().ok()?))).collect(),
                    ..QemuCreate::default()
                };
                machine.finish(&create, "restore").await?;
            }
        }
        Ok(())
    }
}

/// What another guest out of a backup is.
pub(crate) struct Beside {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) over: Overwrite,
    /// None leaves its cards as they were.
    pub(crate) isolated: Option<Isolation>,
}

/// How a guest out of a backup is kept away from everybody.
pub(crate) struct Isolation {
    /// The address of its first card, with its length; none leaves all cables unplugged.
    pub(crate) address: Option<String>,
    /// Its way out; none leaves it in its own network.
    pub(crate) gateway: Option<String>,
}

impl Isolation {
    /// A card of the backup, changed so that nobody takes the guest for the one that it was.
    fn card(&self, number: u16, text: &str) -> String {
        let Ok(mut list) = text.parse::<PropertyString>() else { return text.to_owned() };
        for key in ["hwaddr", "ip6", "gw6", "gw"] {
            list.remove(key);
        }
        match &self.address {
            Some(address) if number == 0 => {
                list.set("ip", address.clone());
                if let Some(gateway) = &self.gateway {
                    list.set("gw", gateway.clone());
                }
                list.remove("link_down");
            }
            _ => {
                list.set("link_down", "1");
            }
        }
        list.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guest_out_of_a_backup_has_no_address_that_another_has() {
        let card = "name=eth0,bridge=vmbr0,gw=10.0.0.1,hwaddr=BC:24:11:00:00:01,ip=10.0.0.7/24,type=veth";
        let apart = Isolation { address: None, gateway: None };
        let down = apart.card(0, card);
        assert!(!down.contains("hwaddr") && !down.contains("gw=") && down.contains("link_down=1"), "{down}");
        let near = Isolation { address: Some("10.0.0.9/24".to_owned()), gateway: None };
        let other = near.card(0, card);
        assert!(other.contains("ip=10.0.0.9/24") && !other.contains("gw=") && !other.contains("link_down"));
        assert!(near.card(1, card).contains("link_down=1"), "the others stay unplugged");
    }
}
