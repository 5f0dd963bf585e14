//! Docker runs on the root of an LXC guest on ZFS.

use std::sync::LazyLock;

use plimsoll_model::Facts;
use plimsoll_model::guests::{GuestKind, Setting};
use plimsoll_text::{Phrases, Place};

use crate::guest_isolation::docker_installed_in;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "PRF-004",
    name: "docker-on-zfs",
    title: "Docker runs on the root of an LXC guest on ZFS",
    theme: Theme::Performance,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker documentation, Select a storage driver",
        url: "https://docs.docker.com/engine/storage/drivers/select-storage-driver/",
    }],
    doc: include_str!("docker_on_zfs.md"),
    check,
};

/// What takes Docker's layers off ZFS.
static HANDLED: LazyLock<Phrases> =
    LazyLock::new(|| Phrases::new(&["fuse-overlayfs", "storage-driver", "mkfs.ext4"]));

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for guest in facts.guests.real().filter(|guest| guest.kind == GuestKind::Lxc && guest.created) {
        let on_zfs = |setting: &&Setting| {
            let text = setting.value.text.to_lowercase();
            text.contains("zfs") || text.contains("rpool")
        };
        let Some(storage) = ["rootfs", "storage"].iter().filter_map(|key| guest.setting(key)).find(on_zfs)
        else {
            continue;
        };
        let Some(docker) = docker_installed_in(facts, guest).or_else(|| named_for_docker(facts, guest.place))
        else {
            continue;
        };
        if facts.files.iter().any(|(_, file)| HANDLED.are_in(file)) {
            return;
        }
        let finding = findings
            .add(storage.place, "the guest's root is a ZFS file system, and Docker keeps its layers there");
        finding.label("on ZFS").related(docker, "Docker runs in this guest");
        for source in &storage.value.sources {
            if let plimsoll_model::commands::Source::Default { place, .. } = source {
                finding.related(*place, "the storage is chosen here");
            }
        }
        finding
            .note("before ZFS 2.2, overlay file systems do not work on it: Docker falls back to `vfs`, which copies every layer whole")
            .help("check `docker info` for `overlay2` or `overlayfs`; else give `/var/lib/docker` an ext4 volume, or use a VM");
    }
}

/// Files whose resource or path says that the guest is for Docker.
fn named_for_docker(facts: &Facts, place: Place) -> Option<Place> {
    facts.path(place.file).as_str().contains("docker").then_some(place)
}
