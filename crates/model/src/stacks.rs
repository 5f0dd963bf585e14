//! Compose projects of the evaluated files, and what each is for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::yaml;
use plimsoll_text::{FileId, Files, Layer, Place};

use crate::commands::{Commands, Machine};
use crate::compose::{self, Compose, Problem, Request, Service};
use crate::{Kind, Trees, WrittenFile, terraform};

/// What a Compose project is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Named by a deployment or by its own name as production.
    Production,
    /// For the developer's machine or for tests.
    Development,
    /// Nothing tells; judged as if it were deployed.
    Unknown,
}

/// A Compose project.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The resolved project.
    pub compose: Compose,
    /// What Compose would say about it.
    pub problems: Vec<Problem>,
    /// The files that define it, first the base.
    pub files: Vec<FileId>,
    /// What it is for.
    pub role: Role,
    /// The command that starts it on a guest, when there is one.
    pub deployed_by: Option<Place>,
}

impl Stack {
    /// Its services, those behind profiles included, in name order.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.compose.services.values().chain(self.compose.disabled.values())
    }

    /// Whether it is deployed, or may be.
    #[must_use]
    pub fn is_deployed(&self) -> bool {
        self.role != Role::Development
    }
}

/// All Compose projects.
#[derive(Clone, Debug, Default)]
pub struct Stacks {
    list: Vec<Stack>,
}

impl Stacks {
    /// Resolves the projects: each set of `-f` files that a command names, and each further Compose file alone (with
    /// its `override` file, as Compose does by itself).
    #[must_use]
    pub(crate) fn new(files: &Files, trees: &Trees, commands: &Commands, written: &[WrittenFile]) -> Self {
        let all: Vec<FileId> = trees.of_kind(Kind::Compose).collect();
        let mut sets: Vec<(Vec<FileId>, Option<Place>, bool)> = Vec::new();
        for command in commands.iter().filter(|c| c.is("docker", &["compose"]) || c.is("docker", &["stack"]))
        {
            let mut named = named_files(command.arg_texts(), &all, files);
            let starts = ["up", "create", "start", "deploy", "run"]
                .iter()
                .any(|verb| command.arg_texts().any(|a| a == *verb));
            if !starts {
                continue;
            }
            let doc = commands.unit(command.unit).origin.is_documentation();
            let remote = matches!(command.machine, Machine::Guest | Machine::Node) && !doc;
            if named.is_empty() && remote {
                // Compose finds the file by itself; which folder it stands in is only known when there is one.
                named = default_set(&all, files);
            }
            if named.is_empty() {
                continue;
            }
            match sets.iter_mut().find(|(set, ..)| *set == named) {
                Some((_, place, deployed)) if remote && !*deployed => {
                    *place = Some(command.place);
                    *deployed = true;
                }
                Some(_) => {}
                None if named.len() > 1 || remote => {
                    sets.push((named, remote.then_some(command.place), remote));
                }
                None => {}
            }
        }
        let covered: BTreeSet<FileId> = sets.iter().flat_map(|(set, ..)| set.iter().copied()).collect();
        for file in &all {
            if covered.contains(file) || is_override(files.get(*file).path()) && has_base(*file, &all, files)
            {
                continue;
            }
            sets.push((vec![*file], None, false));
        }
        sets.sort();
        let streams: BTreeMap<_, _> =
            trees.yaml_of(Kind::Compose).map(|(id, stream)| (id, stream.clone())).collect();
        let production: BTreeSet<Utf8PathBuf> = sets
            .iter()
            .filter(|(set, _, deployed)| *deployed || named_production(set, files))
            .flat_map(|(set, ..)| set.iter().map(|file| folder(*file, files).to_owned()))
            .collect();
        let mut list = sets
            .into_iter()
            .map(|(set, deployed_by, deployed)| {
                let paths: Vec<Utf8PathBuf> =
                    set.iter().map(|file| files.get(*file).path().to_owned()).collect();
                let mut request = Request::new(files, paths);
                request.streams.clone_from(&streams);
                let resolution = compose::resolve(&request);
                let beside = set.first().is_some_and(|file| production.contains(folder(*file, files)));
                let role = role(&set, deployed, beside, files);
                Stack {
                    compose: resolution.compose,
                    problems: resolution.problems,
                    files: set,
                    role,
                    deployed_by,
                }
            })
            .collect::<Vec<Stack>>();
        let texts = written.iter().filter(|file| file.kind == Kind::Compose).map(|file| file.layer.clone());
        // Scripts that were copied hold the same project over and over.
        let mut known = BTreeSet::new();
        for layer in texts.chain(terraform::containers(files, trees)) {
            let stack = held(&layer, files);
            if known.insert(stack.services().map(|service| service.name.clone()).collect::<Vec<_>>()) {
                list.push(stack);
            }
        }
        Self { list: without_parts(list) }
    }

    /// All projects in file order.
    pub fn iter(&self) -> impl Iterator<Item = &Stack> {
        self.list.iter()
    }

    /// Projects that are deployed, or may be.
    pub fn deployed(&self) -> impl Iterator<Item = &Stack> {
        self.list.iter().filter(|stack| stack.is_deployed())
    }

    /// Services of deployed projects with their project.
    pub fn deployed_services(&self) -> impl Iterator<Item = (&Stack, &Service)> {
        self.deployed().flat_map(|stack| stack.services().map(move |service| (stack, service)))
    }
}

/// A project whose text another file holds: what writes it deploys it.
fn held(layer: &Layer, files: &Files) -> Stack {
    let file = layer.file();
    let mut request = Request::new(files, vec![files.get(file).path().to_owned()]);
    request.streams.insert(file, Arc::new(yaml::parse(layer)));
    // What only the run of Terraform knows is written `${NAME:?}` and has some value then.
    let names =
        layer.text().split("${").skip(1).filter_map(|rest| rest.split_once(":?}").map(|(name, _)| name));
    let known = names.filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    request.environment =
        compose::Environment::from_shell(known.map(|name| (name.to_owned(), "known-at-the-run".to_owned())));
    let mut resolution = compose::resolve(&request);
    // The writer may change the text; what Compose would refuse is not to be told from here.
    resolution.problems.retain(|problem| !problem.is_error);
    let role = match role(&[file], false, false, files) {
        Role::Unknown => Role::Production,
        other => other,
    };
    Stack {
        compose: resolution.compose,
        problems: resolution.problems,
        files: vec![file],
        role,
        deployed_by: Some(layer.full_place()),
    }
}

/// Files that another project includes or extends are not projects of their own, unless somebody starts them alone.
fn without_parts(list: Vec<Stack>) -> Vec<Stack> {
    let parts: BTreeSet<FileId> = list
        .iter()
        .flat_map(|stack| stack.compose.files.iter().filter(|file| !stack.files.contains(file)))
        .copied()
        .collect();
    let is_part =
        |stack: &Stack| stack.deployed_by.is_none() && stack.files.iter().all(|file| parts.contains(file));
    list.into_iter().filter(|stack| !is_part(stack)).collect()
}

/// The files that `docker compose` without `-f` reads: those of the root, else those of the only folder with any.
fn default_set(all: &[FileId], files: &Files) -> Vec<FileId> {
    let folders: BTreeSet<&Utf8Path> = all
        .iter()
        .map(|file| folder(*file, files))
        .filter(|folder| !compose::default_files(files, folder).is_empty())
        .collect();
    let root = Utf8Path::new("");
    let chosen =
        if folders.contains(root) || folders.len() != 1 { Some(root) } else { folders.into_iter().next() };
    let paths = chosen.map(|folder| compose::default_files(files, folder)).unwrap_or_default();
    paths.iter().filter_map(|path| files.find(path)).collect()
}

fn folder(file: FileId, files: &Files) -> &Utf8Path {
    files.get(file).path().parent().unwrap_or(Utf8Path::new(""))
}

fn named_files<'a>(args: impl Iterator<Item = &'a str>, all: &[FileId], files: &Files) -> Vec<FileId> {
    let mut named = Vec::new();
    let mut takes_value = false;
    for arg in args {
        let path = if std::mem::take(&mut takes_value) {
            arg
        } else if matches!(arg, "-f" | "--file" | "-c" | "--compose-file") {
            takes_value = true;
            continue;
        } else if let Some(path) = arg.strip_prefix("--file=") {
            path
        } else {
            continue;
        };
        let name = Utf8Path::new(path).file_name().unwrap_or(path);
        let mut same = all.iter().filter(|file| files.get(**file).name() == name);
        let exact = same.clone().find(|file| path.ends_with(files.get(**file).path().as_str()));
        named.extend(exact.or_else(|| same.next()).copied());
    }
    named
}

fn words(path: &Utf8Path) -> Vec<String> {
    path.file_name()
        .unwrap_or_default()
        .to_ascii_lowercase()
        .split(['.', '-', '_'])
        .map(str::to_owned)
        .collect()
}

fn is_override(path: &Utf8Path) -> bool {
    words(path).iter().any(|word| word == "override")
}

fn has_base(file: FileId, all: &[FileId], files: &Files) -> bool {
    let folder = files.get(file).path().parent();
    all.iter().any(|other| *other != file && files.get(*other).path().parent() == folder)
}

fn named_production(set: &[FileId], files: &Files) -> bool {
    set.iter().any(|file| {
        words(files.get(*file).path()).iter().any(|word| {
            matches!(
                word.as_str(),
                "prod" | "production" | "deploy" | "release" | "live" | "server" | "staging"
            )
        })
    })
}

fn role(set: &[FileId], deployed: bool, sibling_is_production: bool, files: &Files) -> Role {
    if deployed || named_production(set, files) {
        return Role::Production;
    }
    let development = set.iter().any(|file| {
        let path = files.get(*file).path();
        let by_name = words(path).iter().any(|word| {
            matches!(
                word.as_str(),
                "dev"
                    | "development"
                    | "local"
                    | "test"
                    | "tests"
                    | "testing"
                    | "ci"
                    | "e2e"
                    | "override"
                    | "debug"
            )
        });
        let by_folder = path.parent().is_some_and(|parent| {
            parent.components().any(|part| {
                matches!(part.as_str(), "dev" | "test" | "tests" | "e2e" | ".devcontainer" | "local")
            })
        });
        by_name || by_folder
    });
    let plain = set.len() == 1
        && set.iter().all(|file| {
            let path = files.get(*file).path();
            matches!(
                path.as_str(),
                "docker-compose.yml" | "docker-compose.yaml" | "compose.yml" | "compose.yaml"
            )
        });
    if development || (plain && sibling_is_production) { Role::Development } else { Role::Unknown }
}
