//! Steps that change more with every run.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, Origin};
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-011",
    name: "repeated-changes",
    title: "Running it again changes more than it should",
    theme: Theme::ScriptRobustness,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("repeated_changes.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    appends(facts, findings);
    restarts(facts, findings);
    every_guest(facts, findings);
}

/// Lines that are added to a configuration without a look whether they are there.
fn appends(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files: BTreeMap<FileId, Vec<(Place, String)>> = BTreeMap::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let runs = !matches!(
            unit.origin,
            Origin::CodeBlock { .. } | Origin::ImageBuild | Origin::ServiceCommand { .. } | Origin::CloudInit
        );
        if !runs || command.machine == Machine::Workstation && !matches!(unit.origin, Origin::Script) {
            continue;
        }
        let Some(target) = appended(command) else { continue };
        let commands = facts.commands.of_unit(command.unit);
        let creates =
            commands.iter().any(|other| other.is("pct", &["create"]) || other.is("qm", &["create"]));
        let begins_anew = commands.iter().any(|other| {
            other.place != command.place
                && (other.outputs.iter().any(|output| !output.append && output.target.text == target)
                    || matches!(other.program.as_str(), "sed" | "rm" | "cp")
                        && other.arg_texts().any(|text| text == target))
        });
        if !creates && !begins_anew && !looks_first(facts, command) {
            files.entry(command.place.file).or_default().push((command.place, target));
        }
    }
    for places in files.values_mut() {
        places.dedup();
        let Some(((place, target), rest)) = places.split_first() else { continue };
        let finding = findings.add(*place, format!("every run adds the same lines to `{target}` again"));
        for (place, target) in rest {
            finding.related(*place, format!("`{target}` grows, too"));
        }
        finding.help("look first (`grep -qxF LINE FILE || echo LINE >> FILE`), or write the file as a whole");
    }
}

/// The configuration that a command appends to.
fn appended(command: &Command) -> Option<String> {
    let by_redirect = command.outputs.iter().filter(|output| output.append).map(|output| &output.target.text);
    let by_tee = (command.program == "tee" && command.flag(&["-a", "--append"]).is_some())
        .then(|| command.operands().next().map(|arg| &arg.value.text))
        .flatten();
    let target = by_redirect.chain(by_tee).find(|target| is_configuration(target))?;
    Some(target.clone())
}

fn is_configuration(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        name,
        "authorized_keys"
            | ".bashrc"
            | ".profile"
            | ".bash_profile"
            | "fstab"
            | "hosts"
            | "environment"
            | "sysctl.conf"
            | "subuid"
            | "subgid"
            | "sshd_config"
            | "crontab"
            | "interfaces"
            | "modules"
    ) || path.starts_with("/etc/pve/") && path.ends_with(".conf")
}

fn looks_first(facts: &Facts, command: &Command) -> bool {
    let guarded = command
        .guards
        .iter()
        .map(|guard| facts.text(guard.condition))
        .any(|text| text.contains("grep") || text.contains("! -f") || text.contains("-z "));
    let file = facts.files.get(command.place.file);
    let line = file.line_text(file.line_of(command.place.span.start));
    // Programs and plays look in a step before.
    let number = file.line_of(command.place.span.start);
    let near = (number.saturating_sub(20)..number).any(|line| file.line_text(line).contains("already"));
    let task = matches!(&facts.commands.unit(command.unit).origin, Origin::AnsibleTask { .. })
        && (number..number + 4)
            .take_while(|line| !file.line_text(*line).starts_with("- "))
            .any(|line| file.line_text(line).contains("when:"));
    guarded || near || task || line.contains("grep ") && line.contains("||")
}

/// Ansible tasks that stop or restart a guest in every run.
fn restarts(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let Origin::AnsibleTask { name } = &unit.origin else { continue };
        let stops = command.is("pct", &["stop"])
            || command.is("pct", &["reboot"])
            || command.is("qm", &["stop"])
            || command.is("qm", &["reboot"])
            || command.program == "reboot";
        let path = facts.path(unit.file).as_str();
        if !stops || path.contains("handlers") || name.to_ascii_lowercase().contains("destroy") {
            continue;
        }
        let text = facts.files.get(unit.file).text();
        let before = text.get(..command.place.span.start as usize).unwrap_or_default();
        let start = before.rfind("- name:").unwrap_or(0);
        let after = text.get(command.place.span.end as usize..).unwrap_or_default();
        let end = after.find("\n- ").or_else(|| after.find("- name:")).unwrap_or(after.len());
        let task = text.get(start..command.place.span.end as usize + end).unwrap_or_default();
        let removes = ["state: absent", "pct destroy", "qm destroy"].iter().any(|word| text.contains(word));
        if !task.contains("when:") && !removes {
            findings
                .add(
                    command.place,
                    format!("`{}` runs in every play, also when nothing has changed", words(command)),
                )
                .label("no `when`, no handler")
                .note("each run interrupts the services of the guest")
                .help("make it a handler, and `notify` it from the tasks that need it");
        }
    }
}

fn words(command: &Command) -> String {
    let verb = command.operands().next().map_or("", |arg| arg.value.text.as_str());
    let verb = if matches!(command.program.as_str(), "pct" | "qm") { verb } else { "" };
    format!("{} {verb}", command.program).trim().to_owned()
}

/// A setting that is applied to whatever guests the node has.
fn every_guest(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files: BTreeMap<FileId, Vec<&Command>> = BTreeMap::new();
    for command in facts.commands.iter() {
        if facts.commands.unit(command.unit).origin.is_documentation() {
            continue;
        }
        let changes = ["set", "stop", "shutdown", "reboot", "destroy"]
            .iter()
            .any(|verb| command.is("pct", &[verb]) || command.is("qm", &[verb]));
        let unknown = command.operands().nth(1).is_some_and(|arg| arg.value.text.starts_with(['$', '{']));
        let in_program = facts.commands.unit(command.unit).origin == Origin::Program;
        if changes && unknown && (command.in_loop || in_program) {
            files.entry(command.place.file).or_default().push(command);
        }
    }
    for (file, changes) in files {
        let list = facts.commands.iter().find(|command| {
            command.place.file == file && (command.is("pct", &["list"]) || command.is("qm", &["list"]))
        });
        let filtered = list.is_some_and(|list| {
            let text = facts.files.get(file);
            let line = text.line_text(text.line_of(list.place.span.start));
            line.contains("grep") || line.contains("tag")
        });
        let (Some(list), Some(first)) = (list.filter(|_| !filtered), changes.first()) else { continue };
        let finding = findings
            .add(first.place, "this changes every guest of the node, not only those of the application");
        finding.related(list.place, "all guests are listed here");
        for other in changes.iter().skip(1) {
            finding.related(other.place, "here as well");
        }
        finding.help("name the guests that belong to the application, or choose them by a tag");
    }
}
