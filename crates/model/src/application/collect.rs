//! Goes through the source files.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use plimsoll_syntax::source::Dialect;
use plimsoll_text::{FileId, Files, Layer, SourceFile};

use super::types::{Application, Project, Said};
use super::{compiled, javascript, migrations, projects, python};
use crate::{Facts, Inventory, Kind, Trees};

impl Application {
    /// Reads manifests and source files, except sources that have been read before; tests are left out.
    #[must_use]
    pub(crate) fn new(files: &Files, inventory: &Inventory, trees: &Trees, before: Option<&Facts>) -> Self {
        let mut projects = Vec::new();
        let mut said = BTreeMap::new();
        for (id, file) in files.iter() {
            projects::manifest(id, file, trees, inventory, &mut projects);
            if let Some(before) = before.filter(|before| before.files.has_same(id, file)) {
                let known = before.application.said.get(&id);
                said.extend(known.map(|known| (id, Arc::clone(known))));
            } else if let Some(own) = read(id, file, trees.kind(id)) {
                said.insert(id, Arc::new(own));
            }
        }
        let mut out = Self { projects, ..Self::default() };
        for own in said.values() {
            out.env_reads.extend_from_slice(&own.env_reads);
            out.listens.extend_from_slice(&own.listens);
            out.routes.extend_from_slice(&own.routes);
            out.cors.extend_from_slice(&own.cors);
            out.schema_creations.extend_from_slice(&own.schema_creations);
            out.debug_switches.extend_from_slice(&own.debug_switches);
            out.api_docs.extend_from_slice(&own.api_docs);
            out.refused.extend_from_slice(&own.refused);
        }
        python::Modules::new(said.values().filter_map(|own| own.module.as_ref())).resolve(&mut out);
        out.migrations = migrations::all(files, inventory, trees);
        out.said = said;
        out
    }

    /// The project that a file belongs to: the one in the nearest folder above it.
    #[must_use]
    pub fn project_of(&self, files: &Files, file: FileId) -> Option<&Project> {
        let path = files.get(file).path();
        self.projects
            .iter()
            .filter(|project| path.starts_with(&project.folder) || project.folder == Utf8Path::new(""))
            .max_by_key(|project| project.folder.as_str().len())
    }
}

/// What a source file says by itself; nothing for other files and for tests.
fn read(id: FileId, file: &SourceFile, kind: Kind) -> Option<Said> {
    let is_source = matches!(kind, Kind::Python | Kind::JavaScript | Kind::Go | Kind::Rust);
    let path = file.path();
    if !is_source || is_test(path) {
        return None;
    }
    let layer = || Layer::whole(id, file);
    match kind {
        Kind::Python => python::is_worth_reading(file).then(|| python::read(path, &layer())),
        Kind::JavaScript => javascript::is_worth_reading(file).then(|| javascript::read(&layer(), path)),
        Kind::Go => Some(compiled::read(&layer(), Dialect::Go)),
        Kind::Rust => Some(compiled::read(&layer(), Dialect::Rust)),
        _ => None,
    }
}

/// Whether a file holds tests or examples of how to run them, by its name and folders.
pub(super) fn is_test(path: &Utf8Path) -> bool {
    let folder = |part: camino::Utf8Component<'_>| {
        matches!(
            part.as_str(),
            "test"
                | "tests"
                | "__tests__"
                | "__mocks__"
                | "e2e"
                | "spec"
                | "testdata"
                | "fixtures"
                | "cypress"
        )
    };
    let name = path.file_name().unwrap_or_default();
    path.parent().is_some_and(|parent| parent.components().any(folder))
        || name.starts_with("test_")
        || name == "conftest.py"
        || name.contains("_test.")
        || name.contains(".test.")
        || name.contains(".spec.")
}
