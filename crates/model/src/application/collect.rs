//! Goes through the source files.

use camino::Utf8Path;
use plimsoll_syntax::source::Dialect;
use plimsoll_text::{FileId, Files, Layer};

use super::types::{Application, Project};
use super::{compiled, javascript, migrations, projects, python};
use crate::{Inventory, Kind, Trees};

impl Application {
    /// Reads manifests and source files; tests are left out.
    #[must_use]
    pub fn new(files: &Files, inventory: &Inventory, trees: &Trees) -> Self {
        let mut out = Self::default();
        let mut modules = python::Modules::default();
        for (id, file) in files.iter() {
            let path = file.path();
            projects::manifest(id, file, trees, inventory, &mut out.projects);
            let kind = trees.kind(id);
            let is_source = matches!(kind, Kind::Python | Kind::JavaScript | Kind::Go | Kind::Rust);
            if !is_source || is_test(path) {
                continue;
            }
            match kind {
                Kind::Python if python::is_worth_reading(file.text()) => {
                    python::read(path, &Layer::whole(id, file), &mut modules, &mut out);
                }
                Kind::JavaScript if javascript::is_worth_reading(file.text()) => {
                    javascript::read(&Layer::whole(id, file), path, &mut out);
                }
                Kind::Go => compiled::read(&Layer::whole(id, file), Dialect::Go, &mut out),
                Kind::Rust => compiled::read(&Layer::whole(id, file), Dialect::Rust, &mut out),
                _ => {}
            }
        }
        modules.resolve(&mut out);
        out.migrations = migrations::all(files, inventory, trees);
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
