//! Reading one file.

use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;

use camino::Utf8Path;

/// Files beyond this are named, not read: no person writes so much by hand.
pub(super) const LIMIT: u64 = 5_000_000;

/// What reading a file gave.
pub(super) enum Content {
    /// Its text.
    Text(Arc<str>),
    /// Its text with replacement characters, and the line, counted from 1, of the first of them.
    Repaired(Arc<str>, usize),
    /// It holds no text.
    Binary,
    /// It is too large; its size in bytes.
    TooLarge(u64),
}

/// Reads a regular file; `buffer` is space for it, so that only text that is kept takes memory of its own.
pub(super) fn read(path: &Utf8Path, buffer: &mut Vec<u8>) -> io::Result<Content> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > LIMIT {
        return Ok(Content::TooLarge(size));
    }
    buffer.clear();
    buffer.reserve(usize::try_from(size).unwrap_or(0) + 1);
    // A file may grow while it is read, or claim to have no size (below /proc).
    file.take(LIMIT + 1).read_to_end(buffer)?;
    if buffer.len() as u64 > LIMIT {
        return Ok(Content::TooLarge(buffer.len() as u64));
    }
    Ok(content(buffer))
}

fn content(bytes: &[u8]) -> Content {
    if bytes.get(..8192).unwrap_or(bytes).contains(&0) {
        return Content::Binary;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Content::Text(text.into()),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Content::Repaired(String::from_utf8_lossy(bytes).into(), line)
        }
    }
}
