//! Generated password goes into an address unescaped.

use plimsoll_model::Facts;

use super::written::written;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-013",
    name: "raw-secret-in-url",
    title: "Generated password goes into an address unescaped",
    theme: Theme::Secrets,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "RFC 3986, section 3.2.1, User Information",
        url: "https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1",
    }],
    doc: include_str!("raw_secret_in_url.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for line in written(facts) {
        let Some(generator) = &line.generator else { continue };
        let base64 = generator.contains("-base64") || generator.contains("base64");
        let stripped =
            generator.contains("tr -d") || generator.contains("tr -dc") || generator.contains("tr '+/'");
        if !base64 || stripped || !seen.insert((line.place.file, line.key.clone())) {
            continue;
        }
        let user = facts.stacks.deployed_services().find_map(|(_, service)| {
            service.environment.values().find(|entry| {
                let is_address = entry.value.as_deref().is_some_and(|value| value.contains("://"));
                is_address && entry.variables.iter().any(|variable| variable.name == line.key)
            })
        });
        if let Some(entry) = user {
            findings
                .add(
                    line.place,
                    format!("`{}` may hold `/`, `+` or `=`, and goes into an address as it is", line.key),
                )
                .label("base64 has characters that mean something in an address")
                .related(entry.value_place, "put in here")
                .note("about every second password breaks a strict reader of the address")
                .help("use `openssl rand -hex 32`")
                .fix(edits::safe("make the password of letters and digits", in_hexadecimal(facts, &line)));
        }
    }
}

/// As many random bytes, written in hexadecimal.
fn in_hexadecimal(facts: &Facts, line: &super::written::Written<'_>) -> Option<Vec<plimsoll_text::Edit>> {
    const BASE64: &str = "openssl rand -base64";
    let inline = edits::part(facts, line.place, BASE64);
    let place = inline.or_else(|| {
        let name = line.value.trim_matches(['"', '\'']).trim_start_matches(['$', '{']).trim_end_matches('}');
        let mut bindings = facts.commands.bindings(line.command.unit).of(name);
        bindings.find_map(|binding| edits::part(facts, binding.place, BASE64))
    })?;
    Some(vec![edits::replace(place, "openssl rand -hex")])
}
