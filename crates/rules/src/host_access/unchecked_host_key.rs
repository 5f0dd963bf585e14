//! Host keys are not checked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Phrases, Place};

use super::lines::effective_lines;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-002",
    name: "unchecked-host-key",
    title: "Host keys are not checked",
    theme: Theme::HostAccess,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[],
    doc: include_str!("unchecked_host_key.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<(Place, &str, bool)>>::new();
    for (file, place, text) in effective_lines(facts, &HINTS) {
        if let Some(what) = turned_off(text) {
            files.entry(file).or_default().push((place, what, text.contains("sshpass")));
        }
    }
    for (file, place) in actions_without_fingerprint(facts) {
        files.entry(file).or_default().push((place, "no fingerprint", false));
    }
    // A habit of many files is one thing to mend.
    let lists: Vec<Vec<(Place, &str, bool)>> = if files.len() > MANY {
        let mut same = BTreeMap::<&str, Vec<_>>::new();
        for place in files.into_values().flatten() {
            same.entry(place.1).or_default().push(place);
        }
        same.into_values().collect()
    } else {
        files.into_values().collect()
    };
    for places in &lists {
        let Some((place, what, _)) = places.first() else { continue };
        let finding =
            findings.add(*place, format!("`{what}`: any machine that answers is taken for the right one"));
        finding.label("the host key is not compared with a known one");
        for (other, what, _) in places.iter().skip(1) {
            finding.related(*other, format!("`{what}` here too"));
        }
        if places.iter().any(|(.., password)| *password) {
            finding.note("a password is sent over this connection to whoever answers");
        }
        let edits = places.iter().map(|(place, what, _)| {
            let option = edits::part(facts, *place, "StrictHostKeyChecking=no")?;
            (*what == "StrictHostKeyChecking=no")
                .then(|| edits::replace(option, "StrictHostKeyChecking=accept-new"))
        });
        finding.fix(edits::review("refuse a key that is not the one of the first time", edits.collect()));
        finding.help("keep the node's key in a `known_hosts` file of the project and check it strictly");
    }
}

/// Files beyond which one finding speaks for all that turn the check off alike.
const MANY: usize = 6;

static HINTS: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::new(&[
        "StrictHostKeyChecking",
        "UserKnownHostsFile",
        "AutoAddPolicy",
        "host_key_checking",
        "ssh-keyscan",
    ])
});

/// Steps that log in with an SSH action which compares the host key only when it is told its fingerprint.
fn actions_without_fingerprint(facts: &Facts) -> Vec<(FileId, Place)> {
    let mut found = Vec::new();
    for (file, stream) in facts.trees.yaml_of(Kind::Workflow) {
        let jobs = stream.documents.iter().filter_map(|document| document.get("jobs"));
        let steps = jobs.flat_map(|jobs| jobs.entries()).filter_map(|job| job.value.get("steps"));
        for step in steps.flat_map(|steps| steps.items()) {
            let uses = step.get("uses").and_then(|uses| uses.as_str()).unwrap_or_default();
            let compares =
                ["appleboy/ssh-action", "appleboy/scp-action"].iter().any(|name| uses.starts_with(name));
            let Some(with) = step.get("with").filter(|_| compares) else { continue };
            if with.get("fingerprint").is_none()
                && let Some(host) = with.get("host")
            {
                found.push((file, Place::new(file, host.span)));
            }
        }
    }
    found
}

/// What turns the check off, as a stable word.
fn turned_off(line: &str) -> Option<&'static str> {
    let plain: String =
        line.to_ascii_lowercase().chars().filter(|c| !matches!(c, ' ' | '"' | '\'' | '\t')).collect();
    let scan = plain.contains("ssh-keyscan") && plain.contains(">>") && plain.contains("known_hosts");
    [
        ("stricthostkeychecking=no", "StrictHostKeyChecking=no"),
        ("stricthostkeycheckingno", "StrictHostKeyChecking no"),
        ("userknownhostsfile=/dev/null", "UserKnownHostsFile=/dev/null"),
        ("autoaddpolicy(", "AutoAddPolicy"),
        ("host_key_checking=false", "host_key_checking=False"),
        ("host_key_checking:false", "host_key_checking: false"),
    ]
    .iter()
    .find_map(|(pattern, what)| plain.contains(pattern).then_some(*what))
    .or_else(|| scan.then_some("ssh-keyscan >> known_hosts"))
}
