//! Manifests.

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::toml::{self, Entry, Toml, Value};
use plimsoll_syntax::yaml::Node;
use plimsoll_text::{FileId, Layer, SourceFile, Spanned};

use super::types::{Language, Project};
use crate::{Inventory, Trees};

/// Lock files of all package managers.
const LOCKS: &[&str] = &[
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "Cargo.lock",
    "go.sum",
];

/// Reads a file when it is a manifest.
pub(super) fn manifest(
    id: FileId,
    file: &SourceFile,
    trees: &Trees,
    inventory: &Inventory,
    out: &mut Vec<Project>,
) {
    let layer = || Layer::whole(id, file);
    let name = file.name();
    let folder = file.path().parent().unwrap_or(Utf8Path::new("")).to_owned();
    let mut project = empty(folder, id);
    match name {
        "pyproject.toml" => pyproject(&toml::parse(&layer()), &mut project),
        "package.json" => {
            let Some(root) = trees.yaml.get(&id).and_then(|stream| stream.documents.first()) else { return };
            package_json(id, root, &mut project);
        }
        "Cargo.toml" => cargo(&toml::parse(&layer()), &mut project),
        "go.mod" => go_mod(&layer(), &mut project),
        _ if name.starts_with("requirements") && name.ends_with(".txt") => {
            requirements(&layer(), name, &mut project);
        }
        _ => return,
    }
    let locks = LOCKS.iter().map(|lock| project.folder.join(lock)).filter(|path| inventory.has(path));
    project.lock_files = locks.collect();
    out.push(project);
}

fn empty(folder: Utf8PathBuf, manifest: FileId) -> Project {
    Project {
        folder,
        manifest,
        language: Language::Python,
        name: None,
        dependencies: Vec::new(),
        dev_dependencies: Vec::new(),
        programs: Vec::new(),
        scripts: Vec::new(),
        language_version: None,
        build_backend: None,
        build_files: Vec::new(),
        lock_files: Vec::new(),
    }
}

/// The name in front of a version constraint, in lower case.
fn bare(text: Spanned<String>) -> Spanned<String> {
    text.map(|text| {
        let end = text
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
            .unwrap_or(text.len());
        text.get(..end).unwrap_or_default().to_ascii_lowercase()
    })
}

fn names(values: &[Value]) -> impl Iterator<Item = Spanned<String>> {
    values.iter().filter_map(Value::spanned).map(bare)
}

fn keys<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Spanned<String>> {
    entries.filter_map(|entry| entry.key.first().cloned()).collect()
}

fn pyproject(tree: &Toml, project: &mut Project) {
    let spanned = |path: &[&str]| tree.get(path).and_then(Value::spanned);
    project.build_backend = spanned(&["build-system", "build-backend"]);
    project.name = spanned(&["project", "name"]).or_else(|| spanned(&["tool", "poetry", "name"]));
    project.language_version = spanned(&["project", "requires-python"])
        .or_else(|| spanned(&["tool", "poetry", "dependencies", "python"]));
    if let Some(list) = tree.get(&["project", "dependencies"]) {
        project.dependencies.extend(names(list.items()));
    }
    let poetry = keys(tree.entries(&["tool", "poetry", "dependencies"])).into_iter();
    project.dependencies.extend(poetry.filter(|name| name.value != "python").map(bare));
    project.programs = keys(tree.entries(&["project", "scripts"]));
    project.programs.extend(keys(tree.entries(&["tool", "poetry", "scripts"])));
    for group in [["project", "optional-dependencies"].as_slice(), &["dependency-groups"]] {
        for entry in tree.entries(group) {
            project.dev_dependencies.extend(names(entry.value.items()));
        }
    }
    let groups = ["tool", "poetry", "group", "dev", "dependencies"];
    project.dev_dependencies.extend(keys(tree.entries(&groups)).into_iter().map(bare));
    for path in [
        ["project", "readme"].as_slice(),
        &["project", "readme", "file"],
        &["project", "license", "file"],
        &["tool", "poetry", "readme"],
    ] {
        project.build_files.extend(spanned(path));
    }
    if let Some(list) = tree.get(&["project", "license-files"]) {
        project.build_files.extend(list.items().iter().filter_map(Value::spanned));
    }
}

fn cargo(tree: &Toml, project: &mut Project) {
    project.language = Language::Rust;
    project.name = tree.get(&["package", "name"]).and_then(Value::spanned);
    project.language_version = tree.get(&["package", "rust-version"]).and_then(Value::spanned);
    project.dependencies = keys(tree.entries(&["dependencies"]));
    project.dev_dependencies = keys(tree.entries(&["dev-dependencies"]));
    let bins =
        tree.entries(&["bin"]).filter(|entry| entry.key.first().is_some_and(|key| key.value == "name"));
    project.programs = bins.filter_map(|entry| entry.value.spanned()).collect();
    if project.programs.is_empty() {
        project.programs.extend(project.name.clone());
    }
}

fn scalar(file: FileId, node: &Node) -> Option<Spanned<String>> {
    Some(Spanned::new(node.as_str()?.to_owned(), plimsoll_text::Place::new(file, node.span)))
}

fn package_json(file: FileId, root: &Node, project: &mut Project) {
    project.language = Language::JavaScript;
    project.name = root.get("name").and_then(|node| scalar(file, node));
    project.language_version = root.at(&["engines", "node"]).and_then(|node| scalar(file, node));
    let names = |key: &str| -> Vec<Spanned<String>> {
        let entries = root.get(key).map(|node| node.entries()).unwrap_or_default();
        entries.iter().filter_map(|entry| scalar(file, &entry.key)).collect()
    };
    project.dependencies = names("dependencies");
    project.dev_dependencies = names("devDependencies");
    project.programs = names("bin");
    let scripts = root.get("scripts").map(|node| node.entries()).unwrap_or_default();
    project.scripts = scripts
        .iter()
        .filter_map(|entry| Some((scalar(file, &entry.key)?, scalar(file, &entry.value)?)))
        .collect();
}

fn lines(layer: &Layer) -> impl Iterator<Item = Spanned<String>> {
    let mut at = 0;
    layer.text().split('\n').map(move |line| {
        let start = at + line.len() - line.trim_start().len();
        at += line.len() + 1;
        let line = line.trim();
        Spanned::new(line.to_owned(), layer.place(start..start + line.len()))
    })
}

fn requirements(layer: &Layer, name: &str, project: &mut Project) {
    if project.folder.file_name() == Some("requirements") {
        project.folder = project.folder.parent().unwrap_or(Utf8Path::new("")).to_owned();
    }
    let found =
        lines(layer).filter(|line| line.value.starts_with(|c: char| c.is_ascii_alphanumeric())).map(bare);
    if name.contains("dev") || name.contains("test") {
        project.dev_dependencies = found.collect();
    } else {
        project.dependencies = found.collect();
    }
}

fn go_mod(layer: &Layer, project: &mut Project) {
    project.language = Language::Go;
    let mut block = "";
    for line in lines(layer) {
        let words: Vec<&str> = line.value.split_whitespace().collect();
        let indirect = line.value.ends_with("// indirect");
        match words.as_slice() {
            ["module", name, ..] => project.name = Some(Spanned::new((*name).to_owned(), line.place)),
            ["go", version, ..] => {
                project.language_version = Some(Spanned::new((*version).to_owned(), line.place));
            }
            ["require", "(", ..] => block = "require",
            [")", ..] => block = "",
            ["require", name, _, ..] => {
                project.dependencies.push(Spanned::new((*name).to_owned(), line.place));
            }
            [name, _, ..] if block == "require" && !indirect => {
                project.dependencies.push(Spanned::new((*name).to_owned(), line.place));
            }
            _ => {}
        }
    }
}
