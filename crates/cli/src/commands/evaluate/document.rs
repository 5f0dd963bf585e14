//! Where the document goes, and what of the old one is kept.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_judge::settings::{Date, Settings};
use plimsoll_judge::{Question, assess};
use plimsoll_model::Facts;
use plimsoll_report::document::{Input, Withdrawals, build, markdown, notes};
use plimsoll_report::{Report, html};

use crate::failure::{Failure, FailureKind};
use crate::output::write_file;

/// Where it goes below the evaluated directory, when nobody says.
const PLACE: &str = "docs/deployment/proxmox-deployment-evaluation.md";

/// A file that the document may be written to.
pub(super) struct Target {
    path: Utf8PathBuf,
    notes: BTreeMap<String, String>,
}

impl Target {
    /// Looks at the file before anything else is done: one that somebody else wrote is never replaced.
    pub(super) fn new(file: Option<&Utf8Path>, paths: &[String]) -> Result<Self, Failure> {
        let path = file.map_or_else(|| default(paths), Utf8Path::to_owned);
        if path.is_dir() {
            return Err(Failure::from(FailureKind::DocumentIsFolder(path))
                .hint("name the file, or put the directory to evaluate before `--document`"));
        }
        let old = read(&path)?;
        // The page has no place to write in: notes stand in the Markdown beside it.
        let beside = if is_page(&path) {
            read(&path.with_extension("md"))?.filter(|text| notes::is_own(text))
        } else {
            None
        };
        if old.as_ref().is_some_and(|text| !text.trim().is_empty() && !notes::is_own(text)) {
            return Err(Failure::from(FailureKind::Foreign(path))
                .hint("move it away, or name another file: `--document FILE`")
                .hint(format!("a document of Plimsoll begins with `{}`", notes::MARK)));
        }
        let text = if is_page(&path) { beside } else { old };
        let notes = notes::read(text.as_deref().unwrap_or_default()).map_err(|source| {
            Failure::from(FailureKind::Notes { path: path.clone(), source })
                .hint("nothing was written, so that no note is lost; close the slot and start again")
        })?;
        Ok(Self { path, notes })
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Judges, and writes the document.
    pub(super) fn write(
        &self,
        report: &Report<'_>,
        facts: &Facts,
        settings: &Settings,
        today: Date,
        withdrawn: &Withdrawals,
    ) -> Result<(), Failure> {
        let question = Question { profile: report.profile, settings, today };
        let judgement = assess(facts, report.assessment, &question);
        let document =
            build(&Input { report, facts, judgement: &judgement, withdrawn, today, notes: &self.notes });
        let text = if is_page(&self.path) { html::write(&document) } else { markdown::write(&document) };
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| FailureKind::Write { path: folder.to_owned(), source })?;
        }
        write_file(&self.path, &text)
    }
}

fn is_page(path: &Utf8Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("html") || extension.eq_ignore_ascii_case("htm")
    })
}

/// The default place in the first directory that is evaluated.
fn default(paths: &[String]) -> Utf8PathBuf {
    let first = paths.first().map_or(Utf8Path::new("."), Utf8Path::new);
    let folder = if first.is_dir() { first } else { first.parent().unwrap_or(first) };
    if folder == "." || folder.as_str().is_empty() { PLACE.into() } else { folder.join(PLACE) }
}

#[expect(clippy::disallowed_methods, reason = "the command line is what reads files")]
fn read(path: &Utf8Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FailureKind::Read { path: path.to_owned(), source }.into()),
    }
}
