//! Writing files.

use std::io::Write as _;

use camino::Utf8Path;

use crate::failure::{Failure, FailureKind};

/// Replaces a file in one step: a reader sees the old text or the new one, never half of it.
pub(crate) fn write_file(path: &Utf8Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let write = || {
        let mut file = tempfile::Builder::new().prefix(".plimsoll-").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        readable(file.as_file())?;
        file.persist(path).map_err(|error| error.error)
    };
    match write() {
        Ok(_) => Ok(()),
        Err(source) => Err(FailureKind::Write { path: path.to_owned(), source }.into()),
    }
}

/// Temporary files are for their owner only; a report is an ordinary file.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
