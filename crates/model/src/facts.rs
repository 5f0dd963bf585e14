//! Everything that rules may ask for.

use plimsoll_text::{FileId, Files};

/// What is known about the files under judgement.
#[derive(Debug)]
pub struct Facts {
    /// The files themselves.
    pub files: Files,
}

impl Facts {
    /// Reads every file and links what they say.
    #[must_use]
    pub fn new(files: Files) -> Self {
        Self { files }
    }

    /// Whether a file serves development or tests only, by its name, its place or what refers to it.
    #[must_use]
    pub fn is_development(&self, _file: FileId) -> bool {
        false
    }
}
