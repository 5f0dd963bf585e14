//! Reading one file.

use std::fs::File;
use std::io::{self, Read as _};

use camino::Utf8Path;

/// Files beyond this are named, not read: no person writes so much by hand.
pub(super) const LIMIT: u64 = 5_000_000;

/// What reading a file gave.
pub(super) enum Content {
    /// Its text.
    Text(String),
    /// Its text with replacement characters, and the line, counted from 1, of the first of them.
    Repaired(String, usize),
    /// It holds no text.
    Binary,
    /// It is too large; its size in bytes.
    TooLarge(u64),
}

/// Reads a regular file.
pub(super) fn read(path: &Utf8Path) -> io::Result<Content> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > LIMIT {
        return Ok(Content::TooLarge(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    // A file may grow while it is read, or claim to have no size (below /proc).
    file.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Ok(Content::TooLarge(bytes.len() as u64));
    }
    Ok(content(bytes))
}

fn content(bytes: Vec<u8>) -> Content {
    if bytes.get(..8192).unwrap_or(&bytes).contains(&0) {
        return Content::Binary;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Content::Text(text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = error.as_bytes().get(..valid).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Content::Repaired(String::from_utf8_lossy(error.as_bytes()).into_owned(), line)
        }
    }
}
