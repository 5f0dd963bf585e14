//! Text inside text with exact positions.

use std::ops::Range;
use std::sync::Arc;

use crate::files::to_u32;
use crate::{FileId, Place, SourceFile, Span};

/// Decoded text and, for each of its bytes, the bytes of the outermost file that it came from.
///
/// Readers work on layers only. A whole file is a layer too; a fragment that was decoded on the way (quotes
/// removed, escapes resolved, indentation dropped) keeps exact positions however deep it was nested.
#[derive(Clone, Debug)]
pub struct Layer {
    file: FileId,
    text: Arc<str>,
    map: Map,
}

#[derive(Clone, Debug)]
enum Map {
    /// The text stands in the file as it is, from this byte on.
    Verbatim(u32),
    /// One entry for each byte of the text: the span of the file that it came from; and the end of all.
    Bytes(Arc<[Span]>),
}

impl Layer {
    /// A whole file.
    #[must_use]
    pub fn whole(id: FileId, file: &SourceFile) -> Self {
        Self { file: id, text: file.shared_text(), map: Map::Verbatim(0) }
    }

    /// The decoded text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file that holds it.
    #[must_use]
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The bytes of the file behind a range of the decoded text. Out-of-range bounds are clamped.
    #[must_use]
    pub fn span(&self, range: Range<usize>) -> Span {
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        match &self.map {
            Map::Verbatim(offset) => Span::new(offset + to_u32(start), offset + to_u32(end)),
            Map::Bytes(bytes) => {
                let first = bytes.get(start).or(bytes.last()).copied().unwrap_or_default();
                if start == end {
                    return Span::new(first.start, first.start);
                }
                let last = bytes.get(end - 1).copied().unwrap_or(first);
                Span::new(first.start, last.end)
            }
        }
    }

    /// The place behind a range of the decoded text.
    #[must_use]
    pub fn place(&self, range: Range<usize>) -> Place {
        Place::new(self.file, self.span(range))
    }

    /// The place of all of it.
    #[must_use]
    pub fn full_place(&self) -> Place {
        self.place(0..self.text.len())
    }

    /// A part of this layer as a layer of its own. Bounds that split a character give an empty layer.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let text = self.text.get(range.clone()).unwrap_or_default();
        let map = match &self.map {
            Map::Verbatim(offset) => Map::Verbatim(offset + to_u32(range.start.min(self.text.len()))),
            Map::Bytes(bytes) if text.is_empty() => {
                Map::Bytes(bytes.get(range.start).or(bytes.last()).copied().into_iter().collect())
            }
            Map::Bytes(bytes) => {
                let end = self.span(range.end..range.end);
                let inner = bytes.get(range).unwrap_or_default();
                Map::Bytes(inner.iter().copied().chain([end]).collect())
            }
        };
        Self { file: self.file, text: text.into(), map }
    }
}

/// Builds a [`Layer`] piece by piece out of a parent layer.
#[derive(Debug)]
pub struct LayerBuilder<'a> {
    parent: &'a Layer,
    text: String,
    map: Vec<Span>,
    end: u32,
}

impl<'a> LayerBuilder<'a> {
    /// An empty text; `at` is where it stands in the parent, for the position of an empty result.
    #[must_use]
    pub fn new(parent: &'a Layer, at: usize) -> Self {
        Self { parent, text: String::new(), map: Vec::new(), end: parent.span(at..at).start }
    }

    /// Takes over a range of the parent unchanged.
    pub fn verbatim(&mut self, range: Range<usize>) {
        let Some(text) = self.parent.text().get(range.clone()) else { return };
        self.text.push_str(text);
        self.map.extend(range.clone().map(|at| self.parent.span(at..at + 1)));
        self.end = self.parent.span(range).end;
    }

    /// Adds text that a range of the parent stands for (an escape, a fold).
    pub fn decoded(&mut self, text: &str, range: Range<usize>) {
        let span = self.parent.span(range);
        self.text.push_str(text);
        self.map.extend(text.bytes().map(|_| span));
        self.end = span.end;
    }

    /// Adds a finished layer of the same file (to join words, say).
    pub fn layer(&mut self, layer: &Layer) {
        let length = layer.text().len();
        self.text.push_str(layer.text());
        self.map.extend((0..length).map(|at| layer.span(at..at + 1)));
        self.end = layer.span(0..length).end;
    }

    /// Length of the text so far, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing was added so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The layer.
    #[must_use]
    pub fn finish(mut self) -> Layer {
        self.map.push(Span::new(self.end, self.end));
        Layer { file: self.parent.file, text: self.text.into(), map: Map::Bytes(self.map.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files;

    fn whole(text: &str) -> Layer {
        let files = Files::new([("x".into(), text.to_owned())]);
        let (id, file) = files.iter().next().unwrap();
        Layer::whole(id, file)
    }

    #[test]
    fn nested_slices_keep_file_positions() {
        let layer = whole("run: \"echo \\\"hi\\\"\"");
        let mut inner = LayerBuilder::new(&layer, 6);
        inner.verbatim(6..11);
        inner.decoded("\"", 11..13);
        inner.verbatim(13..15);
        inner.decoded("\"", 15..17);
        let inner = inner.finish();
        assert_eq!(inner.text(), "echo \"hi\"");
        assert_eq!(inner.span(6..8), Span::new(13, 15));
        assert_eq!(inner.span(5..9), Span::new(11, 17));
        let word = inner.slice(6..8);
        assert_eq!((word.text(), word.full_place().span), ("hi", Span::new(13, 15)));
        assert_eq!(word.span(2..2), Span::new(15, 15));
    }

    #[test]
    fn out_of_range_requests_are_clamped() {
        let layer = whole("é");
        assert_eq!(layer.span(0..99), Span::new(0, 2));
        assert_eq!(layer.slice(1..2).text(), "");
        let empty = LayerBuilder::new(&layer, 2).finish();
        assert_eq!(empty.span(0..5), Span::new(2, 2));
        assert_eq!(empty.slice(0..0).full_place().span, Span::new(2, 2));
    }
}
