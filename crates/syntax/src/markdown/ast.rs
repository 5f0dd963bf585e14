//! The tree.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder, Place, Spanned, SyntaxError};

use super::inline::{self, Link};
use super::parse::strip_quotes;
use crate::scan::{byte, lines, text_of};

/// A Markdown document.
#[derive(Clone, Debug)]
pub struct Markdown {
    pub(super) layer: Layer,
    /// Headings in order.
    pub headings: Vec<Heading>,
    /// Code blocks in order.
    pub blocks: Vec<CodeBlock>,
    /// Lines of text outside of code blocks that are not empty, headings included, in order.
    pub lines: Vec<Line>,
    /// What could not be read: a code block without an end.
    pub errors: Vec<SyntaxError>,
}

/// A heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    pub(super) content: Range<u32>,
}

/// A code block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeBlock {
    /// Whether it stands between fences (and not just indented).
    pub fenced: bool,
    /// The index of the heading that it stands under.
    pub heading: Option<usize>,
    /// The index in [`Markdown::lines`] of the first line after it, so the text before it is at lower indices.
    pub next_line: usize,
    pub(super) info: Range<u32>,
    pub(super) body: Range<u32>,
    pub(super) whole: Range<u32>,
    pub(super) indent: u32,
    pub(super) quotes: u32,
}

/// A line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it belongs to.
    pub kind: LineKind,
    /// The index of the heading that it stands under (its own for a heading).
    pub heading: Option<usize>,
    pub(super) content: Range<u32>,
}

/// What a line of text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// Running text, also the further lines of a list item.
    Text,
    /// The first line of a list item; the content starts after the marker (and a task box).
    ListItem,
    /// A row of a table.
    TableRow,
    /// A heading; the content starts after the marks.
    Heading,
    /// A line of an HTML comment.
    Comment,
    /// A line of the metadata at the top.
    FrontMatter,
}

pub(super) fn usize_range(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

impl Markdown {
    /// A line's text, without markers and indentation.
    #[must_use]
    pub fn text(&self, line: &Line) -> &str {
        text_of(self.layer.text(), usize_range(&line.content))
    }

    /// A line's place.
    #[must_use]
    pub fn place(&self, line: &Line) -> Place {
        self.layer.place(usize_range(&line.content))
    }

    /// A heading's text.
    #[must_use]
    pub fn heading_text(&self, heading: &Heading) -> &str {
        text_of(self.layer.text(), usize_range(&heading.content))
    }

    /// A heading's place.
    #[must_use]
    pub fn heading_place(&self, heading: &Heading) -> Place {
        self.layer.place(usize_range(&heading.content))
    }

    /// What stands after the opening fence, such as `bash title="x"`.
    #[must_use]
    pub fn info(&self, block: &CodeBlock) -> &str {
        text_of(self.layer.text(), usize_range(&block.info))
    }

    /// The first word of the info string in lower case; empty when there is none.
    #[must_use]
    pub fn language(&self, block: &CodeBlock) -> String {
        let info = self.info(block);
        let end = info.find([' ', '\t', ',', '{']).unwrap_or(info.len());
        text_of(info, 0..end).to_ascii_lowercase()
    }

    /// A code block's place, fences included.
    #[must_use]
    pub fn block_place(&self, block: &CodeBlock) -> Place {
        self.layer.place(usize_range(&block.whole))
    }

    /// A code block's text as it stands, quote marks and indentation included, for a quick look.
    #[must_use]
    pub fn raw(&self, block: &CodeBlock) -> &str {
        text_of(self.layer.text(), usize_range(&block.body))
    }

    /// A code block's text without quote marks and indentation.
    #[must_use]
    pub fn body(&self, block: &CodeBlock) -> Layer {
        let range = usize_range(&block.body);
        if block.indent == 0 && block.quotes == 0 {
            return self.layer.slice(range);
        }
        let text = self.layer.text();
        let body = text_of(text, range.clone());
        let mut builder = LayerBuilder::new(&self.layer, range.start);
        for line in lines(body) {
            let end = range.start + line.end;
            let mut at = strip_quotes(text, range.start + line.start..end, block.quotes).0;
            let limit = at + block.indent as usize;
            while at < limit.min(end) && matches!(byte(text, at), b' ' | b'\t') {
                at += 1;
            }
            builder.verbatim(at..end);
            let next = end + usize::from(byte(text, end) == b'\r');
            builder.verbatim(next..(next + 1).min(range.end));
        }
        builder.finish()
    }

    /// Inline code of a line, without its backticks.
    #[must_use]
    pub fn code_spans(&self, line: &Line) -> Vec<Spanned<String>> {
        inline::code_spans(&self.layer, usize_range(&line.content))
    }

    /// Links and images of a line.
    #[must_use]
    pub fn links(&self, line: &Line) -> Vec<Link> {
        inline::links(&self.layer, usize_range(&line.content))
    }

    /// The cells of a table row.
    #[must_use]
    pub fn cells(&self, line: &Line) -> Vec<Spanned<String>> {
        inline::cells(&self.layer, usize_range(&line.content))
    }
}
