//! Debug switches and schema creation.

use camino::Utf8Path;
use plimsoll_syntax::python::{Expr, ExprKind, Module, StatementKind};

use crate::application::types::{DebugSwitch, Said, SchemaCreation, SwitchKind};

/// Reads a file.
pub(super) fn read(tree: &Module<'_>, path: &Utf8Path, out: &mut Said) {
    let mut engine = false;
    let mut echoes = Vec::new();
    tree.walk(&mut |_, statement| {
        if let StatementKind::Assign { targets, value: Some(value), .. } = &statement.kind {
            assigned(targets, value, path, out);
        }
        for expression in statement.expressions() {
            expression.walk(&mut |one| {
                engine |= matches!(one.last_name(), Some("create_engine" | "create_async_engine"))
                    && one.as_call().is_some();
                expression_switches(one, &mut echoes, out);
            });
        }
    });
    // A dictionary with `"echo": True` is taken for engine options where an engine is made.
    if engine {
        out.debug_switches.extend(echoes);
    }
}

fn switch(kind: SwitchKind, expr: &Expr<'_>) -> DebugSwitch {
    DebugSwitch { kind, place: expr.place }
}

fn assigned(targets: &[Expr<'_>], value: &Expr<'_>, path: &Utf8Path, out: &mut Said) {
    let Some(target) = targets.first() else { return };
    if value.as_bool() != Some(true) {
        return;
    }
    let is_settings = path.as_str().contains("settings");
    let kind = match &target.kind {
        ExprKind::Name("SQLALCHEMY_ECHO") => SwitchKind::SqlEcho,
        ExprKind::Name("DEBUG") if is_settings => SwitchKind::Debug,
        ExprKind::Attribute(base, "debug") if matches!(base.kind, ExprKind::Name("app")) => SwitchKind::Debug,
        ExprKind::Subscript(_, index) => match index.as_str().as_deref() {
            Some("SQLALCHEMY_ECHO") => SwitchKind::SqlEcho,
            Some("DEBUG") => SwitchKind::Debug,
            _ => return,
        },
        _ => return,
    };
    out.debug_switches.push(DebugSwitch { kind, place: target.place.cover_with(value.place) });
}

/// Two places of one file as one.
trait Cover {
    fn cover_with(self, other: Self) -> Self;
}

impl Cover for plimsoll_text::Place {
    fn cover_with(self, other: Self) -> Self {
        Self::new(self.file, self.span.cover(other.span))
    }
}

fn expression_switches(expr: &Expr<'_>, echoes: &mut Vec<DebugSwitch>, out: &mut Said) {
    match &expr.kind {
        ExprKind::Dict(entries) => {
            for (key, value) in entries {
                let Some(key) = key else { continue };
                if key.as_str().as_deref() == Some("echo") && value.as_bool() == Some(true) {
                    let place = key.place.cover_with(value.place);
                    echoes.push(DebugSwitch { kind: SwitchKind::SqlEcho, place });
                }
            }
        }
        ExprKind::Call(function, _) => {
            let on = |name: &str| expr.keyword(name).filter(|value| value.as_bool() == Some(true));
            let name = function.last_name().unwrap_or_default();
            if matches!(name, "create_engine" | "create_async_engine") {
                out.debug_switches.extend(on("echo").map(|value| switch(SwitchKind::SqlEcho, value)));
            }
            if matches!(name, "FastAPI" | "Starlette" | "Flask") || function.is("app.run") {
                out.debug_switches.extend(on("debug").map(|value| switch(SwitchKind::Debug, value)));
            }
            if function.is("uvicorn.run") || function.is("app.run") {
                out.debug_switches.extend(on("reload").map(|value| switch(SwitchKind::Reload, value)));
            }
            if name == "flushall" {
                let place = function.place;
                out.schema_creations.push(SchemaCreation { call: name.to_owned(), destructive: true, place });
            }
        }
        ExprKind::Attribute(base, name @ ("create_all" | "drop_all")) => {
            let of_schema = matches!(base.last_name(), Some("metadata" | "db" | "database" | "Base"));
            if of_schema {
                let call = (*name).to_owned();
                out.schema_creations.push(SchemaCreation {
                    call,
                    destructive: *name == "drop_all",
                    place: expr.place,
                });
            }
        }
        _ => {}
    }
}
