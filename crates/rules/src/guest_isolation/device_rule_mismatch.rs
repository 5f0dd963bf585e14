//! Device rule does not fit the device.

use plimsoll_model::Facts;

use super::{devices, raw};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-007",
    name: "device-rule-mismatch",
    title: "Device rule does not fit the device",
    theme: Theme::GuestIsolation,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Linux allocated devices, admin-guide/devices.txt",
        url: "https://www.kernel.org/doc/html/latest/admin-guide/devices.html",
    }],
    doc: include_str!("device_rule_mismatch.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let lines = raw::lines(facts);
    let is_rule = |line: &&raw::RawLine<'_>| line.key.ends_with(".devices.allow");
    for line in lines.iter().filter(is_rule) {
        let Some((kind, Some(major), _)) = devices::parse_rule(&line.value) else { continue };
        let Some(other) = devices::of_other_type(kind, major) else { continue };
        let (is, should) = if kind == 'c' { ("character", 'b') } else { ("block", 'c') };
        let finding = findings.add(line.place, format!("`{kind} {major}` allows no device that exists"));
        finding
            .label(format!("`{kind}` means a {is} device, and `/dev/{other}…` with major {major} is none"));
        let mounted = lines
            .iter()
            .filter(|entry| entry.key == "lxc.mount.entry" && entry.is_beside(line))
            .find(|entry| devices::class(source(&entry.value)).is_some_and(|class| class.1 == major));
        if let Some(entry) = mounted {
            finding.related(entry.place, "the device that is meant is mounted here");
        }
        finding
            .note("the device shows up in the guest, and every program that opens it gets `Operation not permitted`")
            .help(format!("write `{should}` in place of `{kind}`"));
    }
    for entry in lines.iter().filter(|line| line.key == "lxc.mount.entry") {
        let path = source(&entry.value);
        let Some((kind, major)) = devices::class(path) else { continue };
        let allowed = lines.iter().filter(is_rule).filter(|line| line.is_beside(entry)).any(|line| {
            match devices::parse_rule(&line.value) {
                Some(('a', ..)) => true,
                Some((_, Some(number), _)) => number == major,
                Some((letter, None, _)) => letter == kind,
                None => line.value.contains(['$', '{']),
            }
        });
        if !allowed {
            findings
                .add(entry.place, format!("`{path}` is mounted, and no device rule allows to open it"))
                .label(format!("needs `lxc.cgroup2.devices.allow: {kind} {major}:…`"))
                .severity(Severity::Medium)
                .confidence(Confidence::Medium)
                .help(format!(
                    "pass the device with `pct set ID --dev0 {path}`, which makes node, mode and rule in one"
                ));
        }
    }
}

/// What a mount entry mounts.
fn source(value: &str) -> &str {
    value.split_whitespace().next().unwrap_or_default()
}
