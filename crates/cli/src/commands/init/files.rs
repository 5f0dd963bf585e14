//! Files that are written, none of them over what somebody else wrote.

use std::io::{ErrorKind, Write as _};

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_config::{Config, Target};

use super::{taskfile, workflow};
use crate::failure::{Failure, FailureKind};
use crate::output::rewrite_file;
use crate::process::git;

/// A file that is not as it should be.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) path: Utf8PathBuf,
    /// Its text; none where it is not there.
    pub(super) before: Option<String>,
    pub(super) after: String,
}

impl Change {
    /// A new file; nothing where it is there with this text.
    fn new(path: Utf8PathBuf, after: String) -> Result<Option<Self>, Failure> {
        match read(&path)? {
            None => Ok(Some(Self { path, before: None, after })),
            Some(text) if text == after => Ok(None),
            Some(_) => Err(exists(&path).hint("take it away to have it written anew")),
        }
    }

    pub(super) fn write(&self) -> Result<(), Failure> {
        let failed = |source| Failure::from(FailureKind::Write { path: self.path.clone(), source });
        if let Some(before) = &self.before {
            return rewrite_file(&self.path, before, &self.after);
        }
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let write =
            |mut file: std::fs::File| file.write_all(self.after.as_bytes()).and_then(|()| file.sync_all());
        match std::fs::File::create_new(&self.path).and_then(write) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(exists(&self.path)),
            done => done.map_err(failed),
        }
    }
}

/// What is there is not replaced.
pub(super) fn exists(path: &Utf8Path) -> Failure {
    FailureKind::Target(format!("`{path}` exists and is not replaced")).into()
}

/// The verbs, and the project's Taskfile with an include of them.
pub(super) fn taskfile(directory: &Utf8Path) -> Result<Vec<Change>, Failure> {
    let verbs = Change::new(directory.join(taskfile::FILE), taskfile::verbs())?;
    for name in taskfile::NAMES {
        let path = directory.join(name);
        let Some(before) = read(&path)? else { continue };
        let after = taskfile::included(&before).map_err(|clash| {
            let hint = match &clash {
                taskfile::Clash::Taken(..) => "rename it, or include the verbs by hand under another name",
                _ => "include the verbs by hand",
            };
            Failure::from(FailureKind::Target(format!("`{path}`, {clash}; nothing was written")))
                .hint(format!("{hint}: `includes: {{NAME: ./{}}}`", taskfile::FILE))
        })?;
        let include = after.map(|after| Change { path, before: Some(before), after });
        return Ok(verbs.into_iter().chain(include).collect());
    }
    let own = Change::new(directory.join(taskfile::NAMES[0]), taskfile::first())?;
    Ok(verbs.into_iter().chain(own).collect())
}

/// The workflow, for the branch that the project's own remote calls its main one.
pub(super) fn workflow(
    directory: &Utf8Path,
    config: &Config,
    target: &Target,
) -> Result<Option<Change>, Failure> {
    let head = git(directory, &["symbolic-ref", "--short", "--quiet", "refs/remotes/origin/HEAD"]);
    let plain = |branch: &&str| branch.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let branch =
        head.as_deref().and_then(|head| head.strip_prefix("origin/")).filter(plain).unwrap_or("main");
    Change::new(directory.join(workflow::FILE), workflow::workflow(config, target, branch))
}

#[expect(clippy::disallowed_methods, reason = "the command line is the place that reads files")]
fn read(path: &Utf8Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FailureKind::Read { path: path.to_owned(), source }.into()),
    }
}
