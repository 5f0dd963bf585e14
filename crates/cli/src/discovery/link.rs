//! Symbolic links.

use std::io;

use camino::Utf8Path;

use crate::failure::io_reason;

/// Why a symbolic link is not followed, when that is worth saying. A link to a file or directory that is
/// evaluated at its own place is not.
pub(super) fn objection(link: &Utf8Path, root: &Utf8Path) -> Option<String> {
    match link.canonicalize_utf8() {
        Ok(target) => {
            let root = root.canonicalize_utf8().ok()?;
            let own = link.parent().and_then(|parent| parent.canonicalize_utf8().ok());
            if !target.starts_with(&root) && !root.starts_with(&target) {
                Some("not followed: it is a link to a place outside the evaluated directory".to_owned())
            } else if own.is_some_and(|own| own.starts_with(&target)) {
                Some("not followed: it is a link to a directory that holds it".to_owned())
            } else {
                None
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some("not followed: it is a link to nothing".to_owned())
        }
        Err(error) if is_loop(&error) => Some("not followed: it is a link in a circle".to_owned()),
        Err(error) => Some(format!("not followed: {}", io_reason(&error))),
    }
}

/// The standard library has no stable name for this error.
fn is_loop(error: &io::Error) -> bool {
    const ELOOP_LINUX: i32 = 40;
    const ELOOP_BSD: i32 = 62;
    matches!(error.raw_os_error(), Some(ELOOP_LINUX | ELOOP_BSD))
}
