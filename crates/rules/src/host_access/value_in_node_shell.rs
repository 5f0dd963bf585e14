//! A value from outside is read as shell text by a root shell.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Arg, Command, HopKind, Machine, Source};
use plimsoll_text::FileId;

use plimsoll_syntax::shell::PartKind;
use plimsoll_text::Edit;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-007",
    name: "value-in-node-shell",
    title: "A value from outside is read as shell text on the node",
    theme: Theme::HostAccess,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("value_in_node_shell.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files = BTreeMap::<FileId, Vec<(&Command, &Arg, String, bool)>>::new();
    for command in facts.commands.iter() {
        if facts.commands.unit(command.unit).origin.is_documentation()
            || !through_shell_on_node(facts, command)
        {
            continue;
        }
        // The wrapped command tells the same values again.
        let wraps = command.is("pct", &["exec"]) || command.is("qm", &["guest", "exec"]);
        for arg in &command.args {
            let Some((name, typed)) = outside(arg, command) else { continue };
            if is_checked(facts, command, arg) {
                continue;
            }
            if !(wraps || is_guest_id(command, arg)) {
                files.entry(command.place.file).or_default().push((command, arg, name, typed));
            }
        }
    }
    for uses in files.values() {
        let Some((command, arg, name, typed)) =
            uses.iter().find(|(.., typed)| *typed).or_else(|| uses.first())
        else {
            continue;
        };
        let finding =
            findings.add(arg.place, format!("the node's shell reads the value of `{name}` as shell text"));
        finding.label(format!("pasted into the text of `{}`", command.program)).severity(if *typed {
            Severity::Medium
        } else {
            Severity::Low
        });
        let mut named = std::collections::BTreeSet::from([name.clone()]);
        for (_, other, name, _) in uses {
            if named.insert(name.clone()) {
                finding.related(other.place, format!("`{name}` too"));
            }
        }
        finding.fix(edits::safe("refuse values with other signs than names have", checks(facts, uses)));
        finding.note("a space, `;` or `$(…)` in it is carried out by root on the hypervisor").help(
            "check the value against a list or a pattern, or quote it for the other side with `printf '%q'`",
        );
    }
}

fn through_shell_on_node(facts: &Facts, command: &Command) -> bool {
    let ssh = command.hops.iter().any(|hop| matches!(hop.kind, HopKind::Ssh { .. }));
    let carriers = std::iter::successors(Some(command), |current| {
        // A carrier comes before what it carries; anything else would lead in a circle.
        current.carrier.and_then(|id| facts.commands.get(id)).filter(|carrier| carrier.id < current.id)
    });
    let on_node = carriers.into_iter().any(|carrier| carrier.machine == Machine::Node);
    ssh && on_node
}

/// The variable that somebody else decides, and whether it is an argument of the script.
fn outside(arg: &Arg, command: &Command) -> Option<(String, bool)> {
    arg.value.sources.iter().find_map(|source| match source {
        // Arguments of functions are the script's own business.
        Source::Argument { name } => command.function.is_none().then(|| (name.clone(), true)),
        Source::Input { name } => Some((name.clone(), true)),
        Source::Default { name, .. } | Source::Environment { name } => Some((name.clone(), false)),
        _ => None,
    })
}

fn is_guest_id(command: &Command, arg: &Arg) -> bool {
    if command.program == "vzdump" {
        return command.operands().next().is_some_and(|operand| operand.place == arg.place);
    }
    matches!(command.program.as_str(), "pct" | "qm" | "lxc-attach" | "pvesh")
        && command.operands().skip(1).take(2).any(|operand| operand.place == arg.place)
}

/// The variables that a word puts into the text.
fn variables(arg: &Arg) -> impl Iterator<Item = &str> {
    arg.word.parts.iter().filter_map(|part| match &part.kind {
        PartKind::Parameter(parameter) => Some(parameter.name.as_str()),
        _ => None,
    })
}

/// Whether the script ends when the value does not fit a pattern.
fn is_checked(facts: &Facts, command: &Command, arg: &Arg) -> bool {
    let ends =
        facts.commands.of_unit(command.unit).iter().filter(|other| {
            other.id < command.id && matches!(other.program.as_str(), "exit" | "return" | "die")
        });
    let conditions: Vec<&str> =
        ends.flat_map(|end| end.guards.iter()).map(|guard| facts.text(guard.condition)).collect();
    let mut names = variables(arg).peekable();
    names.peek().is_some()
        && names.all(|name| {
            conditions.iter().any(|text| {
                (text.contains("=~") || text.contains("[!") || text.contains("[^"))
                    && (text.contains(&format!("${{{name}}}")) || text.contains(&format!("${name}")))
            })
        })
}

/// One check of all values, behind the line that takes the last of them. Nothing for more than a few: a script that
/// takes so many needs a function for it.
fn checks(facts: &Facts, uses: &[(&Command, &Arg, String, bool)]) -> Option<Vec<Edit>> {
    let mut taken = Vec::new();
    for (command, arg, ..) in uses {
        for name in variables(arg) {
            if taken.iter().any(|(_, known)| *known == name) {
                continue;
            }
            let binding = facts.commands.bindings(command.unit).of(name).next()?;
            let alone = edits::line_head(facts, binding.place).trim().is_empty()
                && edits::line_tail(facts, binding.place).trim().is_empty();
            if !alone || !in_bash(facts, command) || binding.function.is_some() {
                return None;
            }
            taken.push((binding.place, name));
        }
    }
    taken.sort();
    let (last, _) = taken.last().filter(|_| taken.len() <= 8)?;
    let values: String = taken.iter().map(|(_, name)| format!("${{{name}}}")).collect();
    let names: Vec<&str> = taken.iter().map(|(_, name)| *name).collect();
    let lines = format!(
        "if [[ \"{values}\" == *[!A-Za-z0-9_.:@/-]* ]]; then\n    echo \"only letters, digits and _.:@/- may stand in {}\" >&2\n    exit 2\nfi",
        names.join(", ")
    );
    Some(vec![edits::lines_after(facts, *last, &lines)])
}

fn in_bash(facts: &Facts, command: &Command) -> bool {
    let text = facts.files.get(command.place.file).text();
    edits::in_script(facts, command) && text.lines().next().is_some_and(|line| line.contains("bash"))
}
