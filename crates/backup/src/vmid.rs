//! Numbers of guests.

use plimsoll_pve::api::{GuestKind, NextId};
use plimsoll_pve::{Client, Vmid};

use crate::BackupError;

/// A number that no guest has.
pub async fn next_free(client: &Client) -> Result<Vmid, BackupError> {
    Ok(client.read(&NextId { vmid: None }, 4).await?)
}

/// The guest of a backup, by the name that the node gives backups: `store:backup/vzdump-lxc-105-…`, and
/// `store:backup/ct/105/…` on a Proxmox Backup Server.
#[must_use]
pub fn of_archive(volume: &str) -> Option<(GuestKind, Vmid)> {
    let name = volume.split_once(':')?.1.strip_prefix("backup/")?;
    let (kind, rest) = match name.strip_prefix("vzdump-") {
        Some(rest) => rest.split_once('-')?,
        None => name.split_once('/')?,
    };
    let kind = match kind {
        "lxc" | "ct" => GuestKind::Lxc,
        "qemu" | "vm" => GuestKind::Qemu,
        _ => return None,
    };
    let number = rest.split(['-', '/']).next()?.parse().ok()?;
    Some((kind, Vmid(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_backup_says_whose_it_is() {
        let of = |name: &str| of_archive(name).map(|(kind, vmid)| (kind.to_string(), vmid.0));
        let lxc = of("local:backup/vzdump-lxc-105-2026_08_01-12_00_00.tar.zst");
        assert_eq!(lxc, Some(("lxc".to_owned(), 105)));
        assert_eq!(of("pbs:backup/vm/204/2026-08-01T12:00:00Z"), Some(("qemu".to_owned(), 204)));
        for wrong in ["", "local:iso/x.iso", "local:backup/vzdump-openvz-1-x", "local:backup/vzdump-lxc-x"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
