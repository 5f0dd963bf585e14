//! The list of tokens and ways to look at it.

use std::borrow::Cow;
use std::ops::Range;

use plimsoll_text::{Layer, Place, SyntaxError};

use super::lexer::Lexer;
use crate::scan::text_of;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// JavaScript and TypeScript, JSX included.
    JavaScript,
    /// Go.
    Go,
    /// Rust.
    Rust,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// A name or keyword.
    Name,
    /// A number.
    Number,
    /// A string with its quotes; for a template one piece between interpolations, quotes and braces excluded.
    String,
    /// A regular expression.
    Regex,
    /// One character of punctuation.
    Mark,
}

/// A token with its bytes in the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// How deep in brackets it stands; a bracket has the depth of what is around it.
    pub depth: u16,
}

/// The tokens of a source file.
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    layer: &'a Layer,
    list: Vec<Token>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// Reads a source file. Anything gives tokens.
#[must_use]
pub fn parse(layer: &Layer, dialect: Dialect) -> Tokens<'_> {
    let (list, unclosed) = Lexer::new(layer.text(), dialect).run();
    let errors = unclosed
        .map(|start| SyntaxError {
            place: layer.place(start..start + 1),
            message: "comment or string without an end".to_owned(),
        })
        .into_iter()
        .collect();
    Tokens { layer, list, errors }
}

impl<'a> Tokens<'a> {
    /// Number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is no token.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A token.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Token> {
        self.list.get(index).copied()
    }

    /// A token's text; empty past the end.
    #[must_use]
    pub fn text(&self, index: usize) -> &'a str {
        self.get(index)
            .map_or("", |token| text_of(self.layer.text(), token.start as usize..token.end as usize))
    }

    /// Whether a token is a name or mark with this text.
    #[must_use]
    pub fn is(&self, index: usize, text: &str) -> bool {
        self.get(index).is_some_and(|token| {
            matches!(token.kind, TokenKind::Name | TokenKind::Mark) && self.text(index) == text
        })
    }

    /// Whether tokens follow each other as these texts.
    #[must_use]
    pub fn matches(&self, index: usize, texts: &[&str]) -> bool {
        texts.iter().enumerate().all(|(offset, text)| self.is(index + offset, text))
    }

    /// A token's text when it is a name.
    #[must_use]
    pub fn name(&self, index: usize) -> Option<&'a str> {
        self.get(index).filter(|token| token.kind == TokenKind::Name).map(|_| self.text(index))
    }

    /// The decoded text of a string token. A template with interpolations has several; this gives one piece.
    #[must_use]
    pub fn string(&self, index: usize) -> Option<Cow<'a, str>> {
        let token = self.get(index).filter(|token| token.kind == TokenKind::String)?;
        let written = text_of(self.layer.text(), token.start as usize..token.end as usize);
        let hashes = written.trim_start_matches(['b', 'r', 'c']);
        let inner = hashes.trim_matches('#');
        let raw = written.starts_with("r") || written.starts_with("br") || written.starts_with('`');
        let inner = match inner.as_bytes() {
            [first @ (b'"' | b'\'' | b'`'), .., last] if first == last => inner.get(1..inner.len() - 1)?,
            _ => written,
        };
        if raw || !inner.contains('\\') {
            return Some(Cow::Borrowed(inner));
        }
        let mut out = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('\n') | None => {}
                    Some(other) => out.push(other),
                },
                other => out.push(other),
            }
        }
        Some(Cow::Owned(out))
    }

    /// The place of a range of tokens.
    #[must_use]
    pub fn place(&self, range: Range<usize>) -> Place {
        let start = self.get(range.start).map_or(self.layer.text().len(), |token| token.start as usize);
        let last = range.end.checked_sub(1).and_then(|last| self.get(last));
        let end = last.map_or(start, |token| token.end as usize);
        self.layer.place(start..end.max(start))
    }

    /// The index of the bracket that closes the one at `open`; the number of tokens when there is none.
    #[must_use]
    pub fn close(&self, open: usize) -> usize {
        let Some(depth) = self.get(open).map(|token| token.depth) else { return self.len() };
        let rest = self.list.get(open + 1..).unwrap_or_default();
        rest.iter().position(|token| token.depth <= depth).map_or(self.len(), |offset| open + 1 + offset)
    }

    /// The arguments between the bracket at `open` and its end, split at commas, as ranges of tokens.
    #[must_use]
    pub fn arguments(&self, open: usize) -> Vec<Range<usize>> {
        let Some(depth) = self.get(open).map(|token| token.depth) else { return Vec::new() };
        let close = self.close(open);
        let mut out = Vec::new();
        let mut start = open + 1;
        for index in open + 1..close {
            if self.is(index, ",") && self.get(index).is_some_and(|token| token.depth == depth + 1) {
                out.push(start..index);
                start = index + 1;
            }
        }
        if start < close {
            out.push(start..close);
        }
        out
    }

    /// The value of a key of an object literal whose brace is at `open`, as a range of tokens.
    #[must_use]
    pub fn property(&self, open: usize, key: &str) -> Option<Range<usize>> {
        self.arguments(open).into_iter().find_map(|range| {
            let named = self.is(range.start, key) || self.string(range.start).as_deref() == Some(key);
            (named && self.is(range.start + 1, ":")).then(|| range.start + 2..range.end)
        })
    }
}
