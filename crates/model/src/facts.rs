//! Everything that rules may ask for.

use plimsoll_text::{FileId, Files, Place, SyntaxError};

use crate::Inventory;

/// What is known about the files under judgement.
#[derive(Debug)]
pub struct Facts {
    /// The files themselves.
    pub files: Files,
    /// Which files exist, read or not.
    pub inventory: Inventory,
}

impl Facts {
    /// Reads every file and links what they say.
    #[must_use]
    pub fn new(files: Files, inventory: Inventory) -> Self {
        Self { files, inventory }
    }

    /// Whether a file serves development or tests only, by its name, its place or what refers to it.
    #[must_use]
    pub fn is_development(&self, _file: FileId) -> bool {
        false
    }

    /// The first fact that opens a way to the hypervisor (a privileged guest, a node credential, a container
    /// engine's socket), if there is one.
    #[must_use]
    pub fn way_to_node(&self) -> Option<Place> {
        None
    }

    /// What the readers could not make sense of, in path order.
    #[must_use]
    pub fn syntax_errors(&self) -> &[SyntaxError] {
        &[]
    }
}
