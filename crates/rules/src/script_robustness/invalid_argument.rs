//! An argument or a key that its reader does not know.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_syntax::yaml::Node;
use plimsoll_text::{FileId, Place};

use super::guest_arguments::{refused, template};
use super::unread_keys;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-006",
    name: "invalid-argument",
    title: "Argument or key is not valid for the program that reads it",
    theme: Theme::ScriptRobustness,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference { title: "Proxmox VE, pct(1)", url: "https://pve.proxmox.com/pve-docs/pct.1.html" },
        Reference { title: "Proxmox VE, qm(1)", url: "https://pve.proxmox.com/pve-docs/qm.1.html" },
        Reference {
            title: "Ansible Configuration Settings",
            url: "https://docs.ansible.com/ansible/latest/reference_appendices/config.html",
        },
        Reference {
            title: "systemd.unit(5)",
            url: "https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html",
        },
    ],
    doc: include_str!("invalid_argument.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    for command in facts.commands.iter() {
        for wrong in refused(command) {
            if seen.insert(wrong.place) {
                findings.add(wrong.place, wrong.message).help(wrong.help);
            }
        }
        folder_to_push(facts, command, &mut seen, findings);
        old_boot_order(command, &mut seen, findings);
    }
    for (file, stream) in &facts.trees.yaml {
        for document in &stream.documents {
            templates(*file, document, 0, &mut seen, findings);
        }
    }
    unread_keys::ansible_settings(facts, findings);
    unread_keys::units(facts, findings);
    unread_keys::process_manager(facts, findings);
    unread_keys::user_data(facts, findings);
    unread_keys::environment_files(facts, findings);
}

/// `pct push` of a folder: it copies one file.
fn folder_to_push(
    facts: &Facts,
    command: &plimsoll_model::commands::Command,
    seen: &mut BTreeSet<Place>,
    findings: &mut Findings<'_>,
) {
    if !command.is("pct", &["push"]) {
        return;
    }
    let Some(source) = command.operands().nth(2) else { return };
    let path = source.value.text.trim_start_matches("./");
    let is_folder = path.ends_with('/')
        || !path.starts_with('/') && !path.is_empty() && facts.inventory.has_folder(path.into());
    if is_folder && seen.insert(source.place) {
        findings
            .add(source.place, format!("`pct push` copies one file, and `{path}` is a folder"))
            .help("pack it: `tar c FOLDER | pct exec ID -- tar x -C /target`");
    }
}

/// `--boot c --bootdisk …`, which `order=` replaces.
fn old_boot_order(
    command: &plimsoll_model::commands::Command,
    seen: &mut BTreeSet<Place>,
    findings: &mut Findings<'_>,
) {
    if command.program != "qm" {
        return;
    }
    let Some(disk) = command.option(&["--bootdisk", "-bootdisk"]) else { return };
    if seen.insert(disk.flag.place) {
        findings
            .add(disk.flag.place, "`--bootdisk` is deprecated")
            .severity(Severity::Low)
            .help(format!("write `--boot order={}`", disk.text));
    }
}

/// Templates in variables and modules: `ostemplate`, `template_file_id` and names that end so.
fn templates(
    file: FileId,
    node: &Node,
    depth: usize,
    seen: &mut BTreeSet<Place>,
    findings: &mut Findings<'_>,
) {
    if depth > 32 || node.alias {
        return;
    }
    for entry in node.entries() {
        let is_template = entry
            .key
            .as_str()
            .is_some_and(|key| key.ends_with("ostemplate") || key.ends_with("template_file_id"));
        let value = entry.value.as_str().filter(|_| is_template);
        let place = Place::new(file, entry.value.span);
        if let Some(wrong) = value.and_then(|value| template(value, place))
            && seen.insert(wrong.place)
        {
            findings.add(wrong.place, wrong.message).help(wrong.help);
        }
        templates(file, &entry.value, depth + 1, seen, findings);
    }
    for item in node.items() {
        templates(file, item, depth + 1, seen, findings);
    }
}
