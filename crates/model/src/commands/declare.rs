//! Pass one over a program: its variables and functions.

use plimsoll_syntax::shell::{self, PartKind, Script, Stmt, StmtKind};
use plimsoll_text::Place;

use super::bindings::{Binding, Bindings, Bound};
use super::reading::{Function, Reading};
use super::unit::Unit;

/// The variables of a program alone, for those that source it.
pub(super) fn bindings_of(unit: &Unit) -> Bindings {
    let mut out = Reading::default();
    let mut order = 0;
    collect_bindings(&unit.script, unit.place.file, None, false, &mut order, &mut out, 0);
    out.bindings
}

/// Pass one: variables and functions, so that uses before definitions resolve. The order numbers here and in the
/// second pass run alike because both visit statements in the same order.
pub(super) fn collect_bindings(
    script: &Script,
    file: plimsoll_text::FileId,
    function: Option<&str>,
    guarded: bool,
    order: &mut u32,
    out: &mut Reading,
    depth: usize,
) {
    for stmt in &script.body {
        collect_stmt(stmt, file, function, guarded, order, out, depth);
    }
}

fn collect_stmt(
    stmt: &Stmt,
    file: plimsoll_text::FileId,
    function: Option<&str>,
    guarded: bool,
    order: &mut u32,
    out: &mut Reading,
    depth: usize,
) {
    if depth > 200 {
        return;
    }
    let each = |list: &[Stmt], guarded: bool, function: Option<&str>, order: &mut u32, out: &mut Reading| {
        for stmt in list {
            collect_stmt(stmt, file, function, guarded, order, out, depth + 1);
        }
    };
    let bind = |name: &str, bound, span, append, order: u32, out: &mut Reading| {
        out.bindings.push(Binding {
            name: name.to_owned(),
            order,
            function: function.map(str::to_owned),
            bound,
            place: Place::new(file, span),
            guarded,
            append,
        });
    };
    match &stmt.kind {
        StmtKind::Simple(_) if is_nothing(stmt) => {}
        StmtKind::Simple(simple) => {
            *order += 1;
            let program = simple.words.first().map(|word| word.text());
            let keeps =
                matches!(program, None | Some("export" | "local" | "declare" | "readonly" | "typeset"));
            if keeps {
                for assignment in &simple.assignments {
                    let bound = assignment.elements.as_ref().map_or_else(
                        || Bound::Word(assignment.value.clone()),
                        |elements| Bound::Array(elements.clone()),
                    );
                    bind(&assignment.name, bound, assignment.span, assignment.append, *order, out);
                }
            }
            match program {
                Some("read") => {
                    for word in simple.words.iter().skip(1).filter(|word| is_name(word.text())) {
                        bind(word.text(), Bound::Input, word.span, false, *order, out);
                    }
                }
                Some(":") => {
                    for word in simple.words.iter().skip(1) {
                        for part in &word.parts {
                            if let PartKind::Parameter(parameter) = &part.kind
                                && let shell::ParameterOp::Assign(_) = &parameter.operation
                            {
                                let bound = Bound::Word(word.clone());
                                bind(&parameter.name, bound, word.span, false, *order, out);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        StmtKind::Pipeline(list) | StmtKind::Subshell(list) | StmtKind::Group(list) => {
            each(list, guarded, function, order, out);
        }
        StmtKind::And(left, right) | StmtKind::Or(left, right) => {
            collect_stmt(left, file, function, guarded, order, out, depth + 1);
            collect_stmt(right, file, function, true, order, out, depth + 1);
        }
        StmtKind::If { arms, otherwise } => {
            for (condition, body) in arms {
                each(condition, guarded, function, order, out);
                each(body, true, function, order, out);
            }
            each(otherwise.as_deref().unwrap_or_default(), true, function, order, out);
        }
        StmtKind::Loop { condition, body, .. } => {
            each(condition, guarded, function, order, out);
            each(body, true, function, order, out);
        }
        StmtKind::For { variable, words, body } => {
            *order += 1;
            if let Some(variable) = variable {
                let words = words.iter().flatten().cloned().collect();
                bind(variable, Bound::Each(words), stmt.span, false, *order, out);
            }
            each(body, true, function, order, out);
        }
        StmtKind::Case { arms, .. } => {
            for arm in arms {
                each(&arm.body, true, function, order, out);
            }
        }
        StmtKind::Function { name, name_span, body } => {
            let exits = body.iter().any(|stmt| {
                matches!(&stmt.kind, StmtKind::Simple(simple)
                    if simple.words.first().is_some_and(|word| word.text() == "exit"))
            });
            out.functions.insert(
                name.clone(),
                Function { name: name.clone(), place: Place::new(file, *name_span), exits, wrapper: None },
            );
            each(body, false, Some(name), order, out);
        }
        StmtKind::Test(_) | StmtKind::Arithmetic => {}
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// An empty command: no shell text has one; other languages say with it that a failure ends the program.
pub(super) fn is_nothing(stmt: &Stmt) -> bool {
    matches!(&stmt.kind, StmtKind::Simple(simple) if simple.words.is_empty() && simple.assignments.is_empty())
        && stmt.redirects.is_empty()
}
