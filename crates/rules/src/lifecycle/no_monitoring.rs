//! Nothing notices when the app is down.

use std::sync::LazyLock;

use plimsoll_model::{Facts, Kind};
use plimsoll_text::{Phrases, Place, Span};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-006",
    name: "no-monitoring",
    title: "Nothing notices when the app is down",
    theme: Theme::Lifecycle,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("no_monitoring.md"),
    check,
};

/// Products and services that watch others, and ways to tell a person.
static WATCHERS: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::new(&[
        "prometheus",
        "uptime-kuma",
        "uptime_kuma",
        "grafana",
        "netdata",
        "zabbix",
        "gatus",
        "beszel",
        "checkmk",
        "alertmanager",
        "node-exporter",
        "node_exporter",
        "telegraf",
        "datadog",
        "newrelic",
        "hc-ping",
        "healthchecks.io",
        "ntfy",
        "pushover",
        "gotify",
        "OnFailure=",
        "betterstack",
        "uptimerobot",
        "sentry-dsn",
        "sentry_dsn",
        "monit ",
        "nagios",
        "hooks.slack.com",
        "api.telegram.org",
        "discord.com/api/webhooks",
        "victoriametrics",
        "opentelemetry-collector",
        "statping",
    ])
});

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let watched = facts
        .files
        .iter()
        .filter(|(id, _)| !matches!(facts.trees.kind(*id), Kind::Markdown | Kind::JavaScript))
        .any(|(_, file)| WATCHERS.are_in(file));
    let deployed = facts.stacks.deployed().find(|stack| stack.services().count() > 1);
    let (false, Some(stack)) = (watched, deployed) else { return };
    if !facts.guests.real().any(|guest| guest.created) {
        return;
    }
    let status = facts.files.iter().find(|(id, file)| {
        let name = file.path().file_stem().unwrap_or_default();
        facts.trees.kind(*id) == Kind::Shell
            && ["status", "health", "monitor"].iter().any(|word| name.contains(word))
    });
    let help =
        "let something outside the guest ask the app regularly and tell a person when it does not answer";
    if let Some((id, file)) = status {
        let place = Place::new(id, Span::new(0, file.line_span(0).end));
        findings
            .add(place, "the state of the app is only seen when somebody runs this")
            .label("asks once, by hand")
            .note("a dead service, a full disk or an expired certificate is noticed by the users")
            .help(help);
    } else if let Some(service) = stack.services().min_by_key(|service| service.place) {
        findings.add(service.place, "nothing watches this app").confidence(Confidence::Low).help(help);
    }
}
