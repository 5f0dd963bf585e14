//! Which files exist, read or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

/// The names of all files below the evaluated root, those that nobody read (images, lock files, data) included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Shared with the states that patches leave.
    listing: Arc<Listing>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Listing {
    paths: BTreeSet<Utf8PathBuf>,
    /// How many files have a name, whatever their folder.
    names: BTreeMap<String, usize>,
}

impl Inventory {
    /// An inventory of paths relative to the root, with `/` between parts.
    pub fn new(paths: impl IntoIterator<Item = Utf8PathBuf>) -> Self {
        let paths: BTreeSet<Utf8PathBuf> = paths.into_iter().collect();
        let mut names = BTreeMap::new();
        for name in paths.iter().filter_map(|path| path.file_name()) {
            match names.get_mut(name) {
                Some(count) => *count += 1,
                None => {
                    names.insert(name.to_owned(), 1);
                }
            }
        }
        Self { listing: Arc::new(Listing { paths, names }) }
    }

    /// Whether a file exists.
    #[must_use]
    pub fn has(&self, path: &Utf8Path) -> bool {
        self.listing.paths.contains(path)
    }

    /// How many files have this name, whatever their folder.
    #[must_use]
    pub fn named(&self, name: &str) -> usize {
        self.listing.names.get(name).copied().unwrap_or(0)
    }

    /// Whether any file exists below a folder.
    #[must_use]
    pub fn has_folder(&self, folder: &Utf8Path) -> bool {
        self.below(folder).next().is_some()
    }

    /// The files below a folder, in path order; all of them for the empty path.
    pub fn below<'a>(&'a self, folder: &'a Utf8Path) -> impl Iterator<Item = &'a Utf8Path> {
        self.listing
            .paths
            .range(folder.to_owned()..)
            .map(Utf8PathBuf::as_path)
            .take_while(move |path| path.starts_with(folder))
            .filter(move |path| *path != folder)
    }

    /// All files, in path order.
    pub fn paths(&self) -> impl Iterator<Item = &Utf8Path> {
        self.listing.paths.iter().map(Utf8PathBuf::as_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_hold_what_lies_below_them_and_not_their_namesakes() {
        let inventory = Inventory::new(["app/a.png", "app-old/b", "c"].map(Utf8PathBuf::from));
        assert!(inventory.has("c".into()));
        assert_eq!((inventory.named("b"), inventory.named("app")), (1, 0));
        assert_eq!(inventory.below("app".into()).collect::<Vec<_>>(), ["app/a.png"]);
        assert!(inventory.has_folder("app".into()) && !inventory.has_folder("c".into()));
        assert_eq!(inventory.below("".into()).count(), 3);
    }
}
