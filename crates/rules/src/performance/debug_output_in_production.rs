//! Debug output is on in production.

use plimsoll_model::Facts;
use plimsoll_model::application::SwitchKind;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "PRF-001",
    name: "debug-output-in-production",
    title: "Debug output is on in production",
    theme: Theme::Performance,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[],
    doc: include_str!("debug_output_in_production.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for switch in &facts.application.debug_switches {
        if switch.kind != SwitchKind::SqlEcho || facts.is_development(switch.place.file) {
            continue;
        }
        findings
            .add(switch.place, "every SQL statement is logged, in production too")
            .label("fixed in the source")
            .note("each request waits for its log lines, the log fills the disk, and the parameters put personal data into it")
            .help("take the value from a setting that is off by default")
            .fix(edits::review("log no SQL statements", edits::part(facts, switch.place, "True").map(|place| vec![edits::replace(place, "False")])));
    }
    let mut seen = Vec::new();
    for (_, service) in facts.stacks.deployed_services() {
        for entry in service.environment.values() {
            let value = entry.value.as_deref().unwrap_or_default();
            if !is_verbose(&entry.key, value)
                || seen.contains(&entry.place)
                || facts.is_development(entry.place.file)
            {
                continue;
            }
            seen.push(entry.place);
            findings
                .add(entry.place, format!("`{}` is `{value}` for `{}`", entry.key, service.name))
                .label("verbose output in a deployed service")
                .note("each request waits for its log lines, the log fills the disk, and request data ends up in it")
                .help("set it to the quiet value here and override it in development only");
        }
    }
}

fn is_verbose(key: &str, value: &str) -> bool {
    let key = key.to_ascii_uppercase();
    let value = value.to_ascii_lowercase();
    let is_level = key.ends_with("LOG_LEVEL") || key.ends_with("LOGLEVEL") || key == "RUST_LOG";
    let is_echo = ["SQL_ECHO", "DB_ECHO", "DATABASE_ECHO", "SQLALCHEMY_ECHO", "ECHO_SQL"]
        .iter()
        .any(|name| key.ends_with(name));
    is_level && matches!(value.as_str(), "debug" | "trace" | "silly")
        || is_echo && matches!(value.as_str(), "1" | "true" | "yes" | "on" | "debug")
}
