//! Guest shares files or users with the node or another guest.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::guests::{Guest, GuestKind, Properties};
use plimsoll_text::Place;

use super::{idmap, variables};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-011",
    name: "shared-with-node",
    title: "Guest shares files or users with the node or another guest",
    theme: Theme::GuestIsolation,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, Container Toolkit, Bind Mount Points",
        url: "https://pve.proxmox.com/pve-docs/chapter-pct.html#_bind_mount_points",
    }],
    doc: include_str!("shared_with_node.md"),
    check,
};

/// Directories that the node needs for itself.
const OWN: &[&str] = &[
    "/", "/boot", "/dev", "/etc", "/lib", "/proc", "/root", "/run", "/sys", "/usr", "/var", "/var/lib",
    "/var/log",
];
/// Single names below the root that are no pool.
const STANDARD: &[&str] = &["/home", "/media", "/mnt", "/opt", "/srv", "/tmp"];

/// A directory that a guest may write.
struct Mount<'a> {
    guest: &'a Guest,
    source: String,
    place: Place,
    set_at: Option<Place>,
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    idmap::check(facts, findings);
    let mounts = writable_mounts(facts);
    let mut pools: BTreeMap<Place, Vec<&Mount<'_>>> = BTreeMap::new();
    let mut owners: BTreeMap<&str, &Mount<'_>> = BTreeMap::new();
    for mount in &mounts {
        let source = mount.source.as_str();
        if OWN.contains(&source) || source.starts_with("/etc/") || source.starts_with("/root/") {
            let finding =
                findings.add(mount.place, format!("`{source}` of the node is writable in the guest"));
            finding.label("a directory that the node lives from").severity(Severity::Critical);
            explain(mount, finding);
        } else if let Some(owner) = owner_of_volume(source)
            .filter(|owner| mount.guest.id.as_ref().is_some_and(|id| id.text != *owner))
        {
            let finding = findings.add(
                mount.place,
                format!("`{source}` belongs to guest {owner} and is writable in another one"),
            );
            finding.label("the disk of another guest");
            explain(mount, finding);
        } else if is_pool(source) {
            pools.entry(mount.guest.place).or_default().push(mount);
        } else if source.starts_with('/') && !source.contains(['$', '{']) {
            match owners.get(source) {
                Some(first) if first.guest.place != mount.guest.place => {
                    let finding =
                        findings.add(mount.place, format!("`{source}` is writable in several guests"));
                    finding.label("the second guest").severity(Severity::Medium);
                    finding.related(first.place, "the first guest");
                    explain(mount, finding);
                }
                _ => {
                    owners.insert(source, mount);
                }
            }
        }
    }
    for mounts in pools.values() {
        let Some((first, rest)) = mounts.split_first() else { continue };
        let finding =
            findings.add(first.place, format!("all of `{}` is writable in the guest", first.source));
        finding.label("a whole pool or file system of the node");
        for other in rest {
            finding.related(other.place, format!("and all of `{}`", other.source));
            if let Some(place) = other.set_at {
                finding.related(place, "set here");
            }
        }
        explain(first, finding);
    }
}

fn explain(mount: &Mount<'_>, finding: &mut crate::Finding) {
    if let Some(place) = mount.set_at {
        finding.related(place, "set here");
    }
    finding
        .note("whoever takes over one service in this guest can read, change and delete what is not its own")
        .help("mount the one directory that the guest needs, with `ro=1` where it only reads");
}

fn writable_mounts(facts: &Facts) -> Vec<Mount<'_>> {
    let mut out = Vec::new();
    for guest in facts.guests.real().filter(|guest| guest.kind == GuestKind::Lxc) {
        for setting in guest.numbered("mp") {
            let (text, set_at) = variables::resolve(facts, &setting.value.text);
            let properties = Properties::parse(&text);
            if properties.is_on("ro") || properties.is_on("read_only") {
                continue;
            }
            let Some(source) = properties.default().or_else(|| properties.get("volume")) else { continue };
            let source = if source.len() > 1 { source.trim_end_matches('/') } else { source };
            out.push(Mount { guest, source: source.to_owned(), place: setting.place, set_at });
        }
    }
    out
}

/// The guest whose disk a volume is, by the name that Proxmox gives it.
fn owner_of_volume(source: &str) -> Option<&str> {
    let name = source.rsplit([':', '/']).next()?;
    let (head, _) = name.split_once("-disk-")?;
    let id = head.strip_prefix("subvol-").or_else(|| head.strip_prefix("vm-"))?;
    (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).then_some(id)
}

fn is_pool(source: &str) -> bool {
    source.strip_prefix('/').is_some_and(|name| {
        !name.is_empty() && !name.contains(['/', '$', '{']) && !STANDARD.contains(&source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_name_their_guest_and_pools_stand_at_the_root() {
        assert_eq!(owner_of_volume("local-zfs:subvol-200-disk-1"), Some("200"));
        assert_eq!(owner_of_volume("local-zfs:8"), None);
        assert!(is_pool("/tank") && !is_pool("/srv") && !is_pool("/tank/media"));
    }
}
