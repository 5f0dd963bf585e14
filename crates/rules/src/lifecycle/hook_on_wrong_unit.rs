//! Notification hangs on a unit that does not do the work.

use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::ini;
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-011",
    name: "hook-on-wrong-unit",
    title: "Notification hangs on a unit that does not do the work",
    theme: Theme::Lifecycle,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "systemd.unit(5)",
        url: "https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html",
    }],
    doc: include_str!("hook_on_wrong_unit.md"),
    check,
};

/// Units that a reader takes for the one that does the work, with the one that does (Debian's packages).
const MISTAKEN: &[(&str, &str, &str)] = &[
    ("unattended-upgrades.service", "apt-daily-upgrade.service", "it only waits for the shutdown"),
    ("certbot.timer", "certbot.service", "a timer only starts the service"),
    ("apt-daily.service", "apt-daily-upgrade.service", "it only downloads lists"),
];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for file in facts.trees.of_kind(Kind::Systemd) {
        if let Some(unit) = facts.trees.ini.get(&file) {
            judge(facts.path(file).as_str(), unit, findings);
        }
    }
    for command in facts.commands.iter() {
        let Some(heredoc) = &command.heredoc else { continue };
        let targets = command
            .outputs
            .iter()
            .map(|output| &output.target)
            .chain(command.args.iter().map(|arg| &arg.value));
        if let Some(path) =
            targets.map(|target| target.text.as_str()).find(|path| path.contains("systemd/system/"))
        {
            judge(path, &ini::parse(&heredoc.body), findings);
        }
    }
}

fn judge(path: &str, unit: &ini::Ini, findings: &mut Findings<'_>) {
    let hooks = ["OnFailure", "OnSuccess", "ExecStartPost", "ExecStopPost"];
    for section in &unit.sections {
        let name = section.name.as_ref().map(|name| name.value.as_str()).unwrap_or_default();
        for entry in &section.entries {
            let key = entry.key.value.as_str();
            if matches!(key, "OnFailure" | "OnSuccess") && name != "Unit" {
                ignored(entry.place, key, name, "Unit", findings);
            }
            if matches!(key, "WantedBy" | "RequiredBy") && name != "Install" {
                ignored(entry.place, key, name, "Install", findings);
            }
            let mistaken = MISTAKEN.iter().find(|(unit, ..)| path.contains(&format!("/{unit}.d/")));
            if let Some((wrong, right, why)) = mistaken.filter(|_| hooks.contains(&key)) {
                findings
                    .add(entry.place, format!("`{key}` is attached to `{wrong}`: {why}"))
                    .label("never called when the work fails")
                    .help(format!("attach it to `{right}`"));
            }
        }
    }
}

fn ignored(place: Place, key: &str, section: &str, right: &str, findings: &mut Findings<'_>) {
    findings
        .add(place, format!("`{key}` has no effect in `[{section}]`"))
        .label("systemd logs a warning and passes over it")
        .help(format!("move it to `[{right}]`"));
}
