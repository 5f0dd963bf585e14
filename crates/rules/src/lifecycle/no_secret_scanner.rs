//! No hook looks for secrets before they are committed.

use std::sync::LazyLock;

use plimsoll_model::{Facts, Kind};
use plimsoll_text::{Phrases, Place};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-007",
    name: "no-secret-scanner",
    title: "No hook looks for secrets before they are committed",
    theme: Theme::Lifecycle,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "pre-commit, supported hooks",
        url: "https://pre-commit.com/hooks.html",
    }],
    doc: include_str!("no_secret_scanner.md"),
    check,
};

static SCANNERS: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::new(&[
        "gitleaks",
        "trufflehog",
        "detect-secrets",
        "ggshield",
        "gitguardian",
        "talisman",
        "git-secrets",
        "kingfisher",
        "secretlint",
        "ripsecrets",
    ])
});

/// The hook that the project publishes for pre-commit.
const GITLEAKS: &str = "repo: https://github.com/gitleaks/gitleaks\nrev: v8.18.4\nhooks:\n  - id: gitleaks";

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let is_prose = |id| matches!(facts.trees.kind(id), Kind::Markdown | Kind::Other);
    if facts.files.iter().filter(|(id, _)| !is_prose(*id)).any(|(_, file)| SCANNERS.are_in(file)) {
        return;
    }
    for (id, stream) in &facts.trees.yaml {
        if !facts.path(*id).as_str().ends_with(".pre-commit-config.yaml") {
            continue;
        }
        let Some(repos) = stream.documents.iter().find_map(|document| document.entry("repos")) else {
            continue;
        };
        let key_hook = repos
            .value
            .items()
            .iter()
            .filter_map(|repo| repo.get("hooks"))
            .flat_map(|hooks| hooks.items())
            .find(|hook| hook.get("id").and_then(|id| id.as_str()) == Some("detect-private-key"));
        let (span, label) = match key_hook.and_then(|hook| hook.entry("id")) {
            Some(entry) => (entry.key.span.cover(entry.value.span), "knows private keys and nothing else"),
            None => (repos.key.span, "the hooks of this project"),
        };
        findings
            .add(Place::new(*id, span), "no hook looks for passwords and API keys")
            .label(label)
            .note("a key that was pushed once must be taken as stolen, and stays in the history")
            .help("add a general scanner such as `gitleaks` to the hooks and to CI")
            .fix(edits::safe(
                "look for secrets before each commit",
                edits::append_item(facts, Place::new(*id, repos.key.span), GITLEAKS).map(|edit| vec![edit]),
            ));
    }
}
