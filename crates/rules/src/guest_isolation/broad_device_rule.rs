//! Device rule opens more than one kind of device.

use plimsoll_model::Facts;

use super::{devices, raw};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-008",
    name: "broad-device-rule",
    title: "Device rule opens more than one kind of device",
    theme: Theme::GuestIsolation,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "NIST SP 800-190, Application Container Security Guide",
        url: "https://csrc.nist.gov/pubs/sp/800/190/final",
    }],
    doc: include_str!("broad_device_rule.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for line in raw::lines(facts) {
        if line.key == "lxc.cgroup.devices.allow" {
            findings
                .add(line.place, "`lxc.cgroup.devices.allow` has no effect")
                .label("a key of the first generation of control groups")
                .severity(Severity::Low)
                .note("Proxmox VE 7 and later use the second generation and pass over this line")
                .help("pass the device with `pct set ID --dev0 PATH`, or write `lxc.cgroup2.devices.allow`");
            continue;
        }
        if line.key != "lxc.cgroup2.devices.allow" {
            continue;
        }
        let (reach, severity) = match devices::parse_rule(&line.value) {
            Some(('a', ..)) => ("every device of the node, its disks included", Severity::Critical),
            Some(('b', None, _)) => ("every disk of the node", Severity::Critical),
            Some(('c', None, _)) => {
                ("every character device of the node, `/dev/mem` included", Severity::High)
            }
            Some(('b', Some(8 | 259), None)) => ("every disk of the node", Severity::Critical),
            Some(('c', Some(21), None)) => ("every disk of the node by raw SCSI commands", Severity::High),
            _ => continue,
        };
        let finding = findings.add(line.place, format!("`{}` allows {reach}", line.value));
        finding.label("wider than one device").severity(severity);
        if let Some(place) = line.privileged(facts) {
            finding.related(place, "the guest is privileged, so its root may open them all");
        } else {
            finding.severity(severity.shifted(-1));
        }
        finding
            .note("who is root in the guest can make a node for a disk and read or write it past every file permission")
            .help("pass only the device that is needed, with `pct set ID --dev0 PATH`");
    }
}
