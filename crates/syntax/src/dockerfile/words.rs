//! Words, options, JSON arrays and `name=value` lists inside an instruction.

use std::ops::Range;

use plimsoll_text::{Layer, Spanned};

use super::ast::{Flag, Pair};
use crate::scan::{byte, char_len, text_of, trim};

/// The words of a range, split at blanks outside quotes.
pub(super) fn words(text: &str, range: Range<usize>, escape: u8) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut at = range.start;
    while at < range.end {
        if matches!(byte(text, at), b' ' | b'\t') {
            at += 1;
            continue;
        }
        let start = at;
        let mut quote = 0;
        while at < range.end {
            match byte(text, at) {
                b' ' | b'\t' if quote == 0 => break,
                b if b == escape && quote != b'\'' => at += char_len(text, at + 1),
                b if b == quote => quote = 0,
                b @ (b'"' | b'\'') if quote == 0 => quote = b,
                _ => {}
            }
            at += 1;
        }
        at = at.min(range.end);
        out.push(start..at);
    }
    out
}

/// The text of a word without quotes and escapes, `$…` as written.
pub(super) fn unquoted(text: &str, range: Range<usize>, escape: u8) -> String {
    let mut out = String::with_capacity(range.len());
    let mut quote = 0;
    let mut at = range.start;
    while at < range.end {
        let length = char_len(text, at);
        match byte(text, at) {
            b if b == quote && quote != 0 => quote = 0,
            b @ (b'"' | b'\'') if quote == 0 => quote = b,
            b if b == escape && quote != b'\'' && at + 1 < range.end => {
                let next = at + 1;
                let end = next + char_len(text, next);
                let kept = text_of(text, next..end);
                // Inside double quotes only a quote, a dollar or the escape itself loses its escape; a dollar
                // keeps it, because the value is expanded later.
                if kept == "$" || (quote == b'"' && kept != "\"" && kept.as_bytes().first() != Some(&escape))
                {
                    out.push_str(text_of(text, at..next));
                }
                out.push_str(kept);
                at = end;
                continue;
            }
            _ => out.push_str(text_of(text, at..at + length)),
        }
        at += length;
    }
    out
}

/// A word as a value with its place.
pub(super) fn value(layer: &Layer, range: Range<usize>, escape: u8) -> Spanned<String> {
    Spanned::new(unquoted(layer.text(), range.clone(), escape), layer.place(range))
}

/// The options at the start of a range and where the rest begins.
pub(super) fn flags(layer: &Layer, range: Range<usize>, escape: u8) -> (Vec<Flag>, usize) {
    let text = layer.text();
    let mut out = Vec::new();
    let mut at = trim(text, range.clone()).start;
    while text_of(text, at..range.end).starts_with("--") {
        let Some(word) = words(text, at..range.end, escape).into_iter().next() else { break };
        let body = text_of(text, word.start + 2..word.end);
        if body.is_empty() {
            break;
        }
        let (name, assigned) = match body.find('=') {
            Some(equals) => {
                let from = word.start + 2 + equals + 1;
                (text_of(body, 0..equals), Some(value(layer, from..word.end, escape)))
            }
            None => (body, None),
        };
        out.push(Flag { name: name.to_ascii_lowercase(), value: assigned, place: layer.place(word.clone()) });
        at = trim(text, word.end..range.end).start;
    }
    (out, at)
}

/// A JSON array of strings; nothing when the text is anything else.
pub(super) fn json_array(layer: &Layer, range: Range<usize>) -> Option<Vec<Spanned<String>>> {
    let text = layer.text();
    let range = trim(text, range);
    if byte(text, range.start) != b'[' || range.len() < 2 || byte(text, range.end - 1) != b']' {
        return None;
    }
    let (mut at, end) = (range.start + 1, range.end - 1);
    let mut out = Vec::new();
    let mut comma = true;
    loop {
        while at < end && byte(text, at).is_ascii_whitespace() {
            at += 1;
        }
        if at >= end {
            return (!comma || out.is_empty()).then_some(out);
        }
        match byte(text, at) {
            b',' if !comma => {
                comma = true;
                at += 1;
            }
            b'"' if comma => {
                let (string, close) = json_string(text, at + 1, end)?;
                out.push(Spanned::new(string, layer.place(at + 1..close)));
                comma = false;
                at = close + 1;
            }
            _ => return None,
        }
    }
}

fn json_string(text: &str, start: usize, end: usize) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut at = start;
    while at < end {
        let length = char_len(text, at);
        match byte(text, at) {
            b'"' => return Some((out, at)),
            b'\\' => {
                at += 1;
                match byte(text, at) {
                    b'n' => out.push('\n'),
                    b't' => out.push('\t'),
                    b'r' => out.push('\r'),
                    b'b' => out.push('\u{8}'),
                    b'f' => out.push('\u{c}'),
                    b @ (b'"' | b'\\' | b'/') => out.push(char::from(b)),
                    b'u' => {
                        let code = u32::from_str_radix(text.get(at + 1..at + 5)?, 16).ok()?;
                        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                        at += 4;
                    }
                    _ => return None,
                }
                at += 1;
                continue;
            }
            _ => out.push_str(text_of(text, at..at + length)),
        }
        at += length;
    }
    None
}

/// `name=value` words, or the old form `name value` with one pair.
pub(super) fn pairs(layer: &Layer, range: Range<usize>, escape: u8, old_form: bool) -> Vec<Pair> {
    let text = layer.text();
    let words = words(text, range.clone(), escape);
    let Some(first) = words.first() else { return Vec::new() };
    if old_form && !text_of(text, first.clone()).contains('=') {
        let rest = trim(text, first.end..range.end);
        let assigned = (!rest.is_empty()).then(|| value(layer, rest.clone(), escape));
        let name = value(layer, first.clone(), escape);
        return vec![Pair { name, value: assigned, place: layer.place(first.start..rest.end) }];
    }
    words.into_iter().map(|word| pair(layer, word, escape)).collect()
}

fn pair(layer: &Layer, word: Range<usize>, escape: u8) -> Pair {
    let place = layer.place(word.clone());
    match text_of(layer.text(), word.clone()).find('=') {
        Some(equals) => Pair {
            name: value(layer, word.start..word.start + equals, escape),
            value: Some(value(layer, word.start + equals + 1..word.end, escape)),
            place,
        },
        None => Pair { name: value(layer, word, escape), value: None, place },
    }
}
