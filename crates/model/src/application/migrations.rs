//! Migration tools and the database that they use.

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::python::{self, ExprKind};
use plimsoll_syntax::source::{self, Dialect, Tokens};
use plimsoll_text::{FileId, Files, Layer, Place, Spanned};

use super::collect::is_test;
use super::types::Migration;
use crate::{Inventory, Kind, Trees};

/// All tools, in path order of their configuration.
pub(super) fn all(files: &Files, inventory: &Inventory, trees: &Trees) -> Vec<Migration> {
    let mut out = Vec::new();
    for (id, file) in files.iter() {
        let path = file.path();
        let name = file.name();
        let is_configuration = matches!(name, "alembic.ini" | "manage.py" | "schema.prisma")
            || name.starts_with("knexfile.")
            || name.starts_with("drizzle.config.");
        if !is_configuration || is_test(path) {
            continue;
        }
        match name {
            "alembic.ini" => out.extend(alembic(id, path, files, trees)),
            "manage.py" => {
                let place = Layer::whole(id, file).place(0..0);
                out.push(Migration {
                    tool: "django",
                    folder: folder(path),
                    url: None,
                    from_environment: Some(place),
                    file: id,
                    place,
                });
            }
            "schema.prisma" => out.extend(prisma(id, path, &Layer::whole(id, file))),
            _ if trees.kind(id) == Kind::JavaScript => {
                let tool = if name.starts_with("knexfile.") { "knex" } else { "drizzle" };
                let layer = Layer::whole(id, file);
                let tokens = source::parse(&layer, Dialect::JavaScript);
                out.push(javascript(tool, id, path, &tokens));
            }
            _ => {}
        }
    }
    // The schema of Prisma may not be among the files that are read.
    let read = out.iter().any(|migration| migration.tool == "prisma");
    if !read {
        out.extend(unread_prisma(files, inventory));
    }
    out
}

fn folder(path: &Utf8Path) -> Utf8PathBuf {
    path.parent().unwrap_or(Utf8Path::new("")).to_owned()
}

fn alembic(id: FileId, path: &Utf8Path, files: &Files, trees: &Trees) -> Option<Migration> {
    let tree = trees.ini.get(&id)?;
    let entry = tree.get("alembic", "sqlalchemy.url");
    let location = tree.get("alembic", "script_location")?;
    let scripts = location.value.text().replace("%(here)s", "").replace("{here}", "");
    let env = folder(path).join(scripts.trim_start_matches(['/', '.'])).join("env.py");
    let from_script = files.find(&env).and_then(|env| overrides(&Layer::whole(env, files.get(env))));
    let url = entry.map(|entry| Spanned::new(entry.value.text().to_owned(), entry.value.full_place()));
    let interpolated = url.as_ref().filter(|url| url.value.contains("%(")).map(|url| url.place);
    let literal = url.filter(|url| !url.value.is_empty() && interpolated.is_none());
    let place = entry.map_or(location.place, |entry| entry.place);
    Some(Migration {
        tool: "alembic",
        folder: folder(path),
        url: literal,
        from_environment: from_script.or(interpolated),
        file: id,
        place,
    })
}

/// Where `env.py` takes the address from somewhere else than `alembic.ini`.
fn overrides(layer: &Layer) -> Option<Place> {
    let tree = python::parse(layer);
    let mut found = None;
    tree.walk(&mut |_, statement| {
        for expression in statement.expressions() {
            expression.walk(&mut |one| {
                let overriding = match &one.kind {
                    ExprKind::Call(function, _) => match function.last_name().unwrap_or_default() {
                        "set_main_option" | "set_section_option" => {
                            one.positional(0).and_then(python::Expr::as_str).as_deref()
                                == Some("sqlalchemy.url")
                        }
                        "create_engine" | "create_async_engine" | "getenv" => true,
                        "get" => {
                            matches!(&function.kind, ExprKind::Attribute(base, _) if base.is("os.environ"))
                        }
                        _ => false,
                    },
                    ExprKind::Subscript(base, index) => {
                        base.is("os.environ") || index.as_str().as_deref() == Some("sqlalchemy.url")
                    }
                    _ => false,
                };
                if overriding {
                    found.get_or_insert(one.place);
                }
            });
        }
    });
    found
}

fn prisma(id: FileId, path: &Utf8Path, layer: &Layer) -> Option<Migration> {
    let text = layer.text();
    let block = text.find("datasource")?;
    let line = text.get(block..)?.find("url").map(|offset| block + offset)?;
    let end = text.get(line..)?.find('\n').map_or(text.len(), |length| line + length);
    let value = text.get(line..end)?;
    let place = layer.place(line..end);
    let environment = value.contains("env(");
    let open = value.find('"')?;
    let close = value.get(open + 1..)?.find('"')? + open + 1;
    let literal =
        Spanned::new(value.get(open + 1..close)?.to_owned(), layer.place(line + open + 1..line + close));
    let folder = folder(path);
    let folder = if folder.file_name() == Some("prisma") { self::folder(&folder) } else { folder };
    Some(Migration {
        tool: "prisma",
        folder,
        url: (!environment).then_some(literal),
        from_environment: environment.then_some(place),
        file: id,
        place,
    })
}

/// A Prisma schema that only the inventory knows: its project's manifest stands for it.
fn unread_prisma(files: &Files, inventory: &Inventory) -> Option<Migration> {
    let schema = inventory.paths().find(|path| path.file_name() == Some("schema.prisma"))?;
    let manifest = schema.ancestors().skip(1).find_map(|folder| files.find(&folder.join("package.json")))?;
    let place = Layer::whole(manifest, files.get(manifest)).place(0..0);
    Some(Migration {
        tool: "prisma",
        folder: folder(files.get(manifest).path()),
        url: None,
        from_environment: Some(place),
        file: manifest,
        place,
    })
}

fn javascript(tool: &'static str, id: FileId, path: &Utf8Path, tokens: &Tokens<'_>) -> Migration {
    let mut url = None;
    let mut from_environment = None;
    for at in 0..tokens.len() {
        if tokens.matches(at, &["process", ".", "env"]) {
            from_environment.get_or_insert(tokens.place(at..at + 3));
        }
        let key = matches!(tokens.text(at), "connection" | "url" | "connectionString" | "filename");
        if let (true, Some(text)) = (key && tokens.is(at + 1, ":"), tokens.string(at + 2)) {
            url.get_or_insert(Spanned::new(text.into_owned(), tokens.place(at + 2..at + 3)));
        }
    }
    let start = tokens.place(0..usize::from(!tokens.is_empty()));
    let place = url.as_ref().map(|url| url.place).or(from_environment).unwrap_or(start);
    let url = if from_environment.is_some() { None } else { url };
    Migration { tool, folder: folder(path), url, from_environment, file: id, place }
}
