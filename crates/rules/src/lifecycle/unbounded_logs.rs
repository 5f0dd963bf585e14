//! Container logs grow without bound.

use std::collections::BTreeMap;

use camino::Utf8Path;
use plimsoll_model::Facts;
use plimsoll_model::compose::Service;
use plimsoll_text::Fix;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-001",
    name: "unbounded-logs",
    title: "Container logs grow without bound",
    theme: Theme::Lifecycle,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Docker documentation, JSON File logging driver",
        url: "https://docs.docker.com/engine/logging/drivers/json-file/",
    }],
    doc: include_str!("unbounded_logs.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    if super::engine::daemon_files(facts).iter().any(|(_, text)| bounds_logs(text)) {
        return;
    }
    // Files beside each other are variants or parts of one project.
    let mut projects: BTreeMap<&Utf8Path, Vec<&Service>> = BTreeMap::new();
    for (stack, service) in facts.stacks.deployed_services().filter(|(_, service)| unbounded(service)) {
        let services = projects.entry(&stack.compose.directory).or_default();
        if !services.iter().any(|other| other.place == service.place) {
            services.push(service);
        }
    }
    for mut services in projects.into_values() {
        services.sort_by_key(|service| service.place);
        let Some((first, rest)) = services.split_first() else { continue };
        let place = first.logging.as_ref().map_or(first.place, |logging| logging.place);
        let finding = findings.add(place, format!("the log of `{}` has no size limit", first.name));
        finding.label("keeps every line until the disk is full");
        for service in rest {
            finding.related(service.place, format!("nor has that of `{}`", service.name));
        }
        if let Some(guest) = facts.guests.real().find(|guest| guest.disk_gib().is_some())
            && let (Some(size), Some(setting)) =
                (guest.disk_gib(), guest.setting("rootfs").or_else(|| guest.setting("scsi0")))
        {
            finding.related(setting.place, format!("the disk that fills up has {size} GB"));
        }
        finding
            .note("Docker's default log driver never deletes a line; when the disk is full, databases stop too")
            .help("set `logging` with `max-size` and `max-file` for every service, or once in `/etc/docker/daemon.json`")
            .fix(limit(facts, &services));
    }
}

/// Thirty megabytes are days of lines for most programs.
fn limit(facts: &Facts, services: &[&Service]) -> Option<Fix> {
    let edits = services.iter().map(|service| match &service.logging {
        None => edits::add_entries(
            facts,
            service.place,
            "logging:\n  driver: json-file\n  options:\n    max-size: \"10m\"\n    max-file: \"3\"",
        ),
        Some(logging) => {
            let last = logging.options.values().map(|option| option.place).max();
            match last {
                Some(last) if edits::line_head(facts, last).trim_end().ends_with(':') => {
                    Some(edits::lines_after(facts, last, "max-size: \"10m\"\nmax-file: \"3\""))
                }
                _ => None,
            }
        }
    });
    edits::safe("let each log take 30 MB at most", edits.collect())
}

fn unbounded(service: &Service) -> bool {
    let Some(logging) = &service.logging else { return true };
    let json = logging.driver.as_ref().is_none_or(|driver| driver.value == "json-file");
    json && !logging.options.contains_key("max-size")
}

fn bounds_logs(daemon: &str) -> bool {
    daemon.contains("max-size")
        || ["\"local\"", "\"journald\"", "\"syslog\"", "\"none\""]
            .iter()
            .any(|driver| daemon.contains("log-driver") && daemon.contains(driver))
}
