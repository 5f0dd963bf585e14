//! All rules as a table and as JSON.

use std::fmt::Write as _;

use anstyle::Style;
use plimsoll_rules::{Rule, Theme};
use serde::Serialize;

/// Version 1 of the list of rules.
#[derive(Serialize)]
struct ListV1 {
    version: u32,
    rules: Vec<RuleV1>,
}

#[derive(Serialize)]
struct RuleV1 {
    code: &'static str,
    name: &'static str,
    title: &'static str,
    theme: &'static str,
    severity: &'static str,
    confidence: &'static str,
    fix: &'static str,
    references: Vec<ReferenceV1>,
}

#[derive(Serialize)]
struct ReferenceV1 {
    title: &'static str,
    url: &'static str,
}

/// Rules as JSON, version 1.
#[must_use]
pub fn rules_to_json<'a>(rules: impl Iterator<Item = &'a Rule>) -> String {
    let rules = rules
        .map(|rule| RuleV1 {
            code: rule.code,
            name: rule.name,
            title: rule.title,
            theme: rule.theme.slug(),
            severity: rule.severity.name(),
            confidence: rule.confidence.name(),
            fix: rule.fix.name(),
            references: rule
                .references
                .iter()
                .map(|reference| ReferenceV1 { title: reference.title, url: reference.url })
                .collect(),
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&ListV1 { version: 1, rules }).unwrap_or_default();
    text.push('\n');
    text
}

/// Rules as lines for people, by theme.
#[must_use]
pub fn rules_for_terminal<'a>(rules: impl Iterator<Item = &'a Rule>) -> String {
    let rules: Vec<&Rule> = rules.collect();
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let bold = Style::new().bold();
    let mut out = String::new();
    for theme in Theme::ALL {
        let mut heading = Some(theme.title());
        for rule in rules.iter().filter(|rule| rule.theme == theme) {
            if let Some(heading) = heading.take() {
                let gap = if out.is_empty() { "" } else { "\n" };
                let _ = writeln!(out, "{gap}{bold}{heading}{bold:#}");
            }
            let severity = rule.severity.name();
            let _ = writeln!(out, "  {}  {:width$}  {severity:8}  {}", rule.code, rule.name, rule.title);
        }
    }
    out
}
