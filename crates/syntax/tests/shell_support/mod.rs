//! Reads text and writes trees as S-expressions, for tests of the shell reader.

#![allow(clippy::unwrap_used, dead_code, reason = "support for several test files: each uses a part of it")]

use std::fmt::Write;

use plimsoll_syntax::shell::{
    self, Heredoc, Parameter, ParameterOp, Part, PartKind, Quote, RedirectKind, Script, Stmt, StmtKind, Word,
};
use plimsoll_text::{Files, Layer};

/// A file of its own with this text.
pub(crate) fn layer(text: &str) -> Layer {
    let files = Files::new([("script.sh".into(), text.to_owned())]);
    let (id, file) = files.iter().next().unwrap();
    Layer::whole(id, file)
}

/// A script read from text.
pub(crate) fn read(text: &str) -> Script {
    shell::parse(&layer(text))
}

/// The statements, a line each.
pub(crate) fn dump(script: &Script) -> String {
    body(&script.body)
}

fn body(stmts: &[Stmt]) -> String {
    stmts.iter().map(stmt).collect::<Vec<_>>().join(" ")
}

fn stmt(stmt: &Stmt) -> String {
    let mut text = String::new();
    if stmt.negated {
        text.push('!');
    }
    match &stmt.kind {
        StmtKind::Simple(command) => {
            let mut pieces = Vec::new();
            for assignment in &command.assignments {
                let operator = if assignment.append { "+=" } else { "=" };
                let value = match &assignment.elements {
                    Some(elements) => format!("[{}]", words(elements.iter().map(AsRef::as_ref))),
                    None => word(&assignment.value),
                };
                pieces.push(format!("{}{operator}{value}", assignment.name));
            }
            pieces.extend(command.words.iter().map(|own| word(own)));
            write!(text, "({})", pieces.join(" ")).unwrap();
        }
        StmtKind::Pipeline(steps) => write!(text, "(pipe {})", body(steps)).unwrap(),
        StmtKind::And(a, b) => write!(text, "(and {} {})", self::stmt(a), self::stmt(b)).unwrap(),
        StmtKind::Or(a, b) => write!(text, "(or {} {})", self::stmt(a), self::stmt(b)).unwrap(),
        StmtKind::If { arms, otherwise } => {
            text.push_str("(if");
            for (condition, then) in arms {
                write!(text, " [{} => {}]", body(condition), body(then)).unwrap();
            }
            if let Some(otherwise) = otherwise {
                write!(text, " else {}", body(otherwise)).unwrap();
            }
            text.push(')');
        }
        StmtKind::Loop { until, condition, body: inner } => {
            let keyword = if *until { "until" } else { "while" };
            write!(text, "({keyword} {} do {})", body(condition), body(inner)).unwrap();
        }
        StmtKind::For { variable, words: list, body: inner } => {
            let name = variable.as_deref().unwrap_or("-");
            let list = list.as_ref().map_or_else(
                || "-".to_owned(),
                |list| format!("[{}]", words(list.iter().map(AsRef::as_ref))),
            );
            write!(text, "(for {name} {list} do {})", body(inner)).unwrap();
        }
        StmtKind::Case { subject, arms } => {
            write!(text, "(case {}", word(subject)).unwrap();
            for arm in arms {
                write!(text, " [{} => {}]", arm.patterns.join("|"), body(&arm.body)).unwrap();
            }
            text.push(')');
        }
        StmtKind::Subshell(inner) => write!(text, "(subshell {})", body(inner)).unwrap(),
        StmtKind::Group(inner) => write!(text, "(group {})", body(inner)).unwrap(),
        StmtKind::Test(operands) => write!(text, "(test {})", words(operands)).unwrap(),
        StmtKind::Arithmetic => text.push_str("(arithmetic)"),
        StmtKind::Function { name, body: inner, .. } => write!(text, "(fn {name} {})", body(inner)).unwrap(),
    }
    for redirect in &stmt.redirects {
        let fd = redirect.fd.map(|fd| fd.to_string()).unwrap_or_default();
        let rest = match &redirect.kind {
            RedirectKind::Read(target) => format!("<{}", word(target)),
            RedirectKind::Write(target) => format!(">{}", word(target)),
            RedirectKind::Append(target) => format!(">>{}", word(target)),
            RedirectKind::WriteBoth { target, append: false } => format!("&>{}", word(target)),
            RedirectKind::WriteBoth { target, append: true } => format!("&>>{}", word(target)),
            RedirectKind::Duplicate(target) => format!(">&{}", word(target)),
            RedirectKind::HereString(target) => format!("<<<{}", word(target)),
            RedirectKind::Other(target) => format!("<>{}", word(target)),
            RedirectKind::Heredoc(heredoc) => self::heredoc(heredoc),
        };
        write!(text, " {fd}{rest}").unwrap();
    }
    if stmt.background {
        text.push_str(" &");
    }
    text
}

fn heredoc(heredoc: &Heredoc) -> String {
    let kind = if heredoc.quoted { "quoted" } else { "plain" };
    let parts = heredoc.parts.iter().map(part).collect::<String>();
    format!("<<{} {kind} {:?} {parts}", heredoc.delimiter, heredoc.body.text())
}

fn words<'w>(list: impl IntoIterator<Item = &'w Word>) -> String {
    list.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Bare text as it is, single-quoted text in `'…'`, double-quoted in `"…"`, expansions in braces.
pub(crate) fn word(word: &Word) -> String {
    if word.parts.is_empty() {
        return "-".to_owned();
    }
    word.parts.iter().map(part).collect()
}

fn part(part: &Part) -> String {
    let text = match &part.kind {
        PartKind::Literal(text) => text.replace('\n', "\\n").replace('\t', "\\t"),
        PartKind::Parameter(parameter) => self::parameter(parameter),
        PartKind::Command(script) => format!("$({})", dump(script)),
        PartKind::Arithmetic(text) => format!("$(({text}))"),
        PartKind::Process(script) => format!("<({})", dump(script)),
    };
    match part.quote {
        Quote::None => text,
        Quote::Single => format!("'{text}'"),
        Quote::Double => format!("\"{text}\""),
    }
}

fn parameter(parameter: &Parameter) -> String {
    let operation = match &parameter.operation {
        ParameterOp::None => String::new(),
        ParameterOp::Default(operand) => format!(":-{}", word(operand)),
        ParameterOp::Assign(operand) => format!(":={}", word(operand)),
        ParameterOp::Error(operand) => format!(":?{}", word(operand)),
        ParameterOp::Alternate(operand) => format!(":+{}", word(operand)),
        ParameterOp::Quoted => "@Q".to_owned(),
        ParameterOp::Other(text) => format!("|{text}"),
    };
    let carets = "^".repeat(usize::from(parameter.expanded_outside));
    format!("{{{carets}{}{operation}}}", parameter.name)
}
