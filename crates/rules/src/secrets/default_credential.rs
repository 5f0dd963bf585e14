//! Default or weak credential is used in production.

use plimsoll_model::Facts;
use plimsoll_model::compose::{EnvEntry, Operator};

use super::refused_default::is_refused;
use super::words::{is_placeholder, is_secret_name};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-002",
    name: "default-credential",
    title: "Default or weak credential is used in production",
    theme: Theme::Secrets,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("default_credential.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    guest_passwords(facts, findings);
    for stack in facts.stacks.deployed() {
        let mut weak: Vec<(&str, &EnvEntry, String)> = Vec::new();
        for service in stack.services() {
            for entry in service.environment.values().filter(|entry| is_secret_name(&entry.key)) {
                if let Some(value) = effective_default(entry)
                    && !is_refused(facts, service, entry)
                {
                    weak.push((&service.name, entry, value));
                }
            }
        }
        weak.sort_by_key(|(_, entry, _)| entry.place);
        let Some(((service, entry, _), rest)) = weak.split_first() else { continue };
        let finding = findings
            .add(entry.place, format!("`{}` of `{service}` has a value that everybody can guess", entry.key));
        finding.label("used unless somebody sets another").mask(entry.value_place);
        for (service, entry, _) in rest {
            finding
                .related(entry.place, format!("`{}` of `{service}` too", entry.key))
                .mask(entry.value_place);
        }
        finding
            .note("a forgotten variable starts production with it, and nothing warns")
            .help("use `${NAME:?}` so that the start fails without a value");
    }
}

/// Passwords of guests that stand in a definition and that everybody can guess.
fn guest_passwords(facts: &Facts, findings: &mut Findings<'_>) {
    for guest in facts.guests.real().filter(|guest| guest.created) {
        let Some(setting) = ["password", "cipassword"].iter().find_map(|key| guest.setting(key)) else {
            continue;
        };
        let value = setting.value.text.trim();
        let known = setting.value.is_known() && !value.contains("{{") && !value.contains('$');
        // `--password` alone asks for one.
        if known && value.len() > 1 && is_placeholder(value) {
            findings
                .add(setting.place, "the guest's root password is one that everybody can guess")
                .label("used unless somebody sets another")
                .mask(setting.place)
                .help("give an SSH key instead, or take the password from a vault");
        }
    }
}

/// The default or literal that the service gets when nobody sets anything.
fn effective_default(entry: &EnvEntry) -> Option<String> {
    let value = entry.value.as_deref()?.trim();
    let by_default = entry
        .variables
        .iter()
        .any(|variable| matches!(&variable.operator, Operator::Default { text, .. } if !text.is_empty()));
    let literal = entry.variables.is_empty() && !value.is_empty();
    let weak = is_placeholder(value) || value.len() < 16;
    ((by_default || literal)
        && weak
        && !value.starts_with("/run/secrets")
        && !value.eq_ignore_ascii_case("true")
        && !value.eq_ignore_ascii_case("false"))
    .then(|| value.to_owned())
}
