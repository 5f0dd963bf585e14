//! Python source.

mod env;
mod modules;
mod routes;
mod settings;
mod switches;
mod web;

use std::sync::LazyLock;

use camino::Utf8Path;
use plimsoll_syntax::python::{self, Module, StatementKind};
use plimsoll_text::{Layer, Phrases, SourceFile};

use super::types::Said;

pub(super) use modules::{Modules, PythonFile};

/// Words one of which every file of interest holds.
static SIGNS: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::exact(&[
        "environ",
        "getenv",
        "BaseSettings",
        "APIRouter",
        "FastAPI",
        "flask",
        "Blueprint",
        "CORS",
        "create_all",
        "drop_all",
        "create_engine",
        "create_async_engine",
        "decouple",
        "starlette",
        "DEBUG",
        "urlpatterns",
        "uvicorn",
        "aiohttp",
        "flushall",
    ])
});

/// Whether a file may say something of interest.
pub(super) fn is_worth_reading(file: &SourceFile) -> bool {
    SIGNS.are_in(file)
}

/// Reads a file.
pub(super) fn read(path: &Utf8Path, layer: &Layer) -> Said {
    let mut out = Said::default();
    let tree = python::parse(layer);
    let imports = imports(&tree);
    env::reads(&tree, &imports, &mut out.env_reads);
    env::refused(&tree, &mut out.refused);
    settings::fields(&tree, &mut out.env_reads);
    web::read(&tree, &imports, &mut out);
    switches::read(&tree, path, &mut out);
    out.module = routes::read(path, &tree, imports);
    out
}

/// What a file imports: module, name and the name it is known by here.
#[derive(Clone, Debug)]
pub(super) struct Import {
    pub(super) module: String,
    pub(super) name: Option<String>,
    pub(super) local: String,
}

fn imports(tree: &Module<'_>) -> Vec<Import> {
    let mut out = Vec::new();
    tree.walk(&mut |_, statement| {
        let StatementKind::Import(names) = &statement.kind else { return };
        for one in names {
            let own = one.name.unwrap_or(one.module);
            out.push(Import {
                module: one.module.to_owned(),
                name: one.name.map(str::to_owned),
                local: one.alias.unwrap_or(own).to_owned(),
            });
        }
    });
    out
}

/// Whether a file imports from a package.
fn uses(imports: &[Import], package: &str) -> bool {
    imports.iter().any(|one| {
        one.module.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}
