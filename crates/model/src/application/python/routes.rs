//! Routers and routes of one file.

use camino::Utf8Path;
use plimsoll_syntax::python::{Argument, Expr, ExprKind, Module, Parameter, Statement, StatementKind};
use plimsoll_text::Place;

use super::modules::{Include, PythonFile, Router, Target};
use super::{Import, uses};
use crate::application::types::{BodyKind, Framework, Route};

const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options"];

/// Reads a file.
pub(super) fn read(path: &Utf8Path, tree: &Module<'_>, imports: Vec<Import>) -> Option<PythonFile> {
    let framework = if uses(&imports, "fastapi") || uses(&imports, "starlette") {
        Framework::FastApi
    } else if uses(&imports, "flask") || uses(&imports, "quart") {
        Framework::Flask
    } else if uses(&imports, "django") {
        Framework::Django
    } else {
        Framework::Other
    };
    let mut file = PythonFile {
        path: path.to_owned(),
        imports,
        routers: Vec::new(),
        includes: Vec::new(),
        routes: Vec::new(),
    };
    tree.walk(&mut |_, statement| {
        if let StatementKind::Assign { targets, value: Some(value), .. } = &statement.kind {
            file.routers.extend(targets.first().and_then(|target| router(target, value)));
        }
        for expression in statement.expressions() {
            expression.walk(&mut |one| {
                file.includes.extend(include(one));
                if framework == Framework::Django && path.file_name() == Some("urls.py") {
                    file.routes.extend(django(one));
                }
            });
        }
        if framework != Framework::Other {
            handler(statement, framework, &mut file);
        }
    });
    let says = !file.routers.is_empty()
        || !file.includes.is_empty()
        || !file.routes.is_empty()
        || !file.imports.is_empty();
    says.then_some(file)
}

fn text(expr: Option<&Expr<'_>>) -> Option<String> {
    Some(expr?.as_str()?.into_owned())
}

/// `x = APIRouter(prefix=…)`, `x = FastAPI(…)`, `x = Blueprint(…, url_prefix=…)`, `x = Flask(…)`.
fn router(target: &Expr<'_>, value: &Expr<'_>) -> Option<Router> {
    let (function, arguments) = value.as_call()?;
    let prefix = match function.last_name()? {
        "APIRouter" => text(value.keyword("prefix")),
        "Blueprint" => text(value.keyword("url_prefix")),
        "FastAPI" => text(value.keyword("root_path")),
        "Flask" | "Quart" | "Starlette" => None,
        _ => return None,
    };
    let name = target.dotted()?;
    Some(Router { name, prefix: prefix.unwrap_or_default(), authentication: dependencies(arguments) })
}

/// `app.include_router(child, prefix=…)` and `app.register_blueprint(child, url_prefix=…)`.
fn include(expr: &Expr<'_>) -> Option<Include> {
    let (function, arguments) = expr.as_call()?;
    let ExprKind::Attribute(parent, name) = &function.kind else { return None };
    let prefix = match *name {
        "include_router" => text(expr.keyword("prefix")),
        "register_blueprint" => text(expr.keyword("url_prefix")),
        "mount" => text(expr.positional(0)),
        _ => return None,
    };
    let child = expr.positional(usize::from(*name == "mount"))?;
    Some(Include {
        parent: parent.dotted()?,
        child: child.dotted()?,
        prefix: prefix.unwrap_or_default(),
        authentication: dependencies(arguments),
    })
}

/// What `dependencies=[Depends(…)]` says about authentication.
fn dependencies(arguments: &[Argument<'_>]) -> Option<Place> {
    let list = arguments.iter().find(|argument| argument.name == Some("dependencies"))?;
    authentication(&list.value)
}

/// Whether a name is about who somebody is.
fn authenticates(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [
        "auth",
        "current_",
        "currentuser",
        "token",
        "login",
        "jwt",
        "permission",
        "api_key",
        "apikey",
        "admin",
        "credential",
        "principal",
    ]
    .iter()
    .any(|word| lower.contains(word))
        || lower.ends_with("userdep")
        || lower.contains("require_")
        || lower.contains("verify_")
}

/// `Depends(name)` or `Security(name)` inside, with a name about authentication.
fn authentication(expr: &Expr<'_>) -> Option<Place> {
    let mut found = None;
    expr.walk(&mut |one| {
        let Some((function, arguments)) = one.as_call() else { return };
        let security = function.last_name() == Some("Security");
        if !security && function.last_name() != Some("Depends") {
            return;
        }
        let named =
            arguments.first().and_then(|argument| argument.value.last_name()).is_some_and(authenticates);
        if security || named {
            found.get_or_insert(one.place);
        }
    });
    found
}

/// A parameter that only an authenticated request can fill.
fn parameter_authentication(parameter: &Parameter<'_>) -> Option<Place> {
    let default = parameter.default.as_ref().and_then(authentication);
    default.or_else(|| {
        let annotation = parameter.annotation.as_ref()?;
        authentication(annotation).or_else(|| {
            let named = matches!(annotation.kind, ExprKind::Name(name) if authenticates(name));
            named.then_some(annotation.place)
        })
    })
}

fn handler(statement: &Statement<'_>, framework: Framework, file: &mut PythonFile) {
    let StatementKind::Function { name, decorators, parameters, body } = &statement.kind else { return };
    let by_decorator = decorators.iter().find_map(|decorator| {
        let named = match decorator.as_call() {
            Some((function, _)) => function.last_name(),
            None => decorator.last_name(),
        };
        let authenticating = named.is_some_and(|name| authenticates(name) || name.contains("require"));
        authenticating.then_some(decorator.place)
    });
    for decorator in decorators {
        let Some((function, arguments)) = decorator.as_call() else { continue };
        let ExprKind::Attribute(base, method) = &function.kind else { continue };
        let Some(router) = base.dotted() else { continue };
        let Some(path) = text(decorator.positional(0).or_else(|| decorator.keyword("path"))) else {
            continue;
        };
        let known = file.routers.iter().any(|one| one.name == router);
        if !known && !path.starts_with('/') && !path.is_empty() {
            continue;
        }
        let methods: Vec<Option<String>> = match *method {
            method if METHODS.contains(&method) => vec![Some(method.to_ascii_uppercase())],
            "route" | "api_route" => {
                let listed = decorator.keyword("methods").map(Expr::items).unwrap_or_default();
                let listed: Vec<Option<String>> = listed.iter().map(|one| text(Some(one))).collect();
                if listed.is_empty() { vec![Some("GET".to_owned())] } else { listed }
            }
            "websocket" => vec![None],
            _ => continue,
        };
        let authentication = dependencies(arguments)
            .or(by_decorator)
            .or_else(|| parameters.iter().find_map(parameter_authentication));
        for method in methods {
            let route = Route {
                method,
                path: path.clone(),
                written: path.clone(),
                framework,
                authentication,
                body: body_kind(body),
                handler: Some((*name).to_owned()),
                place: decorator.place,
            };
            file.routes.push((Target { router: router.clone() }, route));
        }
    }
}

/// `path("x/", view)` of Django.
fn django(expr: &Expr<'_>) -> Option<(Target, Route)> {
    let (function, _) = expr.as_call()?;
    if !matches!(function.last_name()?, "path" | "re_path") {
        return None;
    }
    let written = text(expr.positional(0))?;
    let view = expr.positional(1)?;
    if view.last_name() == Some("include") {
        return None;
    }
    let route = Route {
        method: None,
        path: format!("/{}", written.trim_start_matches(['^', '/'])),
        written,
        framework: Framework::Django,
        authentication: None,
        body: BodyKind::Unknown,
        handler: view.dotted(),
        place: function.place,
    };
    Some((Target { router: String::new() }, route))
}

/// Whether a handler does nothing but return a literal.
fn body_kind(body: &[Statement<'_>]) -> BodyKind {
    let mut answer = None;
    for statement in body {
        match &statement.kind {
            StatementKind::Expression(value) if value.as_str().is_some() => {}
            StatementKind::Expression(value) => {
                let base = value.as_call().and_then(|(function, _)| function.dotted()).unwrap_or_default();
                if !base.starts_with("log") && !base.starts_with("print") {
                    return BodyKind::Computed;
                }
            }
            StatementKind::Return(value) => answer = Some(value.as_ref().is_none_or(is_constant)),
            StatementKind::Other("pass", _) | StatementKind::Import(_) => {}
            _ => return BodyKind::Computed,
        }
    }
    match answer {
        Some(true) => BodyKind::Constant,
        Some(false) => BodyKind::Computed,
        None => BodyKind::Unknown,
    }
}

fn is_constant(expr: &Expr<'_>) -> bool {
    match &expr.kind {
        ExprKind::Name(name) => {
            !name.chars().any(char::is_lowercase) || matches!(*name, "True" | "False" | "None")
        }
        ExprKind::Number(_) => true,
        ExprKind::String(string) => string.literal().is_some(),
        ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().all(is_constant),
        ExprKind::Dict(entries) => {
            entries.iter().all(|(key, value)| key.as_ref().is_some_and(is_constant) && is_constant(value))
        }
        ExprKind::Call(function, arguments) => {
            let response =
                function.last_name().is_some_and(|name| name.ends_with("Response") || name == "jsonify");
            response && arguments.iter().all(|argument| is_constant(&argument.value))
        }
        ExprKind::Attribute(base, _) => base.is("status"),
        _ => false,
    }
}
