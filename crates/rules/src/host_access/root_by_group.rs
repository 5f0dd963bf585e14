//! An account is root without saying so.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plimsoll_model::commands::{Command, Machine, Origin};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Phrases, Place};

use super::lines::effective_lines;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-011",
    name: "root-by-group",
    title: "An account becomes root without a password",
    theme: Theme::HostAccess,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker documentation, Docker daemon attack surface",
        url: "https://docs.docker.com/engine/security/#docker-daemon-attack-surface",
    }],
    doc: include_str!("root_by_group.md"),
    check,
};

static NOPASSWD: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(&["NOPASSWD"]));

/// Groups whose members are root by one more command.
const GROUPS: &[&str] = &["docker", "sudo", "wheel", "disk", "lxd", "root"];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<(Place, String)>>::new();
    for (file, place, text) in effective_lines(facts, &NOPASSWD) {
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if plain.contains("NOPASSWD:ALL") && is_of_guest(facts, file) {
            files
                .entry(file)
                .or_default()
                .push((place, "`sudo` without a password, for every command".to_owned()));
        }
    }
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let of_guest = command.machine == Machine::Guest
            || matches!(unit.origin, Origin::CloudInit | Origin::AnsibleTask { .. });
        if !of_guest || command.machine == Machine::Build || facts.commands.is_only_read(command.unit) {
            continue;
        }
        if let Some(group) = joined(command) {
            files.entry(unit.file).or_default().push((command.place, format!("a member of group `{group}`")));
        }
    }
    for places in files.values() {
        let Some(((place, what), rest)) = places.split_first() else { continue };
        let finding = findings.add(*place, format!("an account of the guest is root: {what}"));
        finding.label("root without a password");
        for (place, what) in rest {
            finding.related(*place, what.clone());
        }
        finding.note("whoever takes over this account, or a program that runs as it, owns the guest").help(
            "let the deployment's own account run only the commands that it needs, or use rootless Docker",
        );
    }
}

/// Files that set up machines, not those of a workstation.
fn is_of_guest(facts: &Facts, file: FileId) -> bool {
    matches!(
        facts.trees.kind(file),
        Kind::CloudInit | Kind::Ansible | Kind::Shell | Kind::Terraform | Kind::Yaml | Kind::Python
    ) && !facts.is_development(file)
}

/// The group that a command puts an account into.
fn joined(command: &Command) -> Option<String> {
    let known = |text: &str| {
        GROUPS
            .iter()
            .find(|group| text.split(',').any(|part| part == **group))
            .map(|group| (*group).to_owned())
    };
    match command.program.as_str() {
        "usermod" | "useradd" => {
            let groups = command.args.iter().skip_while(|arg| {
                let text = arg.value.text.as_str();
                text != "--groups"
                    && !(text.starts_with('-') && !text.starts_with("--") && text.ends_with('G'))
            });
            groups.skip(1).find_map(|arg| known(&arg.value.text))
        }
        "gpasswd" => command
            .flag(&["-a", "--add"])
            .and_then(|_| command.operands().last())
            .and_then(|arg| known(&arg.value.text)),
        "adduser" | "addgroup" => {
            let names: Vec<_> = command.operands().collect();
            (names.len() == 2).then(|| names.last().and_then(|arg| known(&arg.value.text))).flatten()
        }
        _ => None,
    }
}
