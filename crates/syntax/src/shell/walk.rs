//! Visits every command and every word of a script, however deep, without recursion.

use std::sync::Arc;

use super::{CaseArm, Heredoc, ParameterOp, Part, PartKind, RedirectKind, Script, Stmt, StmtKind, Word};

/// Calls `visit` for every statement in the order of the text: the pieces of pipelines and lists, the bodies of
/// compound commands and functions. Substitutions inside words are scripts of their own; [`walk_words`] finds
/// them.
pub fn walk<'s>(body: &'s [Stmt], visit: &mut dyn FnMut(&'s Stmt)) {
    let mut left: Vec<&Stmt> = body.iter().rev().collect();
    while let Some(stmt) = left.pop() {
        visit(stmt);
        let mut children = Vec::new();
        match &stmt.kind {
            StmtKind::Pipeline(body) | StmtKind::Subshell(body) | StmtKind::Group(body) => {
                children.extend(body);
            }
            StmtKind::Function { body, .. } | StmtKind::For { body, .. } => children.extend(body),
            StmtKind::And(first, second) | StmtKind::Or(first, second) => {
                children.extend([first.as_ref(), second.as_ref()]);
            }
            StmtKind::If { arms, otherwise } => {
                for (condition, body) in arms {
                    children.extend(condition.iter().chain(body));
                }
                children.extend(otherwise.iter().flatten());
            }
            StmtKind::Loop { condition, body, .. } => children.extend(condition.iter().chain(body)),
            StmtKind::Case { arms, .. } => children.extend(arms.iter().flat_map(|CaseArm { body, .. }| body)),
            StmtKind::Simple(_) | StmtKind::Test(_) | StmtKind::Arithmetic => {}
        }
        left.extend(children.into_iter().rev());
    }
}

/// What [`walk_words`] comes across.
#[derive(Clone, Copy, Debug)]
pub enum Visit<'s> {
    /// A statement, those inside substitutions included.
    Stmt(&'s Stmt),
    /// A word of the statement visited last: arguments, values, loop words, operands, redirect targets and the
    /// words inside `${x:-word}`.
    Word(&'s Word),
    /// A heredoc of the statement visited last.
    Heredoc(&'s Heredoc),
}

/// Calls `visit` for every statement and every word, those in command and process substitutions included.
pub fn walk_words<'s>(script: &'s Script, visit: &mut dyn FnMut(Visit<'s>)) {
    let mut bodies: Vec<&[Stmt]> = vec![&script.body];
    while let Some(body) = bodies.pop() {
        walk(body, &mut |stmt| {
            visit(Visit::Stmt(stmt));
            let mut words: Vec<&Word> = Vec::new();
            let mut parts: Vec<&Part> = Vec::new();
            own_words(stmt, &mut words);
            for redirect in &stmt.redirects {
                if let RedirectKind::Heredoc(heredoc) = &redirect.kind {
                    visit(Visit::Heredoc(heredoc));
                    parts.extend(&heredoc.parts);
                }
            }
            words.reverse();
            loop {
                if let Some(part) = parts.pop() {
                    match &part.kind {
                        PartKind::Command(script) | PartKind::Process(script) => bodies.push(&script.body),
                        PartKind::Parameter(parameter) => words.extend(operand(&parameter.operation)),
                        PartKind::Literal(_) | PartKind::Arithmetic(_) => {}
                    }
                } else if let Some(word) = words.pop() {
                    visit(Visit::Word(word));
                    parts.extend(&word.parts);
                } else {
                    break;
                }
            }
        });
    }
}

fn own_words<'s>(stmt: &'s Stmt, words: &mut Vec<&'s Word>) {
    match &stmt.kind {
        StmtKind::Simple(command) => {
            for assignment in &command.assignments {
                match &assignment.elements {
                    Some(elements) => words.extend(elements.iter().map(Arc::as_ref)),
                    None => words.push(&assignment.value),
                }
            }
            words.extend(command.words.iter().map(Arc::as_ref));
        }
        StmtKind::For { words: list, .. } => words.extend(list.iter().flatten().map(Arc::as_ref)),
        StmtKind::Case { subject, .. } => words.push(subject),
        StmtKind::Test(operands) => words.extend(operands),
        _ => {}
    }
    words.extend(stmt.redirects.iter().filter_map(|redirect| match &redirect.kind {
        RedirectKind::Read(word)
        | RedirectKind::Write(word)
        | RedirectKind::Append(word)
        | RedirectKind::WriteBoth { target: word, .. }
        | RedirectKind::Duplicate(word)
        | RedirectKind::HereString(word)
        | RedirectKind::Other(word) => Some(word),
        RedirectKind::Heredoc(_) => None,
    }));
}

fn operand(operation: &ParameterOp) -> Option<&Word> {
    match operation {
        ParameterOp::Default(word)
        | ParameterOp::Assign(word)
        | ParameterOp::Error(word)
        | ParameterOp::Alternate(word) => Some(word),
        ParameterOp::None | ParameterOp::Quoted | ParameterOp::Other(_) => None,
    }
}
