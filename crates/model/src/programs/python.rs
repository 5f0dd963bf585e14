//! Commands that a Python program starts: `subprocess`, `os.system`, Paramiko's `exec_command` and wrappers named alike.

use std::sync::Arc;

use plimsoll_syntax::python::{self, Expr, ExprKind, StatementKind};
use plimsoll_syntax::shell::{self, Script, SimpleCommand, Stmt, StmtKind};
use plimsoll_text::{FileId, Layer, Place, Span};

use crate::commands::{Machine, Origin, Strict, Unit};

/// The commands of a program, one unit for each call.
pub(crate) fn python(file: FileId, layer: &Layer) -> Vec<Unit> {
    // Most modules start nothing; a look at the text saves reading them.
    let text = layer.text();
    if !["subprocess", "os.system", "os.popen", "exec_command", "paramiko", "fabric", "run_command", "ssh"]
        .iter()
        .any(|word| text.contains(word))
    {
        return Vec::new();
    }
    let module = python::parse(layer);
    let mut named: Vec<(&str, &Expr<'_>)> = Vec::new();
    module.walk(&mut |_, statement| {
        if let StatementKind::Assign { targets, value: Some(value), .. } = &statement.kind {
            named.extend(targets.iter().filter_map(|target| Some((target.last_name()?, value))));
        }
    });
    let mut units = Vec::new();
    module.walk(&mut |_, statement| {
        for expression in statement.expressions() {
            expression.walk(&mut |expression| units.extend(call(file, layer, expression, &named)));
        }
    });
    units.sort_by_key(|unit: &Unit| unit.place);
    units.dedup_by_key(|unit| unit.place);
    units
}

fn call(file: FileId, layer: &Layer, expression: &Expr<'_>, named: &[(&str, &Expr<'_>)]) -> Option<Unit> {
    let (function, _) = expression.as_call()?;
    let name = function.last_name()?;
    let far = matches!(name, "exec_command" | "sudo") || name.contains("ssh") || name.contains("remote");
    let near = matches!(
        name,
        "run" | "call" | "check_call" | "check_output" | "Popen" | "system" | "popen" | "getoutput"
    ) && function
        .dotted()
        .is_none_or(|path| path.starts_with("subprocess.") || path.starts_with("os.") || !path.contains('.'));
    let wrapper =
        ["run_command", "run_cmd", "execute", "exec_cmd", "run_shell", "shell", "cmd", "command", "exec"]
            .contains(&name);
    if !(far || near || wrapper) {
        return None;
    }
    // A wrapper may take a client or a host first; the command is the first argument that reads like one.
    let (_, arguments) = expression.as_call()?;
    let candidates =
        arguments.iter().filter(|argument| matches!(argument.name, None | Some("args" | "command"))).take(3);
    let script =
        candidates.map(|argument| follow(&argument.value, named)).find_map(|value| program(layer, value))?;
    let place = script.body.first().map(|stmt| Place::new(file, stmt.span))?;
    Some(Unit {
        file,
        origin: Origin::Program,
        place,
        script: Arc::new(script),
        machine: if far { Machine::Guest } else { Machine::Workstation },
        strict: Strict::default(),
        environment: Vec::new(),
        directory: None,
    })
}

/// The value of a name: what was assigned to it last before its use.
fn follow<'a, 'b>(value: &'b Expr<'a>, named: &[(&str, &'b Expr<'a>)]) -> &'b Expr<'a> {
    let ExprKind::Name(name) = &value.kind else { return value };
    let earlier =
        named.iter().rev().find(|(key, text)| key == name && text.place.span.start < value.place.span.start);
    earlier.map_or(value, |(_, text)| text)
}

fn program(layer: &Layer, value: &Expr<'_>) -> Option<Script> {
    match &value.kind {
        ExprKind::String(text) => {
            let inner = text.layer(layer);
            let first = inner.text().split_whitespace().next()?;
            let reads_like_one = inner.text().trim().contains(char::is_whitespace)
                || matches!(first, "reboot" | "poweroff" | "hostname");
            let is_word = first
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '{' | '}' | '='));
            (reads_like_one && is_word).then(|| shell::parse(&inner)).filter(|script| !script.body.is_empty())
        }
        ExprKind::List(items) => {
            let words: Vec<_> = items
                .iter()
                .map(|item| match &item.kind {
                    ExprKind::String(text) => shell::literal_word(&text.layer(layer)),
                    _ => shell::literal_word(&source(layer, item)),
                })
                .collect();
            let span = words.iter().map(|word| word.span).reduce(Span::cover)?;
            let kind = StmtKind::Simple(SimpleCommand { assignments: Vec::new(), words });
            let stmt = Stmt { kind, span, negated: false, background: false, redirects: Vec::new() };
            Some(Script { body: vec![stmt], ..Script::default() })
        }
        _ => None,
    }
}

/// The text of an expression as it stands; the layer of a file holds it at its own place.
fn source(layer: &Layer, expression: &Expr<'_>) -> Layer {
    layer.slice(expression.place.span.range())
}
