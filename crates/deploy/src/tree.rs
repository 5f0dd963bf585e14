//! Files of the checkout that go to the guest: build contexts and mounted files.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::ignores::{Dialect, Ignore};
use plimsoll_text::{Files, Layer};

use crate::digest::{self, Hasher};

/// What a path holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file with the SHA-256 of its bytes.
    File {
        /// SHA-256 in hexadecimal digits.
        sha256: String,
        /// Bytes.
        size: u64,
        /// Whether it can be executed.
        executable: bool,
    },
    /// A link and where it leads.
    Link(String),
    /// An empty directory.
    Folder,
}

/// Files by path: checksum, and whether it can be executed.
pub type Listing = BTreeMap<String, (String, bool)>;

/// A directory (or one file) of the checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Where it is on this machine.
    pub base: PathBuf,
    /// What is in it, by path; a single file stands under its own name.
    pub entries: BTreeMap<Utf8PathBuf, Content>,
    /// SHA-256 over all of it: names, contents, execute bits. Times and owners do not count.
    pub root: String,
}

/// A tree that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A path cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A name that a list of checksums cannot hold.
    #[error("the name of `{0}` cannot go to a guest: rename it, or leave it out by `.dockerignore`")]
    Name(PathBuf),
}

impl Tree {
    /// Reads a directory without what its ignore file leaves out.
    pub fn read(base: &Path, ignore: Option<&str>, keep: &[&str]) -> Result<Self, TreeError> {
        let ignore = ignore.and_then(parse);
        let mut entries = BTreeMap::new();
        walk(base, Utf8Path::new(""), ignore.as_ref(), keep, &mut entries)?;
        Ok(Self { base: base.to_owned(), root: root(&entries), entries })
    }

    /// Reads one file.
    pub fn file(path: &Path) -> Result<Self, TreeError> {
        let refused = || TreeError::Name(path.to_owned());
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(refused)?;
        let content = file(path)?;
        let entries = BTreeMap::from([(Utf8PathBuf::from(name), content)]);
        Ok(Self { base: path.parent().unwrap_or(path).to_owned(), root: root(&entries), entries })
    }

    /// Bytes of its files.
    #[must_use]
    pub fn size(&self) -> u64 {
        let sizes = self.entries.values().map(|content| match content {
            Content::File { size, .. } => *size,
            Content::Link(_) | Content::Folder => 0,
        });
        sizes.sum()
    }

    /// The files as `sha256sum` lists them, in the order of their bytes.
    #[must_use]
    pub fn sums(&self) -> String {
        let mut lines: Vec<(&str, &str)> = self
            .entries
            .iter()
            .filter_map(|(path, content)| match content {
                Content::File { sha256, .. } => Some((path.as_str(), sha256.as_str())),
                Content::Link(_) | Content::Folder => None,
            })
            .collect();
        lines.sort_unstable();
        lines.iter().map(|(path, sum)| format!("{sum}  {path}\n")).collect()
    }

    /// The files by path.
    #[must_use]
    pub fn listing(&self) -> Listing {
        let files = self.entries.iter().filter_map(|(path, content)| match content {
            Content::File { sha256, executable, .. } => {
                Some((path.to_string(), (sha256.clone(), *executable)))
            }
            Content::Link(_) | Content::Folder => None,
        });
        files.collect()
    }

    /// What differs from a listing: paths to send, paths to take away. Links and empty folders are always sent.
    #[must_use]
    pub fn difference(&self, before: &Listing) -> (Vec<&Utf8Path>, Vec<String>) {
        let now = self.listing();
        let send = self.entries.keys().map(Utf8PathBuf::as_path);
        let send = send
            .filter(|path| now.get(path.as_str()).is_none_or(|file| before.get(path.as_str()) != Some(file)));
        let gone = before.keys().filter(|path| !now.contains_key(*path));
        (send.collect(), gone.cloned().collect())
    }

    /// Takes over what another tree of the same directory has besides.
    pub(crate) fn add(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.root = root(&self.entries);
    }

    /// Adds some of its paths to an archive. Times and owners are the same for everybody.
    pub(crate) fn append(
        &self,
        archive: &mut tar::Builder<impl io::Write>,
        under: &Utf8Path,
        paths: &[&Utf8Path],
    ) -> Result<(), TreeError> {
        for path in paths {
            let Some(content) = self.entries.get(*path) else { continue };
            let whole = self.base.join(path);
            let refused = |source| TreeError::Read { path: whole.clone(), source };
            let name = under.join(path);
            let mut header = tar::Header::new_gnu();
            header.set_mtime(0);
            match content {
                Content::File { executable, sha256, .. } => {
                    header.set_mtime(time(sha256));
                    let mut bytes = Vec::new();
                    std::fs::File::open(&whole)
                        .and_then(|mut file| file.read_to_end(&mut bytes))
                        .map_err(refused)?;
                    header.set_mode(if *executable { 0o755 } else { 0o644 });
                    header.set_size(bytes.len() as u64);
                    archive.append_data(&mut header, &name, bytes.as_slice()).map_err(refused)?;
                }
                Content::Link(to) => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_mode(0o777);
                    header.set_size(0);
                    archive.append_link(&mut header, &name, to).map_err(refused)?;
                }
                Content::Folder => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_mode(0o755);
                    header.set_size(0);
                    archive.append_data(&mut header, &name, io::empty()).map_err(refused)?;
                }
            }
        }
        Ok(())
    }
}

fn parse(text: &str) -> Option<Ignore> {
    let files = Files::new([(Utf8PathBuf::from(".dockerignore"), text)]);
    let (id, file) = files.iter().next()?;
    Some(Ignore::parse(&Layer::whole(id, file), Dialect::Docker))
}

fn walk(
    base: &Path,
    folder: &Utf8Path,
    ignore: Option<&Ignore>,
    keep: &[&str],
    entries: &mut BTreeMap<Utf8PathBuf, Content>,
) -> Result<(), TreeError> {
    let whole = base.join(folder);
    let refused = |source| TreeError::Read { path: whole.clone(), source };
    let mut is_empty = true;
    for entry in std::fs::read_dir(&whole).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let name = entry.file_name();
        let name = name.to_str().filter(|name| !name.contains(['\n', '\\']));
        let path = folder.join(name.ok_or_else(|| TreeError::Name(entry.path()))?);
        let kind = entry.file_type().map_err(refused)?;
        let kept = keep.contains(&path.as_str());
        let is_out = |ignore: &Ignore| match kind.is_dir() {
            true => ignore.leaves_out_whole(&path) || path == ".git",
            false => ignore.leaves_out(&path, false),
        };
        if !kept && (ignore.is_some_and(is_out) || path == ".git") {
            continue;
        }
        is_empty = false;
        if kind.is_dir() {
            walk(base, &path, ignore, keep, entries)?;
        } else if kind.is_symlink() {
            let to = std::fs::read_link(entry.path()).map_err(refused)?;
            let to = to.to_str().ok_or_else(|| TreeError::Name(entry.path()))?.to_owned();
            entries.insert(path, Content::Link(to));
        } else if kind.is_file() {
            entries.insert(path, file(&entry.path())?);
        }
    }
    if is_empty && !folder.as_str().is_empty() && !ignore.is_some_and(|i| i.leaves_out(folder, true)) {
        entries.insert(folder.to_owned(), Content::Folder);
    }
    Ok(())
}

fn file(path: &Path) -> Result<Content, TreeError> {
    let refused = |source| TreeError::Read { path: path.to_owned(), source };
    let mut file = std::fs::File::open(path).map_err(refused)?;
    let executable = file.metadata().map_err(refused)?.permissions().mode() & 0o111 != 0;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 64 << 10];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer).map_err(refused)?;
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
        hasher.add(chunk);
        size += count as u64;
    }
    Ok(Content::File { sha256: hasher.finish(), size, executable })
}

/// A time of change that follows from the content, in the years 2000 to 2016: builders take a file whose size and time
/// are as before for unchanged, and the same content must give the same image everywhere.
fn time(sha256: &str) -> u64 {
    let digits = sha256.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    946_684_800 + digits.unwrap_or_default() % 500_000_000
}

fn line(path: &Utf8Path, content: &Content) -> String {
    match content {
        Content::File { sha256, executable, .. } => {
            format!("f {} {sha256} {path}\n", if *executable { "755" } else { "644" })
        }
        Content::Link(to) => format!("l - {} {path}\n", digest::of(to.as_bytes())),
        Content::Folder => format!("d - - {path}\n"),
    }
}

fn root(entries: &BTreeMap<Utf8PathBuf, Content>) -> String {
    let mut hasher = Hasher::default();
    for (path, content) in entries {
        hasher.add(line(path, content).as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "prepares files of a test")]
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::TempDir::new().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn only_what_changed_is_sent() {
        let before = folder(&[("a", "1"), ("src/b", "2"), ("old", "x")]);
        let after = folder(&[("a", "1"), ("src/b", "3"), ("src/new", "4")]);
        let before = Tree::read(before.path(), None, &[]).unwrap();
        let after = Tree::read(after.path(), None, &[]).unwrap();
        let (send, gone) = after.difference(&before.listing());
        assert_eq!(send, ["src/b", "src/new"]);
        assert_eq!(gone, ["old"]);
        assert_ne!(before.root, after.root);
    }

    #[test]
    fn an_ignore_file_leaves_out_and_brings_back() {
        let files =
            [("a.log", ""), ("keep.log", ""), ("node_modules/x/y", ""), (".git/config", ""), ("b", "")];
        let folder = folder(&files);
        let tree = Tree::read(folder.path(), Some("*.log\n!keep.log\nnode_modules\n"), &[]).unwrap();
        assert_eq!(tree.entries.keys().collect::<Vec<_>>(), ["b", "keep.log"]);
    }

    #[test]
    fn the_same_files_pack_to_the_same_bytes() {
        let pack = |folder: &tempfile::TempDir| {
            let tree = Tree::read(folder.path(), None, &[]).unwrap();
            let paths: Vec<&Utf8Path> = tree.entries.keys().map(Utf8PathBuf::as_path).collect();
            let mut archive = tar::Builder::new(Vec::new());
            tree.append(&mut archive, Utf8Path::new("x"), &paths).unwrap();
            (archive.into_inner().unwrap(), tree.root.clone())
        };
        let files = [("a", "1"), ("b/c", "2")];
        let one = folder(&files);
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(pack(&one), pack(&folder(&files)));
    }
}
