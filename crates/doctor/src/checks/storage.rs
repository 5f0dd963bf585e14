//! Storages, and what a guest is made from.

use plimsoll_config::{Guest, Target};
use plimsoll_pve::api::StorageEntry;

use super::gib;
use crate::Place;
use crate::check::Check;
use crate::look::{Seen, image_of};
use crate::needs::{Needs, path};
use crate::work::{Kind, Work};

/// A storage among those that are seen, or why it is not.
fn find<'a>(
    name: &'static str,
    seen: &'a Seen,
    work: &Work,
    place: Place,
    storage: &str,
) -> Result<&'a StorageEntry, Check> {
    let all = seen.storages.as_ref().map_err(|error| Check::unknown(name, error.clone()))?;
    if let Some(found) = all.iter().find(|one| one.storage.as_deref() == Some(storage)) {
        return Ok(found);
    }
    // A node lists what the token may see.
    if lacks(seen, work, place) {
        return Err(Check::unknown(name, format!("the token may not see the storage {storage}")));
    }
    let names: Vec<&str> = all.iter().filter_map(|one| one.storage.as_deref()).collect();
    let others =
        if names.is_empty() { String::new() } else { format!("; the token sees {}", names.join(", ")) };
    Err(Check::failed(name, format!("there is no storage {storage} on {}{others}", work.node))
        .fix("correct its name in `plimsoll.yaml`"))
}

/// Whether privileges are missing on a place.
pub(super) fn lacks(seen: &Seen, work: &Work, place: Place) -> bool {
    let Ok(answer) = &seen.permissions else { return true };
    let at = path(work, place);
    Needs::of(work).missing(answer, work).iter().any(|missing| Some(&missing.path) == at.as_ref())
}

/// What a guest takes at least: its system, the engine, some images.
const LEAST: u64 = 4 << 30;

pub(super) fn storage(target: &Target, seen: &Seen) -> Option<Check> {
    const NAME: &str = "storage";
    let (work, new) = match (&seen.work, &target.guest) {
        (Some(work), Guest::Vm(new) | Guest::Lxc(new) | Guest::Oci(new)) => (work, new),
        _ => return None,
    };
    let entry = match find(NAME, seen, work, Place::Disk, &new.storage) {
        Ok(entry) => entry,
        Err(check) => return Some(check),
    };
    Some(usable(NAME, entry, if work.kind == Kind::Lxc { "rootdir" } else { "images" }, &new.storage).unwrap_or_else(|| {
        let Some(free) = entry.avail else {
            return Check::unknown(NAME, format!("{} does not say how much is free", new.storage));
        };
        let (name, wanted) = (&new.storage, new.disk);
        let evidence = format!("{name} has {} free, and the disk may grow to {wanted}", gib(free));
        if free >= wanted.0 {
            Check::fine(NAME, evidence)
        } else if entry.kind == "lvm" || free < LEAST {
            Check::failed(NAME, evidence).fix("free space there, or give another `storage` or a smaller `disk`")
        } else {
            Check::warning(NAME, evidence)
                .fix("a storage that runs full stops every guest on it: free space there, or give a smaller `disk`")
        }
    }))
}

/// What stands against a storage.
fn usable(name: &'static str, entry: &StorageEntry, content: &str, storage: &str) -> Option<Check> {
    if !entry.enabled || !entry.active {
        let state = if entry.enabled { "cannot be reached" } else { "is switched off" };
        return Some(
            Check::failed(name, format!("{storage} {state}")).fix("`pvesm status` on the node says more"),
        );
    }
    if entry.holds(content) {
        return None;
    }
    let what = match content {
        "rootdir" => "disks of containers (`rootdir`)",
        "images" => "disks of machines (`images`)",
        other => other,
    };
    let now = if entry.content.is_empty() { "nothing" } else { &entry.content };
    Some(
        Check::failed(name, format!("{storage} does not take {what}; it takes {now}"))
            .fix("give another storage, or allow it on the node, as root:")
            .commands(vec![format!("pvesm set {storage} --content {now},{content}")]),
    )
}

pub(super) fn backups(target: &Target, seen: &Seen) -> Option<Check> {
    const NAME: &str = "backups";
    let (work, storage) = (seen.work.as_ref()?, &target.backup.as_ref()?.storage);
    let entry = match find(NAME, seen, work, Place::Backups, storage) {
        Ok(entry) => entry,
        Err(check) => return Some(check),
    };
    let free = entry.avail.map(|free| format!("{storage} has {} free", gib(free)));
    Some(
        usable(NAME, entry, "backup", storage)
            .unwrap_or_else(|| Check::fine(NAME, free.unwrap_or_else(|| format!("{storage} takes backups")))),
    )
}

pub(super) fn image(target: &Target, seen: &Seen) -> Option<Check> {
    const NAME: &str = "image";
    let work = seen.work.as_ref().filter(|work| work.kind != Kind::Adopted)?;
    let images = match &seen.images {
        Ok(images) => images,
        Err(error) => return Some(Check::unknown(NAME, error.clone())),
    };
    if let Some(image) = image_of(target, images) {
        return Some(Check::fine(NAME, format!("{image} is there")));
    }
    if lacks(seen, work, Place::Templates) {
        let storage = work.templates.as_ref().map(|templates| templates.storage.as_str()).unwrap_or_default();
        return Some(Check::unknown(NAME, format!("the token may not see what {storage} holds")));
    }
    let (Guest::Vm(new) | Guest::Lxc(new) | Guest::Oci(new)) = &target.guest else { return None };
    match &new.image {
        Some(url) if url.starts_with("https://") => {
            return Some(Check::fine(NAME, format!("the node downloads {url} when the guest is made")));
        }
        Some(volume) => {
            return Some(
                Check::failed(NAME, format!("{volume} is not there")).fix("correct `image`, or upload it"),
            );
        }
        None => {}
    }
    if work.kind == Kind::Vm {
        return Some(
            Check::failed(NAME, "the node has no cloud image of Debian 13")
                .fix("download `debian-13-genericcloud-amd64.qcow2` into a storage that takes `import`"),
        );
    }
    let offered = seen.offered.as_ref().map(Vec::as_slice).unwrap_or_default();
    let newest = offered.iter().map(|one| one.template.as_str());
    Some(match newest.filter(|name| name.starts_with("debian-13-standard_")).max() {
        Some(name) => Check::fine(NAME, format!("the node downloads {name} when the guest is made")),
        None => Check::failed(NAME, "the node has no template of Debian 13 and knows none to download")
            .fix("let it renew its index, on the node, as root:")
            .commands(vec!["pveam update".to_owned()]),
    })
}
