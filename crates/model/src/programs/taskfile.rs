//! Taskfile (taskfile.dev schema version 3): each task is one program.

use std::sync::Arc;

use plimsoll_syntax::shell::Script;
use plimsoll_syntax::yaml::{Node, Stream};
use plimsoll_text::{FileId, Place};

use super::environment;
use crate::commands::{Machine, Origin, Strict, Unit};

/// The tasks of a Taskfile.
pub(crate) fn taskfile(file: FileId, stream: &Stream) -> Vec<Unit> {
    let mut units = Vec::new();
    for document in &stream.documents {
        let global = [
            environment(file, document.get("vars").map(AsRef::as_ref)),
            environment(file, document.get("env").map(AsRef::as_ref)),
        ]
        .concat();
        let Some(tasks) = document.get("tasks") else { continue };
        for entry in tasks.entries() {
            let Some(name) = entry.key.as_str() else { continue };
            let task = &entry.value;
            let mut script = Script::default();
            for dependency in task.get("deps").map(|deps| deps.items()).unwrap_or_default() {
                call(dependency, &mut script);
            }
            match task.get("cmds").or_else(|| task.get("cmd")) {
                Some(commands) if commands.is_sequence() => {
                    commands.items().iter().for_each(|command| piece(command, &mut script));
                }
                Some(command) => piece(command, &mut script),
                None if task.is_sequence() => {
                    task.items().iter().for_each(|command| piece(command, &mut script));
                }
                None if task.as_str().is_some() => piece(task, &mut script),
                None => {}
            }
            let mut variables = environment(file, task.get("env").map(AsRef::as_ref));
            variables.extend(environment(file, task.get("vars").map(AsRef::as_ref)));
            variables.extend(global.iter().cloned());
            units.push(Unit {
                file,
                origin: Origin::Task { name: name.to_owned() },
                place: Place::new(file, entry.key.span),
                script: Arc::new(script),
                machine: Machine::Workstation,
                // task stops at the first command that fails, and its shell has `set -e` semantics for each command.
                strict: Strict { errexit: true, ..Strict::default() },
                environment: variables,
                directory: task.get("dir").and_then(|dir| dir.as_str()).map(str::to_owned),
            });
        }
    }
    units
}

fn piece(command: &Node, script: &mut Script) {
    if let Some(scalar) = command.scalar() {
        super::append(script, &scalar.layer);
        return;
    }
    if let Some(text) = command.get("cmd").and_then(|cmd| cmd.scalar()) {
        super::append(script, &text.layer);
    } else if let Some(text) = command.get("defer").and_then(|defer| defer.scalar()) {
        super::append(script, &text.layer);
    } else if command.get("task").is_some() {
        call(command, script);
    }
}

/// A call of another task becomes the command `task NAME`.
fn call(node: &Node, script: &mut Script) {
    let name = node.scalar().or_else(|| node.get("task").and_then(|task| task.scalar()));
    if let Some(name) = name {
        super::call(script, "task", &name.layer);
    }
}
