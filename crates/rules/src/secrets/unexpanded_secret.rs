//! Secret is written as the text of the command that should make it.

use plimsoll_model::Facts;

use super::words::{is_generator, is_secret_name};
use super::written::written;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-005",
    name: "unexpanded-secret",
    title: "Secret is written as the text of the command that should make it",
    theme: Theme::Secrets,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Bash Reference Manual, Here Documents",
        url: "https://www.gnu.org/software/bash/manual/html_node/Redirections.html",
    }],
    doc: include_str!("unexpanded_secret.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for line in written(facts) {
        let quoted = !line.expands && line.value.contains("$(");
        if quoted && (is_secret_name(&line.key) || line.key.ends_with("_KEY")) && is_generator(&line.value) {
            findings
                .add(line.place, format!("`{}` gets the text of the command, not what it prints", line.key))
                .label("a quoted here document expands nothing")
                .note("everyone who reads the script knows the secret")
                .help("drop the quotes around the delimiter, or make the value before");
        }
    }
}
