//! The set of files under judgement.

use camino::{Utf8Path, Utf8PathBuf};

use crate::phrases::Searches;
use crate::remembered::Memory;
use crate::{Place, Span};

/// A file of a [`Files`] set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

impl FileId {
    /// Its place among the files of its set, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One file: its path relative to the evaluated root, with `/` between parts, and its text.
#[derive(Debug)]
pub struct SourceFile {
    path: Utf8PathBuf,
    /// Where the last component of the path stands in it.
    name: std::ops::Range<usize>,
    text: std::sync::Arc<str>,
    lowercase: std::sync::OnceLock<String>,
    /// Counted for the first who asks; nobody asks for the lines of most files.
    line_starts: std::sync::OnceLock<Vec<u32>>,
    searches: Searches,
    memory: Memory,
}

impl SourceFile {
    fn new(path: Utf8PathBuf, text: std::sync::Arc<str>) -> Self {
        let last = path.file_name().unwrap_or_default();
        let start = path.as_str().rfind(last).unwrap_or_default();
        let name = start..start + last.len();
        Self {
            path,
            name,
            text,
            lowercase: std::sync::OnceLock::new(),
            line_starts: std::sync::OnceLock::new(),
            searches: Searches::default(),
            memory: Memory::default(),
        }
    }

    /// Path relative to the evaluated root.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The last component of the path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.as_str().get(self.name.clone()).unwrap_or_default()
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole text with small ASCII letters only; every byte stands where it stands in the text.
    #[must_use]
    pub fn lowercase(&self) -> &str {
        self.lowercase.get_or_init(|| self.text.to_ascii_lowercase())
    }

    pub(crate) fn searches(&self) -> &Searches {
        &self.searches
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Whether these bytes stand anywhere in the text.
    #[must_use]
    pub fn holds(&self, words: &str) -> bool {
        memchr::memmem::find(self.text.as_bytes(), words.as_bytes()).is_some()
    }

    /// The whole text, shared.
    #[must_use]
    pub fn shared_text(&self) -> std::sync::Arc<str> {
        self.text.clone()
    }

    /// The text of a span; empty when the span does not lie on character boundaries of this file.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let text = self.text.as_bytes();
            // Counting first takes less than growing would.
            let mut starts = Vec::with_capacity(memchr::memchr_iter(b'\n', text).count() + 1);
            starts.push(0);
            starts.extend(memchr::memchr_iter(b'\n', text).map(|index| to_u32(index + 1)));
            starts
        })
    }

    /// The line that holds a byte, counted from 0.
    #[must_use]
    pub fn line_of(&self, offset: u32) -> usize {
        self.line_starts().partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Number of lines (a last line without a newline counts).
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.line_starts().len()
    }

    /// The bytes of a line (counted from 0), without its line break.
    #[must_use]
    pub fn line_span(&self, line: usize) -> Span {
        let end_of_text = to_u32(self.text.len());
        let start = self.line_starts().get(line).copied().unwrap_or(end_of_text);
        let end = self.line_starts().get(line + 1).map_or(end_of_text, |next| next - 1);
        let text = self.text.get(start as usize..end as usize).unwrap_or_default();
        Span::new(start, start + to_u32(text.trim_end_matches('\r').len()))
    }

    /// The text of a line (counted from 0), without its line break.
    #[must_use]
    pub fn line_text(&self, line: usize) -> &str {
        self.slice(self.line_span(line))
    }

    /// Line and column of a byte, both counted from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let line = self.line_of(offset);
        let start = self.line_starts().get(line).copied().unwrap_or(0) as usize;
        let before = self.text.get(start..offset as usize).unwrap_or_default();
        LineColumn { line: line + 1, column: before.chars().count() + 1 }
    }
}

/// A position for people: both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// All files of one evaluation, in path order.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Shared with the sets that were made from this one.
    files: Vec<std::sync::Arc<SourceFile>>,
}

impl Files {
    /// The set in path order, whatever order the files come in. Of two files with one path the first is kept.
    pub fn new(files: impl IntoIterator<Item = (Utf8PathBuf, impl Into<std::sync::Arc<str>>)>) -> Self {
        let mut files: Vec<std::sync::Arc<SourceFile>> =
            files.into_iter().map(|(path, text)| SourceFile::new(path, text.into()).into()).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|b, a| a.path == b.path);
        Self { files }
    }

    /// All files with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(index, file)| (FileId(to_u32(index)), file.as_ref()))
    }

    /// The files below a folder, in path order; all of them for the empty path.
    pub fn below<'a>(&'a self, folder: &'a Utf8Path) -> impl Iterator<Item = (FileId, &'a SourceFile)> {
        let start = self.files.partition_point(|file| file.path.as_path() < folder);
        self.iter().skip(start).take_while(move |(_, file)| file.path.starts_with(folder))
    }

    /// The file of an id that this set gave out.
    ///
    /// # Panics
    /// When the id comes from another set.
    #[must_use]
    pub fn get(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The file at a path relative to the root (`./` and `a/../` are resolved).
    #[must_use]
    pub fn find(&self, path: &Utf8Path) -> Option<FileId> {
        let wanted = normalise(path)?;
        self.files
            .binary_search_by(|file| file.path.as_path().cmp(&wanted))
            .ok()
            .map(|index| FileId(to_u32(index)))
    }

    /// The same set with other texts for some files. Ids stay what they are.
    #[must_use]
    pub fn with_texts(&self, texts: impl IntoIterator<Item = (FileId, String)>) -> Self {
        let mut files = self.files.clone();
        for (id, text) in texts {
            if let Some(file) = files.get_mut(id.0 as usize) {
                *file = SourceFile::new(file.path.clone(), text.into()).into();
            }
        }
        Self { files }
    }

    /// Whether a file is here by this id, with this path and this text.
    #[must_use]
    pub fn has_same(&self, id: FileId, file: &SourceFile) -> bool {
        self.files.get(id.0 as usize).is_some_and(|own| {
            own.path == file.path && (std::sync::Arc::ptr_eq(&own.text, &file.text) || own.text == file.text)
        })
    }

    /// The text at a place.
    #[must_use]
    pub fn slice(&self, place: Place) -> &str {
        self.get(place.file).slice(place.span)
    }

    /// Number of files.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// Resolves `.` and `..`; nothing when the path leaves the root.
fn normalise(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.as_str().split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(Utf8PathBuf::from(parts.join("/")))
}

pub(crate) fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        Files::new(list.iter().map(|(path, text)| (Utf8PathBuf::from(*path), (*text).to_owned())))
    }

    #[test]
    fn order_of_input_does_not_matter() {
        let a = files(&[("b.sh", "2"), ("a.sh", "1")]);
        let b = files(&[("a.sh", "1"), ("b.sh", "2")]);
        let names = |f: &Files| f.iter().map(|(_, f)| f.path().to_string()).collect::<Vec<_>>();
        assert_eq!(names(&a), names(&b));
        assert_eq!(names(&a), ["a.sh", "b.sh"]);
    }

    #[test]
    fn paths_are_found_after_normalising_and_never_outside_the_root() {
        let set = files(&[("scripts/lib.sh", "")]);
        assert!(set.find(Utf8Path::new("./scripts/x/../lib.sh")).is_some());
        assert!(set.find(Utf8Path::new("../scripts/lib.sh")).is_none());
    }

    #[test]
    fn columns_count_characters_and_lines_drop_carriage_returns() {
        let set = files(&[("x", "aé=1\r\nb\n")]);
        let (_, file) = set.iter().next().unwrap();
        assert_eq!(file.line_column(4), LineColumn { line: 1, column: 4 });
        assert_eq!(file.line_text(0), "aé=1");
        assert_eq!(file.line_text(1), "b");
        assert_eq!(file.line_text(9), "");
    }
}
