//! Which files exist, read or not.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

/// The names of all files below the evaluated root, those that nobody read (images, lock files, data) included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    paths: BTreeSet<Utf8PathBuf>,
}

impl Inventory {
    /// An inventory of paths relative to the root, with `/` between parts.
    pub fn new(paths: impl IntoIterator<Item = Utf8PathBuf>) -> Self {
        Self { paths: paths.into_iter().collect() }
    }

    /// Whether a file exists.
    #[must_use]
    pub fn has(&self, path: &Utf8Path) -> bool {
        self.paths.contains(path)
    }

    /// Whether any file exists below a folder.
    #[must_use]
    pub fn has_folder(&self, folder: &Utf8Path) -> bool {
        self.below(folder).next().is_some()
    }

    /// The files below a folder, in path order; all of them for the empty path.
    pub fn below<'a>(&'a self, folder: &'a Utf8Path) -> impl Iterator<Item = &'a Utf8Path> {
        self.paths
            .range(folder.to_owned()..)
            .map(Utf8PathBuf::as_path)
            .take_while(move |path| path.starts_with(folder))
            .filter(move |path| *path != folder)
    }

    /// All files, in path order.
    pub fn paths(&self) -> impl Iterator<Item = &Utf8Path> {
        self.paths.iter().map(Utf8PathBuf::as_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_hold_what_lies_below_them_and_not_their_namesakes() {
        let inventory = Inventory::new(["app/a.png", "app-old/b", "c"].map(Utf8PathBuf::from));
        assert!(inventory.has("c".into()));
        assert_eq!(inventory.below("app".into()).collect::<Vec<_>>(), ["app/a.png"]);
        assert!(inventory.has_folder("app".into()) && !inventory.has_folder("c".into()));
        assert_eq!(inventory.below("".into()).count(), 3);
    }
}
