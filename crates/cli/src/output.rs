//! Writing files.

use std::io::{Read as _, Write as _};

use camino::Utf8Path;

use crate::failure::{Failure, FailureKind};

/// Writes a report. A file is replaced in one step, so that a reader sees the old text or the new one, never half of
/// it; a link stays a link; a pipe or a device, such as `/dev/null`, is written to and stays what it is.
pub(crate) fn write_file(path: &Utf8Path, text: &str) -> Result<(), Failure> {
    let real = path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
    let is_file = std::fs::metadata(&real).map_or(true, |metadata| metadata.is_file());
    let written = if is_file {
        replace(&real, text, readable)
    } else {
        std::fs::OpenOptions::new().write(true).open(&real).and_then(|mut it| it.write_all(text.as_bytes()))
    };
    written.map_err(|source| FailureKind::Write { path: path.to_owned(), source }.into())
}

/// Replaces the text of a file that exists, in one step. Its mode stays, and a link stays a link.
pub(crate) fn rewrite_file(path: &Utf8Path, before: &str, after: &str) -> Result<(), Failure> {
    let refused = |source| Failure::from(FailureKind::Write { path: path.to_owned(), source });
    let real = path.canonicalize_utf8().map_err(refused)?;
    let mut present = String::new();
    let mut file = std::fs::File::open(&real).map_err(refused)?;
    file.read_to_string(&mut present).map_err(refused)?;
    if present != before {
        return Err(FailureKind::Moved(path.to_owned()).into());
    }
    let mode = file.metadata().map_err(refused)?.permissions();
    replace(&real, after, |file| file.set_permissions(mode)).map_err(refused)
}

fn replace(
    path: &Utf8Path,
    text: &str,
    set_mode: impl FnOnce(&std::fs::File) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".plimsoll-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    set_mode(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
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
