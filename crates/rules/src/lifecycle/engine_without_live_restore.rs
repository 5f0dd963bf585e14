//! Containers stop when Docker is updated.

use plimsoll_model::Facts;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-009",
    name: "engine-without-live-restore",
    title: "Containers stop when Docker is updated",
    theme: Theme::Lifecycle,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker documentation, Live restore",
        url: "https://docs.docker.com/engine/daemon/live-restore/",
    }],
    doc: include_str!("engine_without_live_restore.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for (place, text) in super::engine::daemon_files(facts) {
        if text.contains("live-restore") || text.contains("\"swarm") || !text.contains('{') {
            continue;
        }
        findings
            .add(place, "`daemon.json` does not set `live-restore`")
            .label("the engine's settings")
            .note("every update of the Docker package stops all containers for a moment, databases included")
            .help("add `\"live-restore\": true`");
    }
}
