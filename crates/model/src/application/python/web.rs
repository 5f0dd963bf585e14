//! Ports, cross-origin settings and interactive documentation.

use std::collections::BTreeMap;

use plimsoll_syntax::python::{Expr, ExprKind, Module, StatementKind};
use plimsoll_text::{Place, Spanned};

use super::{Import, uses};
use crate::application::types::{ApiDocs, Cors, Framework, Language, Listen, Presence, Said};

/// Reads a file.
pub(super) fn read(tree: &Module<'_>, imports: &[Import], out: &mut Said) {
    let mut assigned: BTreeMap<&str, &Expr<'_>> = BTreeMap::new();
    tree.walk(&mut |_, statement| {
        if let StatementKind::Assign { targets, value: Some(value), .. } = &statement.kind
            && let Some(ExprKind::Name(name)) = targets.first().map(|target| &target.kind)
        {
            assigned.entry(name).or_insert(value);
        }
    });
    let reader = Reader { assigned, imports };
    tree.walk(&mut |_, statement| {
        if let StatementKind::Assign { targets, value: Some(value), .. } = &statement.kind
            && let Some(target) = targets.first()
        {
            reader.django_cors(target, value, out);
        }
        for expression in statement.expressions() {
            expression.walk(&mut |one| reader.call(one, out));
        }
    });
}

struct Reader<'b, 'a> {
    assigned: BTreeMap<&'a str, &'b Expr<'a>>,
    imports: &'b [Import],
}

impl<'b, 'a> Reader<'b, 'a> {
    fn call(&self, expr: &'b Expr<'a>, out: &mut Said) {
        let Some((function, _)) = expr.as_call() else { return };
        let name = function.last_name().unwrap_or_default();
        match name {
            "FastAPI" => self.api_docs(expr, function.place, out),
            "add_middleware" | "Middleware" => {
                let is_cors = expr.positional(0).and_then(Expr::last_name) == Some("CORSMiddleware");
                if is_cors {
                    out.cors.push(self.cors(
                        expr,
                        expr.keyword("allow_origins"),
                        "allow_credentials",
                        function.place,
                    ));
                }
            }
            "CORS" if uses(self.imports, "flask_cors") => self.flask_cors(expr, function.place, out),
            "run" if function.is("uvicorn.run") => out.listens.extend(self.listen(expr, 8000, "127.0.0.1")),
            "run"
                if uses(self.imports, "flask")
                    && matches!(&function.kind, ExprKind::Attribute(base, _) if matches!(base.kind, ExprKind::Name("app" | "application" | "server"))) =>
            {
                out.listens.extend(self.listen(expr, 5000, "127.0.0.1"));
            }
            "run_app" => out.listens.extend(self.listen(expr, 8080, "0.0.0.0")),
            _ => {}
        }
    }

    /// A name's value where this file assigns it.
    fn value_of(&self, expr: &'b Expr<'a>) -> &'b Expr<'a> {
        match &expr.kind {
            ExprKind::Name(name) => self.assigned.get(name).copied().unwrap_or(expr),
            _ => expr,
        }
    }

    fn cors(
        &self,
        call: &'b Expr<'a>,
        origins: Option<&'b Expr<'a>>,
        credentials: &str,
        place: Place,
    ) -> Cors {
        let credentials = call.keyword(credentials).and_then(Expr::as_bool);
        let Some(origins) = origins else {
            return Cors {
                origins: Vec::new(),
                configured: call.keyword("allow_origin_regex").is_some(),
                credentials,
                place,
            };
        };
        let value = self.value_of(origins);
        let literals = strings(value);
        let configured = literals.is_none();
        // The list itself shows best what is wrong.
        let place = if configured { origins.place } else { value.place };
        Cors { origins: literals.unwrap_or_default(), configured, credentials, place }
    }

    fn flask_cors(&self, expr: &'b Expr<'a>, place: Place, out: &mut Said) {
        let resources = expr.keyword("resources");
        let nested = resources.and_then(|resources| {
            let mut found = None;
            resources.walk(&mut |one| {
                let ExprKind::Dict(entries) = &one.kind else { return };
                for (key, value) in entries {
                    if key.as_ref().and_then(Expr::as_str).as_deref() == Some("origins") {
                        found = Some(value);
                    }
                }
            });
            found
        });
        let origins = expr.keyword("origins").or(nested);
        let mut cors = self.cors(expr, origins, "supports_credentials", place);
        if origins.is_none() {
            cors.origins = vec![Spanned::new("*".to_owned(), place)];
            cors.configured = false;
        }
        out.cors.push(cors);
    }

    fn django_cors(&self, target: &Expr<'a>, value: &'b Expr<'a>, out: &mut Said) {
        let ExprKind::Name(name) = target.kind else { return };
        match name {
            "CORS_ALLOWED_ORIGINS" | "CORS_ORIGIN_WHITELIST" => {
                let literals = strings(value);
                out.cors.push(Cors {
                    configured: literals.is_none(),
                    origins: literals.unwrap_or_default(),
                    credentials: None,
                    place: value.place,
                });
            }
            "CORS_ALLOW_ALL_ORIGINS" | "CORS_ORIGIN_ALLOW_ALL" if value.as_bool() == Some(true) => {
                out.cors.push(Cors {
                    origins: vec![Spanned::new("*".to_owned(), value.place)],
                    configured: false,
                    credentials: None,
                    place: target.place,
                });
            }
            _ => {}
        }
    }

    fn listen(&self, expr: &'b Expr<'a>, port: u16, host: &str) -> Option<Listen> {
        let written = expr.keyword("port").or_else(|| expr.positional(2));
        let (port, variable) = match written {
            None => (Some(port), None),
            Some(written) => self.port(written),
        };
        let host = match expr.keyword("host") {
            None => Some(host.to_owned()),
            Some(written) => self.value_of(written).as_str().map(std::borrow::Cow::into_owned),
        };
        Some(Listen { port, variable, host, language: Language::Python, place: expr.as_call()?.0.place })
    }

    /// A port and the variable that it comes from.
    fn port(&self, written: &'b Expr<'a>) -> (Option<u16>, Option<String>) {
        let value = self.value_of(written);
        if let Some(number) = value.as_integer() {
            return (u16::try_from(number).ok(), None);
        }
        let mut reads = Vec::new();
        super::env::reads_of(value, &mut reads);
        match reads.into_iter().next() {
            Some(read) => {
                let default = match read.presence {
                    Presence::Default(value) => value.value.parse().ok(),
                    Presence::Required | Presence::Optional => None,
                };
                (default, Some(read.name))
            }
            None => (None, None),
        }
    }

    fn api_docs(&self, expr: &'b Expr<'a>, function: Place, out: &mut Said) {
        let off = |value: &Expr<'_>| matches!(value.kind, ExprKind::Name("None"));
        if expr.keyword("openapi_url").is_some_and(off) {
            return;
        }
        for (argument, default) in [("docs_url", "/docs"), ("redoc_url", "/redoc")] {
            let docs = match expr.keyword(argument) {
                None => ApiDocs {
                    framework: Framework::FastApi,
                    path: default.to_owned(),
                    conditional: false,
                    place: function,
                },
                Some(value) if off(value) => continue,
                Some(value) => {
                    let literal = value.as_str();
                    ApiDocs {
                        framework: Framework::FastApi,
                        conditional: literal.is_none(),
                        path: literal.map_or_else(|| default.to_owned(), std::borrow::Cow::into_owned),
                        place: value.place,
                    }
                }
            };
            out.api_docs.push(docs);
        }
    }
}

/// The strings of a list, when it holds nothing else; a lone string counts as a list.
fn strings(expr: &Expr<'_>) -> Option<Vec<Spanned<String>>> {
    let one = |item: &Expr<'_>| Some(Spanned::new(item.as_str()?.into_owned(), item.place));
    match &expr.kind {
        ExprKind::String(_) => Some(vec![one(expr)?]),
        ExprKind::List(items) | ExprKind::Tuple(items) | ExprKind::Set(items) => {
            items.iter().map(one).collect()
        }
        _ => None,
    }
}
