//! Reads of environment variables.

use std::collections::BTreeSet;

use plimsoll_syntax::python::{Expr, ExprKind, Module, Statement, StatementKind};
use plimsoll_text::Spanned;

use super::{Import, uses};
use crate::application::types::{EnvRead, Language, Phase, Presence};

/// All reads of a file.
pub(super) fn reads(tree: &Module<'_>, imports: &[Import], out: &mut Vec<EnvRead>) {
    let guarded = guarded(tree);
    let config = ["decouple", "environs", "environ", "starlette.config", "starlette"]
        .iter()
        .any(|package| uses(imports, package));
    let reader = Reader { guarded, config };
    let environment = uses(imports, "os");
    tree.walk(&mut |_, statement| match &statement.kind {
        StatementKind::Assign { targets, value: Some(value), annotation, .. } => {
            let name = targets.first().and_then(Expr::dotted);
            if environment && name.as_ref().is_some_and(|name| name.to_ascii_lowercase().contains("required"))
            {
                required_list(value, out);
            }
            reader.visit(value, name.as_deref(), None, out);
            if let Some(inner) = annotation {
                reader.visit(inner, None, None, out);
            }
        }
        _ => {
            for expression in statement.expressions() {
                reader.visit(expression, None, None, out);
            }
        }
    });
}

/// `REQUIRED = ["A", "B"]` in a file that reads the environment.
fn required_list(value: &Expr<'_>, out: &mut Vec<EnvRead>) {
    for item in value.items() {
        let Some(name) = item.as_str().filter(|name| is_variable(name)) else { continue };
        out.push(EnvRead {
            name: name.into_owned(),
            language: Language::Python,
            phase: Phase::Run,
            presence: Presence::Required,
            settings_field: false,
            place: item.place,
        });
    }
}

/// Literals that an `if` whose body fails compares with, directly or as members of a list of this file.
pub(super) fn refused(tree: &Module<'_>, out: &mut Vec<Spanned<String>>) {
    let mut lists: std::collections::BTreeMap<&str, &Expr<'_>> = std::collections::BTreeMap::new();
    tree.walk(&mut |_, statement| match &statement.kind {
        StatementKind::Assign { targets, value: Some(value), .. } if !value.items().is_empty() => {
            if let Some(ExprKind::Name(name)) = targets.first().map(|target| &target.kind) {
                lists.insert(name, value);
            }
        }
        StatementKind::Block { keyword: "if", header, body } if body.iter().any(fails) => {
            for condition in header {
                condition.walk(&mut |one| {
                    let ExprKind::Operation("==" | "in", operands) = &one.kind else { return };
                    for operand in operands {
                        let operand = match &operand.kind {
                            ExprKind::Name(name) => lists.get(name).copied().unwrap_or(operand),
                            _ => operand,
                        };
                        let texts = operand.items().iter().chain(std::iter::once(operand));
                        let found = texts.filter_map(literal).filter(|text| !text.value.is_empty());
                        out.extend(found);
                    }
                });
            }
        }
        _ => {}
    });
}

/// Names whose absence makes the program fail: `if not name: raise …`, `assert name`.
fn guarded(tree: &Module<'_>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    tree.walk(&mut |_, statement| match &statement.kind {
        StatementKind::Block { keyword: "if", header, body } if body.iter().any(fails) => {
            for condition in header {
                condition.walk(&mut |one| {
                    let ExprKind::Operation("not" | "is", operands) = &one.kind else { return };
                    out.extend(operands.first().and_then(Expr::dotted));
                });
            }
        }
        StatementKind::Other("assert", header) => out.extend(header.first().and_then(Expr::dotted)),
        _ => {}
    });
    out
}

fn fails(statement: &Statement<'_>) -> bool {
    match &statement.kind {
        StatementKind::Raise(_) => true,
        StatementKind::Expression(value) => {
            value.as_call().is_some_and(|(function, _)| function.is("sys.exit") || function.is("exit"))
        }
        _ => false,
    }
}

struct Reader {
    guarded: BTreeSet<String>,
    /// Whether `config(…)` and `env(…)` read variables here.
    config: bool,
}

struct Found<'b, 'a> {
    name: String,
    default: Option<&'b Expr<'a>>,
    strict: bool,
}

impl Reader {
    fn visit<'a>(
        &self,
        expr: &Expr<'a>,
        assigned: Option<&str>,
        fallback: Option<&Expr<'a>>,
        out: &mut Vec<EnvRead>,
    ) {
        if let ExprKind::Operation("or", operands) = &expr.kind {
            for (index, operand) in operands.iter().enumerate() {
                let next = operands.get(index + 1);
                self.visit(operand, assigned.filter(|_| index == 0), next, out);
            }
            return;
        }
        if let Some(found) = self.found(expr) {
            let default = found.default.or(fallback);
            let presence = match default {
                None if found.strict => Presence::Required,
                None if assigned.is_some_and(|name| self.guarded.contains(name)) => Presence::Required,
                None => Presence::Optional,
                Some(default) => literal(default).map_or(Presence::Optional, Presence::Default),
            };
            let strict_empty = matches!(&presence, Presence::Default(value) if value.value.is_empty())
                && assigned.is_some_and(|name| self.guarded.contains(name));
            out.push(EnvRead {
                name: found.name,
                language: Language::Python,
                phase: Phase::Run,
                presence: if strict_empty { Presence::Required } else { presence },
                settings_field: false,
                place: expr.place,
            });
            return;
        }
        // A conversion such as `int(…)` passes the name and the fallback on.
        let converts = expr.as_call().is_some_and(|(function, arguments)| {
            arguments.len() == 1
                && matches!(function.kind, ExprKind::Name("int" | "str" | "bool" | "float" | "Path"))
        });
        let (assigned, fallback) = if converts { (assigned, fallback) } else { (None, None) };
        for child in expr.children() {
            self.visit(child, assigned, fallback, out);
        }
    }

    fn found<'b, 'a>(&self, expr: &'b Expr<'a>) -> Option<Found<'b, 'a>> {
        let is_environ = |value: &Expr<'_>| value.is("os.environ") || value.is("environ");
        match &expr.kind {
            ExprKind::Subscript(value, index) if is_environ(value) => {
                Some(Found { name: index.as_str()?.into_owned(), default: None, strict: true })
            }
            ExprKind::Operation("in", operands) => match operands.as_slice() {
                [name, value] if is_environ(value) => {
                    Some(Found { name: name.as_str()?.into_owned(), default: Some(value), strict: false })
                }
                _ => None,
            },
            ExprKind::Call(function, _) => {
                let name = || Some(expr.positional(0)?.as_str()?.into_owned());
                let plain = function.is("os.getenv") || function.is("getenv");
                let get =
                    matches!(&function.kind, ExprKind::Attribute(value, "get" | "pop") if is_environ(value));
                if plain || get {
                    let default = expr.positional(1).or_else(|| expr.keyword("default"));
                    return Some(Found {
                        name: name()?,
                        default: default.filter(|one| !is_none(one)),
                        strict: false,
                    });
                }
                if !self.config || !self.is_config(function) {
                    return None;
                }
                let name = name().filter(|name| is_variable(name))?;
                let default = expr.keyword("default").or_else(|| expr.positional(1));
                Some(Found { name, default, strict: true })
            }
            _ => None,
        }
    }

    /// `config(…)`, `env(…)`, `env.int(…)`.
    fn is_config(&self, function: &Expr<'_>) -> bool {
        match &function.kind {
            ExprKind::Name(name) => matches!(*name, "config" | "env"),
            ExprKind::Attribute(value, _) => matches!(value.kind, ExprKind::Name("env")),
            _ => false,
        }
    }
}

fn is_none(expr: &Expr<'_>) -> bool {
    matches!(expr.kind, ExprKind::Name("None"))
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// A default that is written out.
pub(super) fn literal(expr: &Expr<'_>) -> Option<Spanned<String>> {
    let text = match &expr.kind {
        ExprKind::String(string) => string.literal()?.into_owned(),
        ExprKind::Number(text) => (*text).to_owned(),
        ExprKind::Name(name @ ("True" | "False")) => (*name).to_owned(),
        _ => return None,
    };
    Some(Spanned::new(text, expr.place))
}

/// The reads of one expression.
pub(super) fn reads_of(expr: &Expr<'_>, out: &mut Vec<EnvRead>) {
    Reader { guarded: BTreeSet::new(), config: true }.visit(expr, None, None, out);
}
