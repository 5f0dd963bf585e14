//! Security updates do not reach the guest.

use std::sync::LazyLock;

use plimsoll_model::commands::{Command, Machine, Origin};
use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::yaml::Node;
use plimsoll_text::{FileId, Phrases, Place};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "LIF-003",
    name: "no-unattended-upgrades",
    title: "Security updates do not reach the guest",
    theme: Theme::Lifecycle,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "Debian Wiki, UnattendedUpgrades",
        url: "https://wiki.debian.org/UnattendedUpgrades",
    }],
    doc: include_str!("no_unattended_upgrades.md"),
    check,
};

static PATCHERS: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::new(&[
        "unattended-upgrades",
        "unattended_upgrades",
        "dnf-automatic",
        "yum-cron",
        "needrestart",
        "apt-daily-upgrade",
    ])
});

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    restart_instead_of_update(facts, findings);
    let patched = facts
        .files
        .iter()
        .filter(|(id, _)| facts.trees.kind(*id) != Kind::Markdown)
        .any(|(_, file)| PATCHERS.are_in(file));
    if patched || !facts.guests.real().any(|guest| guest.created) {
        return;
    }
    let packages = facts.commands.iter().find(|command| {
        command.machine == Machine::Guest
            && matches!(command.program.as_str(), "apt" | "apt-get" | "apk" | "dnf" | "yum")
            && !facts.commands.unit(command.unit).origin.is_documentation()
    });
    let Some(packages) = packages else { return };
    let finding =
        findings.add(packages.place, "nothing installs security updates in the guest after this day");
    finding.label("packages are brought up to date here, once");
    if let Some(guest) = facts.guests.real().find(|guest| guest.created) {
        finding.related(guest.place, "the guest is made here");
    }
    for place in upgrades(facts) {
        finding.related(place, "upgrades only when somebody runs this play");
    }
    finding
        .note("the engine, OpenSSH and the libraries keep the holes that are found from now on")
        .help("install and enable `unattended-upgrades` in the guest")
        .fix(edits::review("install `unattended-upgrades` with the other packages", install(facts)));
}

/// The package beside those that are installed in the guest already.
fn install(facts: &Facts) -> Option<Vec<plimsoll_text::Edit>> {
    let install = facts.commands.iter().find(|command| {
        command.machine == Machine::Guest
            && command.is("apt-get", &["install"])
            && !facts.commands.unit(command.unit).origin.is_documentation()
            && command.operands().nth(1).is_some()
    })?;
    let last = edits::last_word(install);
    // One package a line stays one package a line.
    let alone = edits::line_head(facts, last).trim().is_empty() && install.place.span.start < last.span.start;
    let gap = if alone { format!(" \\\n{}", edits::indent_of(facts, last)) } else { " ".to_owned() };
    Some(vec![edits::after(last, format!("{gap}unattended-upgrades"))])
}

/// A task called "update" that restarts containers and gets no newer image.
fn restart_instead_of_update(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, unit) in facts.commands.units() {
        let path = facts.path(unit.file).file_stem().unwrap_or_default().to_lowercase();
        let name = match &unit.origin {
            Origin::Task { name } | Origin::Recipe { name } | Origin::AnsibleTask { name } => {
                name.to_lowercase()
            }
            Origin::Script => path.clone(),
            _ => continue,
        };
        let is_update = |text: &str| text.contains("update") || text.contains("upgrade");
        if !is_update(&name) && !is_update(&path) {
            continue;
        }
        let commands = facts.commands.of_unit(id);
        let Some(restart) = commands.iter().find(|c| c.is("docker", &["compose", "restart"])) else {
            continue;
        };
        let renews = |c: &Command| {
            ["pull", "build", "up"]
                .iter()
                .any(|verb| c.is("docker", &["compose", verb]) || c.is("docker", &[verb]))
        };
        let in_file = facts.commands.in_file(unit.file);
        if !in_file.into_iter().any(renews) {
            findings
                .add(restart.place, "this update restarts the containers from the images they already had")
                .label("`restart` neither pulls nor makes a container anew")
                .help("run `docker compose pull` and `docker compose up -d`");
        }
    }
}

/// Tasks of Ansible that upgrade all packages, by module or by command.
fn upgrades(facts: &Facts) -> Vec<Place> {
    let by_command = facts.commands.iter().filter(|command| {
        matches!(command.program.as_str(), "apt" | "apt-get" | "apk" | "dnf")
            && matches!(
                command.arg_texts().find(|arg| !arg.starts_with('-')),
                Some("upgrade" | "dist-upgrade" | "full-upgrade")
            )
            && matches!(facts.commands.unit(command.unit).origin, Origin::AnsibleTask { .. })
    });
    let mut out: Vec<Place> = by_command.map(|command| command.place).collect();
    for (file, stream) in facts.trees.yaml_of(Kind::Ansible) {
        for document in &stream.documents {
            collect(file, document, &mut out);
        }
    }
    out
}

fn collect(file: FileId, node: &Node, out: &mut Vec<Place>) {
    for entry in node.entries() {
        if matches!(entry.key.as_str(), Some("apt" | "ansible.builtin.apt" | "dnf" | "ansible.builtin.dnf"))
            && let Some(upgrade) = entry.value.entry("upgrade")
        {
            out.push(Place::new(file, upgrade.key.span));
        }
        collect(file, &entry.value, out);
    }
    for item in node.items() {
        collect(file, item, out);
    }
}
