//! What scripts take for granted about the machine on the other side.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Origin, Source, Value};
use plimsoll_text::{Place, Span};

use crate::Findings;

/// `NAME=value ssh host 'bash -s'`: the variable stays on this side.
pub(super) fn left_behind(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter().filter(|command| command.program == "ssh") {
        let script = command.arg_texts().any(|text| text.ends_with("bash -s") || text.ends_with("sh -s"))
            || command.arg_texts().any(|text| text == "-s");
        let sends = command.arg_texts().any(|text| text.contains("SendEnv") || text.contains("SetEnv"));
        let named =
            command.assignments.iter().find(|(name, ..)| !matches!(name.as_str(), "SSHPASS" | "SSH_ASKPASS"));
        if let Some((name, _, place)) = named.filter(|_| script && !sends) {
            report_left_behind(*place, name, findings);
        }
    }
    for (_, unit) in facts.commands.units().filter(|(_, unit)| unit.origin == Origin::Script) {
        let comments = &unit.script.comments;
        for (index, comment) in comments.iter().enumerate() {
            let text = comment.text.trim();
            let mut whole = text.trim_end_matches('\\').to_owned();
            if text.ends_with('\\') {
                whole.push_str(comments.get(index + 1).map_or("", |next| next.text.trim()));
            }
            let Some((name, rest)) = whole.split_once('=') else { continue };
            let is_name = !name.is_empty()
                && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            let call = rest.split_once("ssh ").map(|(_, call)| call);
            let is_script = call.is_some_and(|call| call.contains("bash -s") || call.contains("sh -s"));
            if is_name && is_script && !rest.contains("SendEnv") {
                report_left_behind(
                    Place::new(unit.file, Span::new(comment.span.start, comment.span.end)),
                    name,
                    findings,
                );
            }
        }
    }
}

fn report_left_behind(place: Place, name: &str, findings: &mut Findings<'_>) {
    findings
        .add(
            place,
            format!("`{name}` is set on this side of `ssh` and does not reach the script on the other"),
        )
        .help(format!("set it there: `ssh HOST \"{name}=value bash -s\" < script.sh`"));
}

/// The number of a guest written out in one step, while the others take it from a variable.
pub(super) fn fixed_guest(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, unit) in facts.commands.units() {
        if unit.origin != Origin::Script {
            continue;
        }
        let ids: Vec<(&Command, &Value)> = facts
            .commands
            .of_unit(id)
            .iter()
            .filter(|command| matches!(command.program.as_str(), "pct" | "qm"))
            .filter_map(|command| Some((command, &command.operands().nth(1)?.value)))
            .filter(|(_, value)| !value.text.is_empty() && value.text.bytes().all(|b| b.is_ascii_digit()))
            .collect();
        let variable = facts.commands.of_unit(id).iter().flat_map(|command| &command.args).find_map(|arg| {
            arg.value.sources.iter().find_map(|source| match source {
                Source::Assigned { name, place } | Source::Default { name, place } => {
                    let text = facts.text(*place);
                    ids.iter()
                        .find(|(_, value)| {
                            value.sources.is_empty()
                                && text.trim_end_matches(['"', '\'', '}']).ends_with(value.text.as_str())
                                && text.contains(name.as_str())
                        })
                        .map(|(_, value)| (name.clone(), *place, value.text.clone()))
                }
                _ => None,
            })
        });
        let Some((name, place, number)) = variable else { continue };
        let mut fixed = ids.iter().filter(|(_, value)| value.sources.is_empty() && value.text == number);
        let Some((first, _)) = fixed.next() else { continue };
        let finding = findings.add(
            first.place,
            format!("guest `{number}` is written out here, while `{name}` names it elsewhere"),
        );
        finding.related(place, "another number here does not reach that step");
        for (other, _) in fixed {
            finding.related(other.place, "written out here, too");
        }
        finding.help(format!("use `${name}`"));
    }
}

/// Features or devices of a guest that only its next start puts in force, which nobody starts again.
pub(super) fn not_applied(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let unit = facts.commands.unit(procedure.unit);
        if unit.origin.is_documentation() || !matches!(unit.origin, Origin::Script) {
            continue;
        }
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        for (index, step) in steps.iter().enumerate() {
            let option = step.option(&["--features", "-features"]).filter(|_| step.is("pct", &["set"]));
            let Some(option) = option else { continue };
            let starts = |other: &&&Command| {
                other.is("pct", &["start"])
                    || other.is("pct", &["reboot"])
                    || other.is("pct", &["create"])
                    || other.is("pct", &["stop"])
                    || other.is("pct", &["shutdown"])
            };
            let later = steps.get(index + 1..).unwrap_or_default().iter().find(starts);
            let stopped = steps.get(..index).unwrap_or_default().iter().rfind(starts);
            let off =
                stopped.is_some_and(|other| !other.is("pct", &["start"]) && !other.is("pct", &["reboot"]));
            if later.is_none() && !off && seen.insert(step.place) {
                findings
                    .add(
                        step.place,
                        format!("`--features {}` has no effect before the guest starts again", option.text),
                    )
                    .label("nothing here restarts it")
                    .help("run `pct reboot` behind it, or pass the features when the guest is created");
            }
        }
    }
}
