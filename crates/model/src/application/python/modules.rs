//! Routers across files: which prefix and which authentication reach a route through the calls that include it.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_text::Place;

use super::Import;
use crate::application::types::{Application, Route};

/// Routers that include each other more often than this are not followed.
const MAX_DEPTH: usize = 6;

/// All Python files that were read.
#[derive(Debug)]
pub(in crate::application) struct Modules<'a> {
    files: Vec<&'a PythonFile>,
}

/// What one file says about routes.
#[derive(Debug)]
pub(in crate::application) struct PythonFile {
    pub(super) path: Utf8PathBuf,
    pub(super) imports: Vec<Import>,
    pub(super) routers: Vec<Router>,
    pub(super) includes: Vec<Include>,
    pub(super) routes: Vec<(Target, Route)>,
}

/// A router or an application.
#[derive(Debug)]
pub(super) struct Router {
    pub(super) name: String,
    pub(super) prefix: String,
    pub(super) authentication: Option<Place>,
}

/// A router that is made part of another one.
#[derive(Debug)]
pub(super) struct Include {
    pub(super) parent: String,
    pub(super) child: String,
    pub(super) prefix: String,
    pub(super) authentication: Option<Place>,
}

/// The router that a route belongs to.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) router: String,
}

/// Files by the last part of their module's name.
type Stems<'a> = BTreeMap<&'a str, Vec<usize>>;

/// Who includes which router of which file.
struct Index<'a> {
    includes: BTreeMap<(usize, String), Vec<(usize, &'a Include)>>,
}

impl<'a> Modules<'a> {
    pub(in crate::application) fn new(files: impl Iterator<Item = &'a PythonFile>) -> Self {
        Self { files: files.collect() }
    }

    fn index(&self) -> Index<'_> {
        let mut stems = Stems::new();
        for (index, file) in self.files.iter().enumerate() {
            stems.entry(stem(&file.path).rsplit('/').next().unwrap_or_default()).or_default().push(index);
        }
        let mut includes = BTreeMap::<_, Vec<_>>::new();
        for (index, file) in self.files.iter().enumerate() {
            for include in &file.includes {
                if let Some(router) = self.defined(&stems, index, &include.child, 0) {
                    includes.entry(router).or_default().push((index, include));
                }
            }
        }
        Index { includes }
    }

    /// Adds all routes with their whole path.
    pub(in crate::application) fn resolve(&self, out: &mut Application) {
        let index = self.index();
        for (file_index, file) in self.files.iter().enumerate() {
            for (target, route) in &file.routes {
                let (prefix, authentication) = self.above(&index, file_index, &target.router, 0);
                let mut route = route.clone();
                route.path = join(&prefix, &route.path);
                route.authentication = route.authentication.or(authentication);
                out.routes.push(route);
            }
        }
        out.routes.sort_by_key(|route| route.place);
    }

    /// Prefix and authentication of a router with those of everything that includes it.
    fn above(&self, by: &Index<'_>, file: usize, router: &str, depth: usize) -> (String, Option<Place>) {
        let own = self.files.get(file).and_then(|file| file.routers.iter().find(|one| one.name == router));
        let (prefix, authentication) =
            own.map_or((String::new(), None), |own| (own.prefix.clone(), own.authentication));
        if depth > MAX_DEPTH {
            return (prefix, authentication);
        }
        let includes = by.includes.get(&(file, router.to_owned())).into_iter().flatten();
        for (index, include) in includes {
            if *index == file && include.parent == router {
                continue;
            }
            let (outer, outer_authentication) = self.above(by, *index, &include.parent, depth + 1);
            let prefix = join(&join(&outer, &include.prefix), &prefix);
            return (prefix, authentication.or(include.authentication).or(outer_authentication));
        }
        (prefix, authentication)
    }

    /// The file and name behind a dotted name of a file.
    fn defined(&self, stems: &Stems<'_>, file: usize, name: &str, depth: usize) -> Option<(usize, String)> {
        let here = self.files.get(file)?;
        if depth > MAX_DEPTH || here.routers.iter().any(|router| router.name == name) {
            return Some((file, name.to_owned()));
        }
        let import = |local: &str| here.imports.iter().find(|import| import.local == local);
        if let Some(import) = import(name) {
            let original = import.name.as_deref()?;
            let target = self.module(stems, &import.module, &here.path)?;
            return self.defined(stems, target, original, depth + 1);
        }
        // `module.router`, with the module imported by its own name or from a package.
        let (module, attribute) = name.rsplit_once('.')?;
        let import = import(module)?;
        let path = match &import.name {
            Some(own) => format!("{}.{own}", import.module.trim_end_matches('.')),
            None => import.module.clone(),
        };
        let target = self.module(stems, &path, &here.path)?;
        self.defined(stems, target, attribute, depth + 1)
    }

    /// The file of a module as seen from another file.
    fn module(&self, stems: &Stems<'_>, module: &str, from: &Utf8Path) -> Option<usize> {
        let tail = module.trim_start_matches('.').replace('.', "/");
        let common =
            |path: &Utf8Path| path.components().zip(from.components()).take_while(|(a, b)| a == b).count();
        let names = |file: &PythonFile| {
            let stem = stem(&file.path);
            stem == tail || stem.strip_suffix(tail.as_str()).is_some_and(|before| before.ends_with('/'))
        };
        let last = tail.rsplit('/').next().unwrap_or_default();
        let named = stems.get(last).into_iter().flatten();
        named
            .filter_map(|index| Some((*index, self.files.get(*index)?)))
            .filter(|(_, file)| names(file) && file.path != from)
            .max_by_key(|(index, file)| (common(&file.path), usize::MAX - index))
            .map(|(index, _)| index)
    }
}

/// The path of a module without what Python leaves out of its name.
fn stem(path: &Utf8Path) -> &str {
    let stem = path.as_str().strip_suffix(".py").unwrap_or_default();
    stem.strip_suffix("/__init__").unwrap_or(stem)
}

/// Two parts of a path as one.
fn join(prefix: &str, path: &str) -> String {
    match (prefix.trim_end_matches('/'), path) {
        ("", path) => path.to_owned(),
        (prefix, "" | "/") => prefix.to_owned(),
        (prefix, path) => format!("{prefix}/{}", path.trim_start_matches('/')),
    }
}
