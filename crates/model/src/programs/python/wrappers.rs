//! Functions that hand one of their arguments to a shell.

use std::collections::BTreeMap;

use plimsoll_syntax::python::{Argument, Expr, ExprKind, Module, StatementKind};

/// How a call runs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// Where the program runs.
    Here,
    /// At the other end of an SSH connection.
    There,
}

/// A function of the module that runs a command it is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wrapper {
    pub(super) runs: Runs,
    /// The argument that is the command, from 0, the instance left out.
    pub(super) argument: usize,
    /// Whether a failure ends the program.
    pub(super) checked: bool,
}

/// The wrappers of a module, also those that call other wrappers.
pub(super) fn find<'a>(module: &Module<'a>) -> BTreeMap<&'a str, Wrapper> {
    let mut found = BTreeMap::new();
    for _ in 0..3 {
        let before = found.len();
        module.walk(&mut |_, statement| {
            let StatementKind::Function { name, parameters, body, .. } = &statement.kind else { return };
            let names: Vec<&str> = parameters
                .iter()
                .map(|one| one.name)
                .filter(|name| !matches!(*name, "self" | "cls"))
                .collect();
            let mut wrapper = None;
            let mut leaves = false;
            each(body, &mut |expression| {
                let Some((function, arguments)) = expression.as_call() else { return };
                leaves |= matches!(function.last_name(), Some("exit" | "_exit"));
                let Some((runs, checked)) = kind(function, arguments, &found) else { return };
                let given = arguments.iter().take(3).find_map(|argument| passed(&argument.value, &names));
                if let Some(argument) = given.filter(|_| wrapper.is_none()) {
                    wrapper = Some(Wrapper { runs, argument, checked });
                }
            });
            for statement in body {
                leaves |= raises(statement);
            }
            if let Some(wrapper) = wrapper {
                found.entry(name).or_insert(Wrapper { checked: wrapper.checked || leaves, ..wrapper });
            }
        });
        if found.len() == before {
            break;
        }
    }
    found
}

fn raises(statement: &plimsoll_syntax::python::Statement<'_>) -> bool {
    matches!(statement.kind, StatementKind::Raise(_)) || statement.body().iter().any(raises)
}

fn each<'a>(body: &[plimsoll_syntax::python::Statement<'a>], visit: &mut dyn FnMut(&Expr<'a>)) {
    for statement in body {
        for expression in statement.expressions() {
            expression.walk(&mut |inner| visit(inner));
        }
        each(statement.body(), visit);
    }
}

/// Which parameter an argument passes on, as it is or inside a list that calls a shell.
fn passed(value: &Expr<'_>, parameters: &[&str]) -> Option<usize> {
    let name = match &value.kind {
        ExprKind::Name(name) => *name,
        ExprKind::List(items) => match items.last().map(|item| &item.kind) {
            Some(ExprKind::Name(name)) => *name,
            _ => return None,
        },
        _ => return None,
    };
    parameters.iter().position(|parameter| *parameter == name)
}

/// What a call of a well-known function does, and whether it fails when the command fails.
pub(super) fn kind(
    function: &Expr<'_>,
    arguments: &[Argument<'_>],
    wrappers: &BTreeMap<&str, Wrapper>,
) -> Option<(Runs, bool)> {
    let name = function.last_name()?;
    if let Some(wrapper) = wrappers.get(name).filter(|_| name != "exec_command") {
        return Some((wrapper.runs, wrapper.checked));
    }
    let path = function.dotted();
    let of_module = |module: &str| path.as_deref().is_some_and(|path| path.starts_with(module));
    let by_path = of_module("subprocess.") || of_module("os.") || path.as_deref() == Some(name);
    let checks = arguments
        .iter()
        .any(|argument| argument.name == Some("check") && argument.value.as_bool() == Some(true));
    match name {
        "exec_command" => Some((Runs::There, false)),
        "run" | "call" | "Popen" | "system" | "popen" | "getoutput" | "getstatusoutput" if by_path => {
            Some((Runs::Here, checks))
        }
        "check_call" | "check_output" if by_path => Some((Runs::Here, true)),
        "create_subprocess_shell" => Some((Runs::Here, false)),
        _ => None,
    }
}

/// What a function that another module defines does, by its name.
pub(super) fn by_name(name: &str) -> Option<Runs> {
    let lower = name.to_ascii_lowercase();
    if lower == "sudo" || lower.contains("ssh") || lower.contains("remote") {
        return Some(Runs::There);
    }
    ["run_command", "run_cmd", "execute", "exec_cmd", "run_shell", "shell", "cmd", "command", "exec"]
        .contains(&lower.as_str())
        .then_some(Runs::Here)
}
