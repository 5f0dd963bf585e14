//! Inline elements of one line.

use std::ops::Range;

use plimsoll_text::{Layer, Place, Spanned};

use crate::scan::{byte, text_of, trim};

/// A link or an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The text in brackets.
    pub text: String,
    /// Where it leads.
    pub target: Spanned<String>,
    /// All of it.
    pub place: Place,
}

fn spanned(layer: &Layer, range: Range<usize>) -> Spanned<String> {
    Spanned::new(text_of(layer.text(), range.clone()).to_owned(), layer.place(range))
}

/// The ranges of code spans, backticks excluded.
fn code_ranges(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = range.start;
    while let Some(offset) = text.get(at..range.end).and_then(|rest| rest.find('`')) {
        let open = at + offset;
        let ticks = run(text, open, range.end);
        let inner = open + ticks;
        at = inner;
        let mut close = inner;
        while let Some(offset) = text.get(close..range.end).and_then(|rest| rest.find('`')) {
            let start = close + offset;
            let length = run(text, start, range.end);
            close = start + length;
            if length == ticks {
                out.push(inner..start);
                at = close;
                break;
            }
        }
    }
    out
}

fn run(text: &str, at: usize, end: usize) -> usize {
    (at..end).take_while(|index| byte(text, *index) == b'`').count()
}

pub(super) fn code_spans(layer: &Layer, range: Range<usize>) -> Vec<Spanned<String>> {
    let ranges = code_ranges(layer.text(), range);
    ranges.into_iter().map(|inner| spanned(layer, trim(layer.text(), inner))).collect()
}

pub(super) fn links(layer: &Layer, range: Range<usize>) -> Vec<Link> {
    let text = layer.text();
    if !text_of(text, range.clone()).contains("](") {
        return Vec::new();
    }
    let code = code_ranges(text, range.clone());
    let mut out = Vec::new();
    let mut at = range.start;
    while let Some(offset) = text.get(at..range.end).and_then(|rest| rest.find("](")) {
        let middle = at + offset;
        at = middle + 2;
        let open = text_of(text, range.start..middle).rfind('[').map(|open| range.start + open);
        let Some(length) = text.get(at..range.end).and_then(|rest| rest.find(')')) else { break };
        let (Some(open), false) = (open, code.iter().any(|span| span.contains(&middle))) else { continue };
        let inside = trim(text, at..at + length);
        // A title may follow the target.
        let blank = text_of(text, inside.clone()).find([' ', '\t']);
        let target = inside.start..blank.map_or(inside.end, |blank| inside.start + blank);
        out.push(Link {
            text: text_of(text, open + 1..middle).to_owned(),
            target: spanned(layer, target),
            place: layer.place(open..at + length + 1),
        });
    }
    out
}

pub(super) fn cells(layer: &Layer, range: Range<usize>) -> Vec<Spanned<String>> {
    let text = layer.text();
    let row = trim(text, range);
    let end = row.end - usize::from(text_of(text, row.clone()).len() > 1 && byte(text, row.end - 1) == b'|');
    let mut start = row.start + usize::from(byte(text, row.start) == b'|' && !row.is_empty());
    let mut out = Vec::new();
    let mut at = start;
    while at < end {
        if byte(text, at) == b'|' && byte(text, at.wrapping_sub(1)) != b'\\' {
            out.push(spanned(layer, trim(text, start..at)));
            start = at + 1;
        }
        at += 1;
    }
    if start < end {
        out.push(spanned(layer, trim(text, start..end)));
    }
    out
}
