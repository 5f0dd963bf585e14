//! Fallback for a generated secret can be guessed.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-018",
    name: "weak-generator-fallback",
    title: "Fallback for a generated secret can be guessed",
    theme: Theme::Secrets,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "CWE-338: Use of Cryptographically Weak Pseudo-Random Number Generator",
        url: "https://cwe.mitre.org/data/definitions/338.html",
    }],
    doc: include_str!("weak_generator_fallback.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter() {
        let generates = command.program == "openssl" && command.arg(0) == Some("rand")
            || matches!(command.program.as_str(), "uuidgen" | "pwgen");
        let Fate::Masked { handler } = &command.fate else { continue };
        let text = facts.text(*handler);
        if generates && guessable(text) {
            findings
                .add(command.place, "when this fails, the secret is something that can be guessed")
                .label("may be missing")
                .related(*handler, "taken instead")
                .help("end the script when no generator is there");
        }
    }
    for command in facts.commands.iter().filter(|command| hashes_time(facts, command)) {
        findings
            .add(command.place, "a secret made from the time can be guessed")
            .label("made from the time")
            .help("use `openssl rand -hex 32`");
    }
}

fn guessable(text: &str) -> bool {
    text.contains("date") || text.contains("RANDOM") || text.contains("echo ") || text.contains("hostname")
}

/// `date | sha256sum` into a variable that is a secret.
fn hashes_time(facts: &Facts, command: &Command) -> bool {
    let into_secret = command.assigned_to.as_deref().is_some_and(super::words::is_secret_name);
    let next_hashes = command.pipeline.is_some_and(|pipe| {
        facts.commands.of_unit(command.unit).iter().any(|other| {
            other.pipeline.is_some_and(|o| o.span == pipe.span && o.index > pipe.index)
                && matches!(other.program.as_str(), "sha256sum" | "md5sum" | "sha1sum" | "base64")
        })
    });
    command.program == "date" && into_secret && next_hashes
}
