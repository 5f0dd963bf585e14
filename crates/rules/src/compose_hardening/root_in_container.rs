//! Programs that are root without need.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_model::guests::Guest;
use plimsoll_model::images::Stage;
use plimsoll_model::services::built;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-006",
    name: "root-in-container",
    title: "Container runs as root",
    theme: Theme::ComposeHardening,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: true,
    fix: FixKind::None,
    references: &[Reference {
        title: "OWASP, Docker Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("root_in_container.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = BTreeSet::new();
    let privileged = facts.guests.real().find_map(Guest::privileged);
    let mut add = |stage: &Stage, name: &str, written: bool| {
        if stage.runs_as_root() != Some(true) || !seen.insert(stage.place) {
            return;
        }
        let finding = findings.add(stage.place, format!("`{name}` runs as root"));
        finding.label("no `USER` from here on");
        if let Some(place) = privileged {
            finding.related(place, "in a guest whose root is the node's root");
        }
        if written {
            finding.severity(Severity::High);
        }
        finding
            .note(
                "a mistake in the program is then a mistake of root, one kernel weakness away from the guest",
            )
            .help("create a user in the image and end the stage with `USER`");
    };
    for (_, service) in facts.stacks.deployed_services() {
        let user = service
            .user
            .as_ref()
            .is_some_and(|user| !matches!(user.value.split(':').next(), Some("root" | "0")));
        if let (false, Some((_, stage))) = (user, built(facts, service)) {
            add(stage, &service.name, false);
        }
    }
    for image in facts.images.written() {
        if let Some(stage) = image.stages.last() {
            add(stage, image.path.as_str(), true);
        }
    }
}
