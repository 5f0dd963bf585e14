//! Template, storage or bridge are taken for granted.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;

use super::template_names;
use crate::edits;
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
    let mut unknown = Vec::new();
    template_names::without_version(facts, &mut unknown, findings);
    template_names::pinned(facts, findings);
    let mut storages = std::collections::BTreeSet::new();
    for command in facts.commands.iter() {
        if facts.commands.is_only_read(command.unit) {
            continue;
        }
        if command.is("pveam", &["download"]) {
            template(facts, command, &unknown, findings);
        }
        if (command.is("pct", &["create"]) || command.is("qm", &["create"]))
            && storages.insert(command.place.file)
        {
            storage(facts, command, findings);
        }
    }
}

fn template(facts: &Facts, command: &Command, unknown: &[String], findings: &mut Findings<'_>) {
    let Some(build) = command.operands().nth(2).filter(|arg| !unknown.contains(&arg.value.text)) else {
        return;
    };
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
        .fix(edits::safe("bring the list of templates up to date first", refresh(facts, command)))
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
    finding.fix(edits::safe("take the storage from the environment", chosen_storage(facts, command, name)));
    finding.help("take storage and bridge from variables with a default, and check them with `pvesm status`");
}

/// `pveam update && ` in front of the download, where both run in one shell.
fn refresh(facts: &Facts, command: &Command) -> Option<Vec<plimsoll_text::Edit>> {
    let together = edits::is_quoted(facts, command) || command.carrier.is_none();
    together.then(|| vec![edits::before(command.place, "pveam update && ")])
}

/// How the script refuses values with signs that a shell would read.
const SIGNS: &str = "== *[!A-Za-z0-9_.:@/-]*";

/// A variable beside the ones that the command takes from the environment already, with the storage as its default.
fn chosen_storage(facts: &Facts, command: &Command, name: &str) -> Option<Vec<plimsoll_text::Edit>> {
    let file = facts.files.get(command.place.file);
    let defaults = command.args.iter().flat_map(|arg| &arg.value.sources).filter_map(|source| match source {
        plimsoll_model::commands::Source::Default { place, .. } if place.file == command.place.file => {
            Some(*place)
        }
        _ => None,
    });
    // `CT_DISK="${PROXMOX_CT_DISK:-20}"` shows how the script names things.
    let (place, own, outer) = defaults
        .filter_map(|place| {
            let line = file.line_text(file.line_of(place.span.start));
            let (own, rest) = line.split_once('=')?;
            let outer = rest.trim_start_matches('"').strip_prefix("${")?.split_once(":-")?.0;
            let is_name =
                |text: &str| text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            (is_name(own) && is_name(outer) && own.contains('_') && outer.contains('_'))
                .then_some((place, own, outer))
        })
        .max()?;
    let renamed = |old: &str| old.rsplit_once('_').map(|(start, _)| format!("{start}_STORAGE"));
    let (own, outer) = (renamed(own)?, renamed(outer)?);
    if file.holds(&own) {
        return None;
    }
    let check = if file.text().contains(SIGNS) {
        format!(
            "\nif [[ \"${{{own}}}\" {SIGNS} ]]; then\n    echo \"{own} holds a sign that no name has\" >&2\n    exit 2\nfi"
        )
    } else {
        String::new()
    };
    let mut edits = vec![edits::lines_after(facts, place, &format!("{own}=\"${{{outer}:-{name}}}\"{check}"))];
    let expands = |arg: &plimsoll_model::commands::Arg| {
        arg.word.parts.iter().all(|part| part.quote != plimsoll_syntax::shell::Quote::Single)
    };
    for arg in &command.args {
        let text = facts.text(arg.place);
        if text == name || text.starts_with(&format!("{name}:")) {
            let at = edits::part(facts, arg.place, name).filter(|_| expands(arg))?;
            edits.push(edits::replace(at, format!("${{{own}}}")));
        }
    }
    (edits.len() > 1).then_some(edits)
}
