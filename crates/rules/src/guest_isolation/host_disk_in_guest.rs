//! Disk of the node is passed into an LXC guest.

use plimsoll_model::Facts;
use plimsoll_model::guests::GuestKind;
use plimsoll_text::Place;

use super::{devices, raw};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-009",
    name: "host-disk-in-guest",
    title: "Disk of the node is passed into an LXC guest",
    theme: Theme::GuestIsolation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, Container Toolkit, Security Considerations",
        url: "https://pve.proxmox.com/pve-docs/chapter-pct.html#_security_considerations",
    }],
    doc: include_str!("host_disk_in_guest.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: Vec<(Place, String, Option<Place>)> = Vec::new();
    for guest in facts.guests.real().filter(|guest| guest.kind == GuestKind::Lxc) {
        for setting in guest.numbered("dev") {
            let path = setting.value.text.split(',').next().unwrap_or_default().trim_start_matches("path=");
            found.push((setting.place, path.to_owned(), guest.privileged()));
        }
    }
    for line in raw::lines(facts).into_iter().filter(|line| line.key == "lxc.mount.entry" && !line.documented)
    {
        let path = line.value.split_whitespace().next().unwrap_or_default().to_owned();
        let privileged = line.privileged(facts);
        found.push((line.place, path, privileged));
    }
    for (place, path, privileged) in found.into_iter().filter(|(_, path, _)| devices::is_disk(path)) {
        let finding = findings.add(place, format!("`{path}` of the node is passed into the guest"));
        finding.label("a raw disk of the node");
        if path.contains("/dev/sg") {
            finding.note("`/dev/sg0` is the first SCSI device that the node finds, most often its system disk and not the drive that is meant");
        }
        if let Some(privileged) = privileged {
            finding.related(privileged, "the guest is privileged, so its root may write to it");
        }
        finding
            .note("programs in the guest read and write the disk past the file system of the node, which can destroy it and everything on it")
            .help("mount a directory of the disk instead (`--mp0 /mnt/DISK,mp=/PATH`), or give the whole disk to a VM");
    }
}
