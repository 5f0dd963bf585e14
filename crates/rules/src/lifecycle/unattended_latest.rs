//! Images are replaced without anybody looking.

use plimsoll_model::Facts;
use plimsoll_model::compose::Service;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-002",
    name: "unattended-latest",
    title: "Images are replaced without anybody looking",
    theme: Theme::Lifecycle,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("unattended_latest.md"),
    check,
};

const UPDATERS: &[&str] = &["watchtower", "ouroboros", "dockcheck-auto"];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = Vec::new();
    for (stack, service) in facts.stacks.deployed_services() {
        let Some(image) = service.image.as_ref().filter(|image| updates(&image.value)) else { continue };
        if only_watches(service) || seen.contains(&image.place) {
            continue;
        }
        seen.push(image.place);
        let name = &service.name;
        let finding = findings
            .add(image.place, format!("`{name}` replaces running containers by newer images on its own"));
        finding.label("pulls and restarts whatever is new");
        let floating = stack
            .services()
            .filter(|other| other.name != service.name)
            .filter_map(|other| other.image.as_ref());
        let floating: Vec<_> = floating.filter(|image| floats(&image.value)).collect();
        if floating.is_empty() && stack.services().count() > 1 {
            finding.severity(Severity::Medium);
        }
        for image in floating {
            finding.related(image.place, format!("`{}` becomes whatever its publisher pushes", image.value));
        }
        finding
            .note("a broken or hijacked release goes live at night, with its database migration and without a backup, and no file says what ran before")
            .help("pin versions and let a bot propose updates as changes, or set `WATCHTOWER_MONITOR_ONLY=true`");
    }
    for command in facts.commands.iter().filter(|c| c.is("docker", &["run"]) || c.is("podman", &["run"])) {
        let documented = facts.commands.unit(command.unit).origin.is_documentation();
        if let Some(image) = command.args.iter().find(|arg| updates(&arg.value.text)).filter(|_| !documented)
        {
            findings
                .add(image.place, "a started container replaces the others by newer images on its own")
                .label("pulls and restarts whatever is new")
                .help("pin versions and let a bot propose updates as changes");
        }
    }
}

fn updates(image: &str) -> bool {
    let path = image.split(['@', ':']).next().unwrap_or_default();
    path.contains('/') && UPDATERS.iter().any(|name| path.rsplit('/').next() == Some(name))
}

fn only_watches(service: &Service) -> bool {
    let on = |name: &str| {
        service
            .environment
            .get(name)
            .and_then(|entry| entry.value.as_deref())
            .is_some_and(|v| v.eq_ignore_ascii_case("true"))
    };
    let words = service.command.as_ref().map(|command| command.value.words.as_slice()).unwrap_or_default();
    on("WATCHTOWER_MONITOR_ONLY") || words.iter().any(|word| word.contains("--monitor-only"))
}

/// Whether the tag moves: none, `latest` and the like.
fn floats(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let name = image.rsplit('/').next().unwrap_or_default();
    let tag = name.split_once(':').map(|(_, tag)| tag);
    matches!(tag, None | Some("latest" | "stable" | "main" | "nightly" | "edge"))
}
