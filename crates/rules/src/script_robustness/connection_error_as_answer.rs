//! A broken connection is taken for an answer.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate, HopKind};
use plimsoll_text::{FileId, Place};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-003",
    name: "connection-error-as-answer",
    title: "A broken connection is taken for an answer",
    theme: Theme::ScriptRobustness,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("connection_error_as_answer.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<(Place, String)>>::new();
    for command in facts.commands.iter() {
        if facts.commands.unit(command.unit).origin.is_documentation() || !asks(command) {
            continue;
        }
        let outer = facts.commands.outermost(command);
        let remote = command.hops.iter().any(|hop| matches!(hop.kind, HopKind::Ssh { .. }));
        let tested = matches!(outer.fate, Fate::Tested | Fate::Masked { .. });
        let hidden = outer.hides_errors() || command.hides_errors();
        let status = matches!(command.program.as_str(), "pct" | "qm");
        let local = status && matches!(command.fate, Fate::Masked { .. });
        if hidden && ((remote && tested && !reached_before(facts, outer)) || local) {
            let what = format!("{} {}", command.program, command.arg(0).unwrap_or_default());
            files.entry(outer.place.file).or_default().push((outer.place, what));
        }
    }
    for places in files.values() {
        let Some((place, what)) = places.first() else { continue };
        let finding = findings
            .add(*place, format!("a failed connection looks like the answer \"no\" of `{}`", what.trim()));
        finding.label("any failure takes this branch, and the error text is thrown away");
        for (other, _) in places.iter().skip(1).filter(|(other, _)| other != place) {
            finding.related(*other, "the same here");
        }
        finding
            .help("check the connection first, and tell exit status 255 of ssh from the command's own")
            .fix(edits::safe("end the script when the machine cannot be reached", ask_first(facts, places)));
    }
}

fn asks(command: &Command) -> bool {
    match command.program.as_str() {
        "pct" | "qm" => matches!(command.arg(0), Some("status" | "config")),
        "ls" | "test" | "[" | "stat" => true,
        _ => false,
    }
}

/// Whether an earlier command of the same function ends the script when the same machine cannot be reached.
fn reached_before(facts: &Facts, ssh: &Command) -> bool {
    let target = |command: &Command| command.operands().next().map(|arg| arg.value.text.clone());
    facts.commands.of_unit(ssh.unit).iter().any(|other| {
        let mut operands = other.operands().skip(1).map(|arg| arg.value.text.as_str());
        other.program == "ssh"
            && other.id < ssh.id
            && (other.function == ssh.function || other.function.is_none())
            && operands.next().is_some_and(|word| matches!(word, "true" | ":"))
            && target(other) == target(ssh)
            && matches!(other.fate, Fate::Fatal)
    })
}

/// `ssh HOST true || exit 1` in front of each question.
fn ask_first(facts: &Facts, places: &[(Place, String)]) -> Option<Vec<plimsoll_text::Edit>> {
    let mut edits = Vec::new();
    for (place, _) in places {
        let ssh =
            facts.commands.iter().find(|command| command.place == *place && command.carrier.is_none())?;
        let target =
            ssh.operands().next().filter(|_| ssh.program == "ssh" && edits::in_script(facts, ssh))?;
        let options = ssh.args.iter().take_while(|arg| arg.place != target.place);
        let options: String = options.map(|arg| format!("{} ", facts.text(arg.place))).collect();
        let head = edits::line_head(facts, *place).trim();
        if !matches!(head, "" | "if" | "if !" | "!") {
            return None;
        }
        let line = format!("ssh {options}{} true || exit 1", facts.text(target.place));
        let edit = edits::lines_before(facts, *place, &line);
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
    Some(edits)
}
