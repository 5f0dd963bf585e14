//! Collects the parts and the decoded text of one word.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder};

use super::{OuterExpansion, Part, PartKind, Quote};

/// A word being read. Ranges are bytes of the text that the word stands in.
#[derive(Debug, Default)]
pub(super) struct WordBuilder {
    parts: Vec<Part>,
    segments: Vec<Segment>,
    outer: Vec<OuterExpansion>,
    length: usize,
    literal: Option<Literal>,
}

#[derive(Debug)]
enum Segment {
    Verbatim(Range<usize>),
    Decoded(String, Range<usize>),
}

#[derive(Debug)]
struct Literal {
    text: String,
    range: Range<usize>,
    quote: Quote,
}

impl WordBuilder {
    /// Fixed text that means itself.
    pub(super) fn verbatim(&mut self, layer: &Layer, range: Range<usize>, quote: Quote) {
        let text = layer.text().get(range.clone()).unwrap_or_default();
        if !text.is_empty() {
            self.literal(layer, text, range.clone(), quote);
            self.segment(range);
        }
    }

    /// Fixed text that a range stands for.
    pub(super) fn decoded(&mut self, layer: &Layer, text: &str, range: Range<usize>, quote: Quote) {
        self.literal(layer, text, range.clone(), quote);
        if !text.is_empty() {
            self.length += text.len();
            self.segments.push(Segment::Decoded(text.to_owned(), range));
        }
    }

    /// An expansion, kept in the decoded text as it was written.
    pub(super) fn expansion(
        &mut self,
        layer: &Layer,
        kind: PartKind,
        at: Range<usize>,
        quote: Quote,
        outside: u8,
    ) {
        self.flush(layer);
        let start = self.length;
        self.segment(at.clone());
        self.outer.push(OuterExpansion { range: start..self.length, shells: outside.saturating_add(1) });
        self.parts.push(Part { kind, span: layer.span(at), quote, expanded_outside: outside });
    }

    /// The parts, the decoded text and its expansions; `at` is where an empty word stands.
    pub(super) fn finish(mut self, layer: &Layer, at: usize) -> (Vec<Part>, Layer, Vec<OuterExpansion>) {
        self.flush(layer);
        let decoded = match self.segments.as_slice() {
            [] => layer.slice(at..at),
            [Segment::Verbatim(range)] => layer.slice(range.clone()),
            segments => {
                let mut builder = LayerBuilder::new(layer, at);
                for segment in segments {
                    match segment {
                        Segment::Verbatim(range) => builder.verbatim(range.clone()),
                        Segment::Decoded(text, range) => builder.decoded(text, range.clone()),
                    }
                }
                builder.finish()
            }
        };
        (self.parts, decoded, self.outer)
    }

    fn literal(&mut self, layer: &Layer, text: &str, range: Range<usize>, quote: Quote) {
        match &mut self.literal {
            Some(literal) if literal.quote == quote => {
                literal.text.push_str(text);
                literal.range.end = range.end;
            }
            _ => {
                self.flush(layer);
                self.literal = Some(Literal { text: text.to_owned(), range, quote });
            }
        }
    }

    /// Ends the current literal and tells how many parts there are, for [`WordBuilder::close_quote`].
    pub(super) fn open_quote(&mut self, layer: &Layer) -> usize {
        self.flush(layer);
        self.parts.len()
    }

    /// Ends a quoted section; an empty one is a part too.
    pub(super) fn close_quote(&mut self, layer: &Layer, opened: usize, at: usize, quote: Quote) {
        self.flush(layer);
        if self.parts.len() == opened {
            let kind = PartKind::Literal(String::new());
            self.parts.push(Part { kind, span: layer.span(at..at), quote, expanded_outside: 0 });
        }
    }

    fn flush(&mut self, layer: &Layer) {
        if let Some(Literal { text, range, quote }) = self.literal.take() {
            let span = layer.span(range);
            // Most words have one part.
            if self.parts.is_empty() {
                self.parts.reserve_exact(1);
            }
            self.parts.push(Part { kind: PartKind::Literal(text), span, quote, expanded_outside: 0 });
        }
    }

    fn segment(&mut self, range: Range<usize>) {
        self.length += range.len();
        match self.segments.last_mut() {
            Some(Segment::Verbatim(last)) if last.end == range.start => last.end = range.end,
            _ => self.segments.push(Segment::Verbatim(range)),
        }
    }
}
