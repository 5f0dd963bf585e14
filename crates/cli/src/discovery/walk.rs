//! Walking directories.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{DirEntry, WalkBuilder};
use plimsoll_model::Inventory;
use plimsoll_report::Problem;
use plimsoll_report::document::notes;
use plimsoll_text::Files;

use super::link::objection;
use super::names::{is_data, is_vendored};
use super::read::{Content, LIMIT, read};
use super::root::{common_root, comparable};
use crate::failure::{Failure, FailureKind, io_reason};

/// All that was found.
#[derive(Debug)]
pub(crate) struct Discovery {
    /// The directory that paths are relative to, as the user named it; empty for the current directory.
    pub(crate) root: Utf8PathBuf,
    /// The files that were read.
    pub(crate) files: Files,
    /// The files that exist.
    pub(crate) inventory: Inventory,
    /// The files whose text is not what their bytes say.
    pub(crate) repaired: BTreeSet<Utf8PathBuf>,
    /// What could not be read as it is, in path order.
    pub(crate) problems: Vec<Problem>,
    /// Whether the operating system refused something.
    pub(crate) unreadable: bool,
}

/// Finds and reads the files below paths, as `.gitignore` allows. Files of Plimsoll's `own` (reports, baselines)
/// quote what others hold, and are left out.
pub(crate) fn discover(paths: &[String], own: &[&Utf8Path]) -> Result<Discovery, Failure> {
    let paths = comparable(&paths.iter().map(Utf8PathBuf::from).collect::<Vec<_>>());
    let mut folders = Vec::new();
    for path in &paths {
        let data = on_disk(path)
            .metadata()
            .map_err(|source| Failure::from(FailureKind::Read { path: on_disk(path).to_owned(), source }))?;
        let parent = || path.parent().map(Utf8Path::to_owned).unwrap_or_default();
        folders.push(if data.is_dir() { path.clone() } else { parent() });
    }
    let own = own.iter().filter_map(|path| path.canonicalize_utf8().ok()).collect();
    let mut finder = Finder { root: common_root(&folders), own, ..Finder::default() };
    for path in &paths {
        finder.walk(path);
    }
    finder.finish()
}

/// The current directory has a name on disk only.
fn on_disk(path: &Utf8Path) -> &Utf8Path {
    if path.as_str().is_empty() { Utf8Path::new(".") } else { path }
}

#[derive(Default)]
struct Finder {
    root: Utf8PathBuf,
    own: Vec<Utf8PathBuf>,
    texts: Vec<(Utf8PathBuf, Arc<str>)>,
    names: BTreeSet<Utf8PathBuf>,
    repaired: BTreeSet<Utf8PathBuf>,
    problems: BTreeSet<Problem>,
    unreadable: bool,
    buffer: Vec<u8>,
}

impl Finder {
    fn walk(&mut self, path: &Utf8Path) {
        let walk = WalkBuilder::new(on_disk(path))
            .hidden(false)
            .ignore(false)
            // What a user keeps for all repositories must not change the report of this one.
            .git_global(false)
            .require_git(false)
            .filter_entry(|entry| !is_skipped(entry))
            .build();
        for entry in walk {
            match entry {
                Ok(entry) => self.entry(&entry),
                Err(error) => self.refused(&error),
            }
        }
    }

    fn entry(&mut self, entry: &DirEntry) {
        let Some(kind) = entry.file_type() else { return };
        if kind.is_dir() {
            return;
        }
        let Ok(path) = Utf8PathBuf::try_from(entry.path().to_owned()) else {
            let name = self.relative(&Utf8PathBuf::from(entry.path().to_string_lossy().into_owned()));
            self.problem(name, "not read: its name is not UTF-8".to_owned());
            return;
        };
        let name = self.relative(&path);
        if self.is_own(&path) || !self.names.insert(name.clone()) {
            return;
        }
        if kind.is_symlink() && entry.depth() > 0 {
            if let Some(reason) = objection(&path, on_disk(&self.root)) {
                self.problem(name, reason);
            }
        } else if !kind.is_file() && !kind.is_symlink() {
            self.problem(name, "not read: it is no regular file".to_owned());
        } else if !is_data(&name) {
            self.text(&path, name);
        }
    }

    fn is_own(&self, path: &Utf8Path) -> bool {
        // Names are compared first, because asking the file system about each file takes long.
        self.own.iter().any(|own| {
            own.file_name() == path.file_name() && path.canonicalize_utf8().is_ok_and(|path| path == *own)
        })
    }

    fn text(&mut self, path: &Utf8Path, name: Utf8PathBuf) {
        match read(path, &mut self.buffer) {
            // A document that Plimsoll wrote quotes what the other files hold.
            Ok(Content::Text(text)) if notes::is_own(&text) => {}
            Ok(Content::Text(text)) => self.texts.push((name, text)),
            Ok(Content::Repaired(text, line)) => {
                let reason = format!("not UTF-8 at line {line}: read with replacement characters");
                self.problem(name.clone(), reason);
                self.repaired.insert(name.clone());
                self.texts.push((name, text));
            }
            Ok(Content::Binary) => {}
            Ok(Content::TooLarge(size)) => {
                self.problem(
                    name,
                    format!("not read: it has {}, the limit is {}", megabytes(size), megabytes(LIMIT)),
                );
            }
            Err(error) => {
                self.unreadable = true;
                self.problem(name, format!("cannot be read: {}", io_reason(&error)));
            }
        }
    }

    /// A directory or entry that the operating system refused.
    fn refused(&mut self, error: &ignore::Error) {
        let (Some(path), Some(io)) = (path_of(error), error.io_error()) else { return };
        self.unreadable = true;
        let name = self.relative(&Utf8PathBuf::from(path.to_string_lossy().into_owned()));
        self.problem(name, format!("cannot be read: {}", io_reason(io)));
    }

    fn problem(&mut self, path: Utf8PathBuf, reason: String) {
        self.problems.insert(Problem { path, reason });
    }

    /// A path as found, relative to the root.
    fn relative(&self, path: &Utf8Path) -> Utf8PathBuf {
        let path = path.strip_prefix(".").unwrap_or(path);
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    fn finish(self) -> Result<Discovery, Failure> {
        let files = Files::new(self.texts);
        if files.is_empty() {
            let place =
                if self.root.as_str().is_empty() { "the current directory" } else { self.root.as_str() };
            let mut failure = Failure::from(FailureKind::Nothing(place.to_owned()));
            for problem in &self.problems {
                failure = failure.hint(format!("{}: {}", problem.path, problem.reason));
            }
            return Err(failure.hint(
                "name the directory that holds the compose file and the deployment scripts; \
                 files that `.gitignore` names are not read",
            ));
        }
        Ok(Discovery {
            root: self.root,
            files,
            inventory: Inventory::new(self.names),
            repaired: self.repaired,
            problems: self.problems.into_iter().collect(),
            unreadable: self.unreadable,
        })
    }
}

/// Whether a directory below the given ones holds other people's code or what a program made.
fn is_skipped(entry: &DirEntry) -> bool {
    let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
    let name = entry.file_name().to_str().unwrap_or_default();
    // A work tree of git holds a file of this name.
    name == ".git"
        || is_dir && entry.depth() > 0 && (is_vendored(name) || entry.path().join("CACHEDIR.TAG").exists())
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}
