//! Template, storage or bridge are taken for granted.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-005",
    name: "assumed-node-resource",
    title: "Template, storage or bridge are taken for granted",
    theme: Theme::ScriptRobustness,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("assumed_node_resource.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut storages = std::collections::BTreeSet::new();
    for command in facts.commands.iter() {
        if facts.commands.is_only_read(command.unit) {
            continue;
        }
        if command.is("pveam", &["download"]) {
            template(facts, command, findings);
        }
        if (command.is("pct", &["create"]) || command.is("qm", &["create"]))
            && storages.insert(command.place.file)
        {
            storage(facts, command, findings);
        }
    }
}

fn template(facts: &Facts, command: &Command, findings: &mut Findings<'_>) {
    let Some(build) = command.operands().nth(2) else { return };
    let looked_up = facts
        .commands
        .of_unit(command.unit)
        .iter()
        .any(|other| other.is("pveam", &["update"]) || other.is("pveam", &["available"]));
    if looked_up || !build.value.is_known() || !build.value.text.contains(".tar.") {
        return;
    }
    findings
        .add(
            command.place,
            format!("the template build `{}` is downloaded without asking for it", build.value.text),
        )
        .label("fails when the node's list is old or the build has been replaced")
        .help("run `pveam update` and pick the newest build from `pveam available`");
}

fn storage(facts: &Facts, command: &Command, findings: &mut Findings<'_>) {
    let chosen = command.option(&["--storage", "-storage", "--rootfs", "-rootfs", "--scsi0", "-scsi0"]);
    let Some(chosen) = chosen else { return };
    let name = chosen.text.split(':').next().unwrap_or_default();
    let others_open = command.args.iter().any(|arg| arg.value.is_from_outside());
    // A size from a variable behind the storage's literal name does not make the storage a choice.
    let literal = facts.text(chosen.value.place).trim_start_matches(['"', '\'']).starts_with(name)
        || facts.text(chosen.value.place).contains(&format!("={name}"));
    if !(literal && others_open && !name.is_empty()) {
        return;
    }
    let first = command.option(&["--storage", "-storage"]).unwrap_or(chosen);
    let finding = findings
        .add(first.flag.place, format!("the storage `{name}` is fixed while other settings can be chosen"));
    finding.label("a node with ZFS, Ceph or other names has no such storage").severity(Severity::Low);
    if let Some(net) = command.option(&["--net0", "-net0"]).filter(|net| net.text.contains("bridge=")) {
        finding.related(net.value.place, "the bridge is fixed as well");
    }
    finding.help("take storage and bridge from variables with a default, and check them with `pvesm status`");
}
