//! SSH in automation waits for ever.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate, Machine};
use plimsoll_text::{FileId, Phrases};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-008",
    name: "patient-ssh",
    title: "SSH in automation can wait for ever",
    theme: Theme::HostAccess,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[],
    doc: include_str!("patient_ssh.md"),
    check,
};

static BATCH_MODE: LazyLock<Phrases> = LazyLock::new(|| Phrases::exact(&["BatchMode=yes"]));

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let configured = facts.files.iter().any(|(id, file)| {
        let path = facts.path(id).as_str();
        path.ends_with("ssh_config") || path.ends_with(".ssh/config") || BATCH_MODE.are_in(file)
    });
    if configured {
        return;
    }
    let mut files = BTreeMap::<FileId, Vec<&Command>>::new();
    let mut deploying = std::collections::BTreeSet::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if unit.origin.is_documentation() {
            continue;
        }
        if command.starts_services() {
            deploying.insert(unit.file);
        }
        if matches!(command.program.as_str(), "ssh" | "scp") && command.carrier.is_none() && !bounded(command)
        {
            files.entry(unit.file).or_default().push(command);
        }
    }
    // The file that reaches out most often tells most.
    let busiest = files
        .iter()
        .filter(|(file, _)| deploying.contains(file))
        .max_by_key(|(file, calls)| (calls.len(), std::cmp::Reverse(**file)));
    let chosen = busiest.or_else(|| files.first_key_value());
    let Some((file, calls)) = chosen else { return };
    // A question whose failure is expected is the less telling example.
    let Some(first) = calls.iter().find(|call| !matches!(call.fate, Fate::Tested)).or_else(|| calls.first())
    else {
        return;
    };
    let count: usize = files.values().map(Vec::len).sum();
    let finding = findings.add(
        first.place,
        format!("`{}` waits without an end for a password or an unreachable machine", first.program),
    );
    finding.label("neither `BatchMode=yes` nor `ConnectTimeout`");
    for other in files.iter().filter(|(other, _)| *other != file).filter_map(|(_, calls)| calls.first()) {
        finding.related(other.place, "the same in this file");
    }
    let all = facts.commands.iter().filter(|command| {
        matches!(command.program.as_str(), "ssh" | "scp")
            && command.machine == Machine::Workstation
            && files.contains_key(&command.place.file)
            && !carries_options(command)
            && !is_for_a_person(command)
    });
    finding.fix(edits::review(
        "give up on passwords and unreachable machines",
        all.map(|call| bound(facts, call)).collect(),
    ));
    finding
        .note(format!("{count} calls are written this way"))
        .help("give `-o BatchMode=yes -o ConnectTimeout=10`, or set both in an `ssh_config` of the project");
}

fn bounded(command: &Command) -> bool {
    command.arg_texts().any(|arg| {
        arg.contains("BatchMode") || arg.contains("ConnectTimeout") || arg == "-F" || arg.contains("${")
    })
}

/// Whether it has its options already, or takes them from a variable in front of the machine's name.
fn carries_options(command: &Command) -> bool {
    let named = |arg: &str| arg.contains("BatchMode") || arg.contains("ConnectTimeout") || arg == "-F";
    let from_variable = |arg: &str| {
        arg.split("${").skip(1).filter_map(|rest| rest.split('}').next()).any(|name| {
            let name = name.to_ascii_uppercase();
            ["OPT", "ARG", "FLAG", "[@]"].iter().any(|part| name.contains(part))
        })
    };
    command.arg_texts().any(named) || command.arg_texts().take(2).any(from_variable)
}

/// Whether somebody sits in front of it: a terminal, or no command at all.
fn is_for_a_person(command: &Command) -> bool {
    let asks = command.program == "ssh" && command.operands().nth(1).is_none() && command.heredoc.is_none();
    asks || command.flag(&["-t"]).is_some()
}

/// The options behind the program's name.
fn bound(facts: &Facts, call: &Command) -> Option<plimsoll_text::Edit> {
    let name = edits::part(facts, call.place, &call.program)?;
    (name.span.start == call.place.span.start)
        .then(|| edits::after(name, " -o BatchMode=yes -o ConnectTimeout=10"))
}
