//! A container whose list of dropped capabilities was emptied.

use plimsoll_model::Facts;
use plimsoll_text::{Place, Span};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "ISO-003",
    name: "emptied-capability-drop",
    title: "Container keeps capabilities over the whole machine",
    theme: Theme::GuestIsolation,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "lxc.container.conf(5), section Capabilities",
        url: "https://linuxcontainers.org/lxc/manpages/man5/lxc.container.conf.5.html",
    }],
    doc: include_str!("emptied_capability_drop.md"),
    check,
};

const KEY: &str = "lxc.cap.drop";

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, file) in facts.files.iter().filter(|(_, file)| file.text().contains(KEY)) {
        for (at, _) in file.text().match_indices(KEY) {
            let rest = file.text().get(at + KEY.len()..).unwrap_or_default();
            let line = rest.lines().next().unwrap_or_default();
            if !clears_the_list(line) || is_comment(file.line_text(file.line_of(as_u32(at)))) {
                continue;
            }
            let end = at + KEY.len() + 1 + (line.len() - line.trim_start().len());
            findings
                .add(Place::new(id, Span::new(as_u32(at), as_u32(end))), format!("`{KEY}` is emptied"))
                .label("an empty value clears all that was dropped before")
                .note(
                    "root in the container can then load kernel modules and set the clock of the whole node",
                )
                .help(
                    "remove the line, and keep the container unprivileged if a program misses a capability",
                );
        }
    }
}

/// Whether nothing but the end of a quoted or bare line follows the key.
fn clears_the_list(rest: &str) -> bool {
    let value = rest.trim_start().strip_prefix([':', '=']);
    value.is_some_and(|value| {
        let value = value.trim_start();
        value.is_empty() || value.starts_with(['"', '\'', '\\', '#'])
    })
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with(['#', '/'])
}

fn as_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_value_clears_the_list() {
        for rest in [":", ": ", " =", ":\" >> /etc/pve/lxc/101.conf", "=\\n"] {
            assert!(clears_the_list(rest), "{rest:?}");
        }
        for rest in [": sys_admin", "", "s:", "= mac_admin"] {
            assert!(!clears_the_list(rest), "{rest:?}");
        }
    }
}
