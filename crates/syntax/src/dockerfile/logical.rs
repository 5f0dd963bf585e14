//! Logical lines: continuations joined, comment lines inside them dropped, heredoc bodies taken off.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder, Spanned};

use super::ast::{Comment, Heredoc};
use crate::scan::{self, text_of};

/// Reads logical lines one after another.
pub(super) struct Cursor<'a> {
    pub(super) layer: &'a Layer,
    pub(super) escape: u8,
    pub(super) at: usize,
    pub(super) comments: Vec<Comment>,
}

impl Cursor<'_> {
    /// The next physical line without its line break; moves past it.
    fn physical(&mut self) -> Option<Range<usize>> {
        let text = self.layer.text();
        let rest = text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let length = rest.find('\n').unwrap_or(rest.len());
        self.at = start + length + 1;
        let line = text_of(rest, 0..length);
        Some(start..start + line.strip_suffix('\r').unwrap_or(line).len())
    }

    fn comment(&mut self, line: Range<usize>) -> bool {
        let line = scan::trim(self.layer.text(), line);
        let Some(text) = text_of(self.layer.text(), line.clone()).strip_prefix('#') else { return false };
        let comment = Comment { place: self.layer.place(line), text: text.to_owned() };
        self.comments.push(comment);
        true
    }

    /// The next instruction's text as the builder joins it.
    pub(super) fn next_logical(&mut self) -> Option<Layer> {
        let text = self.layer.text();
        let first = loop {
            let line = self.physical()?;
            let trimmed = scan::trim(text, line.clone());
            if !trimmed.is_empty() && !self.comment(line) {
                break trimmed;
            }
        };
        let Some(mut piece) = self.without_escape(first.clone()) else {
            return Some(self.layer.slice(first));
        };
        let mut builder = LayerBuilder::new(self.layer, first.start);
        loop {
            builder.verbatim(piece.clone());
            // Comment lines and empty lines inside a continuation are skipped by the builder.
            let line = loop {
                let Some(line) = self.physical() else { break None };
                let blank = text_of(text, line.clone()).trim().is_empty();
                if !blank && !self.comment(line.clone()) {
                    break Some(line);
                }
            };
            let Some(line) = line else { break };
            match self.without_escape(line.clone()) {
                Some(range) => piece = range,
                None => {
                    let line = line.start..scan::trim(text, line).end;
                    builder.verbatim(line);
                    break;
                }
            }
        }
        Some(builder.finish())
    }

    /// The line without the escape character that continues it; nothing when it is not continued.
    fn without_escape(&self, line: Range<usize>) -> Option<Range<usize>> {
        let text = text_of(self.layer.text(), line.clone()).trim_end_matches([' ', '\t']);
        let body = text.strip_suffix(char::from(self.escape))?;
        Some(line.start..line.start + body.len())
    }

    /// Takes the body of a heredoc off the text. The flag says whether its end line was found.
    pub(super) fn heredoc(&mut self, opener: &Opener) -> (Heredoc, bool) {
        let text = self.layer.text();
        let start = self.at.min(text.len());
        let mut builder = LayerBuilder::new(self.layer, start);
        let mut terminated = false;
        while let Some(line) = self.physical() {
            let whole = text_of(text, line.clone());
            let kept = if opener.strip { whole.trim_start_matches('\t') } else { whole };
            if kept == opener.name.value {
                terminated = true;
                break;
            }
            let from = line.end - kept.len();
            if opener.unescape {
                unescaped(&mut builder, text, from..line.end);
            } else {
                builder.verbatim(from..line.end);
            }
            builder.verbatim(line.end..self.at.min(text.len()));
        }
        let heredoc = Heredoc { name: opener.name.clone(), expand: opener.expand, body: builder.finish() };
        (heredoc, terminated)
    }
}

fn unescaped(builder: &mut LayerBuilder<'_>, text: &str, range: Range<usize>) {
    let mut at = range.start;
    while let Some(offset) = text.get(at..range.end).and_then(|rest| rest.find('\\')) {
        let slash = at + offset;
        builder.verbatim(at..slash);
        let next = slash + 1;
        let end = (next + scan::char_len(text, next)).min(range.end);
        builder.decoded(text_of(text, next..end), slash..end);
        at = end;
    }
    builder.verbatim(at..range.end);
}

/// `<<name` on an instruction.
pub(super) struct Opener {
    pub(super) name: Spanned<String>,
    pub(super) strip: bool,
    pub(super) expand: bool,
    /// Whether the builder itself resolves escapes in the body.
    pub(super) unescape: bool,
}

/// Reads `<<name`, `<<-name`, `<<"name"`, with an optional descriptor in front.
pub(super) fn opener(layer: &Layer, word: Range<usize>) -> Option<Opener> {
    let text = text_of(layer.text(), word.clone());
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.get(digits..)?.strip_prefix("<<")?;
    let (strip, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let end = rest.find(['<', '>', '|', ';', '&', ')']).unwrap_or(rest.len());
    let written = rest.get(..end)?;
    let name: String = written.chars().filter(|c| !matches!(c, '\'' | '"' | '\\')).collect();
    if name.is_empty() || rest.starts_with('<') {
        return None;
    }
    let start = word.end - rest.len();
    let expand = name.len() == written.len();
    let name = Spanned::new(name, layer.place(start..start + end));
    Some(Opener { name, strip, expand, unescape: false })
}
