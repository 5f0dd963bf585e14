//! Secrets are plain environment variables.

use plimsoll_model::Facts;
use plimsoll_model::compose::EnvEntry;

use super::words::is_secret_name;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-011",
    name: "secret-in-environment",
    title: "Secrets are plain environment variables",
    theme: Theme::Secrets,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker Compose, Secrets",
        url: "https://docs.docker.com/compose/how-tos/use-secrets/",
    }],
    doc: include_str!("secret_in_environment.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        let mut plain: Vec<(&str, &EnvEntry)> = stack
            .services()
            .flat_map(|service| service.environment.values().map(move |entry| (service.name.as_str(), entry)))
            .filter(|(_, entry)| is_secret_name(&entry.key))
            .collect();
        plain.sort_by_key(|(_, entry)| entry.place);
        let Some(((service, first), rest)) = plain.split_first() else { continue };
        let finding =
            findings.add(first.place, format!("`{service}` gets `{}` as an environment variable", first.key));
        finding.label("shown by `docker inspect`, inherited by every process");
        for (service, entry) in rest {
            finding.related(entry.place, format!("`{service}` gets `{}`", entry.key));
        }
        finding.help("use Compose `secrets:` and `…_FILE` variables where the image can read files");
    }
}
