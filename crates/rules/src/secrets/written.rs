//! Secrets that scripts write into files.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Bound, Command};
use plimsoll_text::Place;

use super::words::{is_generator, is_secret_name};

/// A `KEY=value` line that a script writes, with what makes the value.
#[derive(Clone, Debug)]
pub(crate) struct Written<'a> {
    /// The key.
    pub(crate) key: String,
    /// The value as written.
    pub(crate) value: String,
    /// The line.
    pub(crate) place: Place,
    /// The command that writes it.
    pub(crate) command: &'a Command,
    /// Whether the writer's shell expands the value.
    pub(crate) expands: bool,
    /// The text that generates it, when something does.
    pub(crate) generator: Option<String>,
}

/// The file that a command writes its input or words to.
pub(super) fn target(command: &Command) -> Option<&str> {
    let redirect =
        command.outputs.iter().find(|output| output.fd == 1).map(|output| output.target.text.as_str());
    redirect.or_else(|| {
        let names_file = command.program == "tee";
        command.operands().next().filter(|_| names_file).map(|arg| arg.value.text.as_str())
    })
}

/// All lines with keys that commands write into files, documentation left out.
pub(super) fn written(facts: &Facts) -> Vec<Written<'_>> {
    written_by(facts, facts.commands.iter())
}

/// The lines with keys that some commands write into files, documentation left out.
pub(super) fn written_by<'a>(
    facts: &'a Facts,
    commands: impl Iterator<Item = &'a Command>,
) -> Vec<Written<'a>> {
    let mut found = Vec::new();
    for command in commands {
        if facts.commands.is_only_read(command.unit) || target(command).is_none() {
            continue;
        }
        if let Some(heredoc) =
            command.heredoc.as_ref().filter(|_| matches!(command.program.as_str(), "cat" | "tee"))
        {
            let mut start = 0;
            for line in heredoc.body.text().split_inclusive('\n') {
                let text = line.trim_end();
                if let Some((key, value)) = pair(text) {
                    found.push(Written {
                        generator: generator(facts, command, value),
                        key: key.to_owned(),
                        value: value.to_owned(),
                        place: heredoc.body.place(start..start + text.len()),
                        command,
                        expands: !heredoc.quoted,
                    });
                }
                start += line.len();
            }
        } else if matches!(command.program.as_str(), "echo" | "printf") {
            for arg in &command.args {
                if let Some((key, value)) = pair(arg.word.text()) {
                    found.push(Written {
                        generator: generator(facts, command, value),
                        key: key.to_owned(),
                        value: value.to_owned(),
                        place: arg.place,
                        command,
                        expands: true,
                    });
                }
            }
        }
    }
    found
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.trim_start().split_once('=')?;
    let is_key =
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    is_key.then_some((key, value))
}

fn generator(facts: &Facts, command: &Command, value: &str) -> Option<String> {
    if is_generator(value) {
        return Some(value.to_owned());
    }
    let name = value.trim_matches(['"', '\'']).trim_start_matches(['$', '{']).trim_end_matches('}');
    let bindings = facts.commands.bindings(command.unit);
    bindings.of(name).find_map(|binding| match &binding.bound {
        Bound::Word(word) if is_generator(word.text()) && !binding.guarded => Some(word.text().to_owned()),
        _ => None,
    })
}

/// A secret that is made anew at each run and written over the last one.
#[derive(Clone, Debug)]
pub(crate) struct Regenerated {
    /// The key.
    pub(crate) key: String,
    /// The line that writes it.
    pub(crate) place: Place,
}

/// Secrets that are made anew at each run, because nothing asks whether there is one.
pub(crate) fn regenerated(facts: &Facts) -> Vec<Regenerated> {
    written(facts)
        .into_iter()
        .filter(|line| line.expands && line.generator.is_some() && !is_guarded(facts, line.command))
        .filter(|line| is_secret_name(&line.key) || line.key.ends_with("_KEY"))
        .map(|line| Regenerated { key: line.key, place: line.place })
        .collect()
}

/// Whether a condition asks for what is there already.
fn is_guarded(facts: &Facts, command: &Command) -> bool {
    let asks = |command: &Command| {
        command.guards.iter().any(|guard| {
            let text = facts.text(guard.condition);
            ["-f ", "-e ", "-s ", "-z ", "-n ", "exists", "grep"].iter().any(|word| text.contains(word))
        })
    };
    let in_function = |name: &str| {
        let mut calls =
            facts.commands.of_unit(command.unit).iter().filter(|call| call.program == name).peekable();
        calls.peek().is_some() && calls.all(asks)
    };
    asks(command)
        || command.function.as_deref().is_some_and(in_function)
        || facts.commands.of_unit(command.unit).iter().any(|earlier| {
            let leaves = matches!(earlier.program.as_str(), "return" | "exit") && earlier.id < command.id;
            leaves
                && earlier.function == command.function
                && asks(earlier)
                && facts.text(earlier.place).trim_end().ends_with(['0', 'n'])
        })
}
