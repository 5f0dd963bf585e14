//! Writing and checking the generated documents.

use std::collections::BTreeSet;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::pages;

/// Folders in which every file is generated.
const FOLDERS: [&str; 2] = ["docs/rules", "docs/reference"];

/// Why a document could not be written or is not what the code says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CodegenError {
    /// The file system refused.
    #[error("cannot access `{path}`: {source}")]
    Access { path: Utf8PathBuf, source: io::Error },
    /// Some documents are old.
    #[error("these are not what the code says; run `cargo run -p xtask -- codegen`:\n  {}", .0.join("\n  "))]
    Outdated(Vec<String>),
}

/// Writes all documents and removes those that nothing generates any more.
#[expect(clippy::disallowed_methods, reason = "writing documents is what it is for")]
pub(crate) fn write() -> Result<String, CodegenError> {
    let pages = pages::all();
    for path in present()?.into_iter().filter(|path| !pages.contains_key(path)) {
        std::fs::remove_file(workspace().join(&path))
            .map_err(|source| CodegenError::Access { path, source })?;
    }
    for (path, text) in &pages {
        let target = workspace().join(path);
        let access = |source| CodegenError::Access { path: path.clone(), source };
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(access)?;
        }
        std::fs::write(&target, text).map_err(access)?;
    }
    Ok(format!("{} documents are up to date", pages.len()))
}

/// Says which documents are not what the code says.
#[expect(clippy::disallowed_methods, reason = "compares documents with what the code says")]
pub(crate) fn check() -> Result<String, CodegenError> {
    let pages = pages::all();
    let stale = present()?.into_iter().filter(|path| !pages.contains_key(path));
    let wrong = pages
        .iter()
        .filter(|(path, text)| std::fs::read_to_string(workspace().join(path)).ok().as_ref() != Some(text));
    let all: BTreeSet<String> =
        stale.chain(wrong.map(|(path, _)| path.clone())).map(Utf8PathBuf::into_string).collect();
    if all.is_empty() {
        Ok(format!("{} documents are up to date", pages.len()))
    } else {
        Err(CodegenError::Outdated(all.into_iter().collect()))
    }
}

/// The files that are there, by their path below the workspace.
fn present() -> Result<Vec<Utf8PathBuf>, CodegenError> {
    let mut out = Vec::new();
    for folder in FOLDERS {
        let entries = match workspace().join(folder).read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(CodegenError::Access { path: folder.into(), source }),
        };
        for entry in entries {
            let entry = entry.map_err(|source| CodegenError::Access { path: folder.into(), source })?;
            out.push(Utf8Path::new(folder).join(entry.file_name()));
        }
    }
    Ok(out)
}

fn workspace() -> &'static Utf8Path {
    let here = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
