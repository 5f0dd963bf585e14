//! The files that a deploy takes: those of the directory, or those of a commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::compose::{Request, resolve};
use plimsoll_text::Files;

use crate::failure::{Failure, FailureKind};
use crate::process::{git, git_says};

/// A directory with the files, taken away again when it was made for them.
pub(crate) struct Checkout {
    path: Utf8PathBuf,
    made: Option<Made>,
}

struct Made {
    repository: Utf8PathBuf,
    tree: Utf8PathBuf,
    _folder: tempfile::TempDir,
}

impl Checkout {
    pub(crate) fn as_it_is(directory: &Utf8Path) -> Self {
        Self { path: directory.to_owned(), made: None }
    }

    /// A work tree of its own for a commit, tag or branch.
    pub(crate) fn of(directory: &Utf8Path, reference: &str) -> Result<Self, Failure> {
        let refused = |reason: String| {
            Failure::from(FailureKind::Target(format!("cannot check `{reference}` out: {reason}")))
        };
        let commit = git(
            directory,
            &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{reference}^{{commit}}")],
        )
        .ok_or_else(|| refused("git knows no such commit here".to_owned()))?;
        let prefix = git(directory, &["rev-parse", "--show-prefix"]).unwrap_or_default();
        let folder = tempfile::TempDir::new().map_err(|error| refused(error.to_string()))?;
        let tree = Utf8PathBuf::from_path_buf(folder.path().join("tree"))
            .map_err(|_| refused("the directory for temporary files has no readable name".to_owned()))?;
        git_says(directory, &["worktree", "add", "--quiet", "--detach", tree.as_str(), &commit])
            .map_err(refused)?;
        let path = tree.join(prefix);
        let made = Made { repository: directory.to_owned(), tree, _folder: folder };
        Ok(Self { path, made: Some(made) })
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }
}

/// The files with those that Compose reads besides: what holds values is seldom in the repository, and a walk that
/// respects `.gitignore` does not find it. The first root that has a file counts.
pub(crate) fn with_values(files: &Files, roots: [&Utf8Path; 2], compose_files: &[Utf8PathBuf]) -> Files {
    let mut all: BTreeMap<Utf8PathBuf, Arc<str>> =
        files.iter().map(|(_, file)| (file.path().to_owned(), file.shared_text())).collect();
    let folder = compose_files.first().and_then(|path| path.parent()).unwrap_or(Utf8Path::new(""));
    let mut wanted: Vec<Utf8PathBuf> = compose_files.to_vec();
    wanted.push(folder.join(".env"));
    add(&mut all, roots, wanted);
    // What services name is known once the Compose files are.
    let known = Files::new(all.clone());
    let resolution = resolve(&Request::new(&known, compose_files.to_vec()));
    let services = resolution.compose.services.into_values().chain(resolution.compose.disabled.into_values());
    let named = services.flat_map(|service| service.env_files).filter(|file| !file.found);
    add(&mut all, roots, named.map(|file| file.path.value.resolved).collect());
    Files::new(all)
}

#[expect(clippy::disallowed_methods, reason = "this is the place that reads what a deploy takes along")]
fn add(all: &mut BTreeMap<Utf8PathBuf, Arc<str>>, roots: [&Utf8Path; 2], paths: Vec<Utf8PathBuf>) {
    for path in paths {
        let mut found = roots.iter().filter_map(|root| std::fs::read_to_string(root.join(&path)).ok());
        if let (false, Some(text)) = (all.contains_key(&path), found.next()) {
            all.insert(path, text.into());
        }
    }
}

impl Drop for Checkout {
    fn drop(&mut self) {
        if let Some(made) = &self.made {
            drop(git_says(&made.repository, &["worktree", "remove", "--force", made.tree.as_str()]));
        }
    }
}
