//! String literals: pieces, escapes, interpolations.

use std::borrow::Cow;
use std::ops::Range;

use plimsoll_text::LayerBuilder;

use super::ast::StrPart;
use super::parse::Parser;
use crate::scan::{byte, char_len, text_of};

/// The parts of one string token.
pub(super) fn parts<'a>(parser: &Parser<'a, '_>, token: Range<usize>, out: &mut Vec<StrPart<'a>>) {
    let text = parser.text();
    let prefix_length = text_of(text, token.clone()).find(['"', '\'']).unwrap_or(0);
    let prefix = text_of(text, token.start..token.start + prefix_length);
    let quote_at = token.start + prefix_length;
    let quote = byte(text, quote_at);
    let long = byte(text, quote_at + 1) == quote
        && byte(text, quote_at + 2) == quote
        && token.len() >= prefix_length + 6;
    let mark = if long { 3 } else { 1 };
    let start = (quote_at + mark).min(token.end);
    let closed = text_of(text, start..token.end).as_bytes().last() == Some(&quote);
    let end = if closed { (token.end - mark).max(start) } else { token.end };
    let raw = prefix.contains(['r', 'R']);
    if !prefix.contains(['f', 'F', 't', 'T']) {
        literal(text, start..end, raw, false, out);
        return;
    }
    let mut at = start;
    let mut kept = start;
    while at < end {
        match byte(text, at) {
            b'\\' if !raw => at += 1 + char_len(text, at + 1),
            b'{' | b'}' if byte(text, at + 1) == byte(text, at) => at += 2,
            b'{' => {
                literal(text, kept..at, raw, true, out);
                let close = interpolation_end(text, at, end);
                let inner_end = close - usize::from(byte(text, close - 1) == b'}' && close > at + 1);
                let inner = expression_part(text, at + 1..inner_end);
                let value = parser.inner(inner);
                out.push(StrPart::Expr(Box::new(value), at..close));
                at = close;
                kept = close;
            }
            _ => at += 1,
        }
    }
    literal(text, kept..end.max(kept), raw, true, out);
}

/// Where the interpolation that opens at `at` ends, its brace included.
fn interpolation_end(text: &str, at: usize, end: usize) -> usize {
    let (mut depth, mut quote, mut index) = (0usize, 0, at);
    while index < end {
        match byte(text, index) {
            b if quote != 0 => quote = if b == quote { 0 } else { quote },
            b @ (b'"' | b'\'') => quote = b,
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            _ => {}
        }
        index += 1;
    }
    end
}

/// The expression of `expression!r:format` and `expression=`.
fn expression_part(text: &str, range: Range<usize>) -> Range<usize> {
    let mut depth = 0usize;
    for at in range.clone() {
        match byte(text, at) {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => return range.start..at,
            b'!' if depth == 0 && byte(text, at + 1) != b'=' => return range.start..at,
            _ => {}
        }
    }
    let ends_with_equals = byte(text, range.end.wrapping_sub(1)) == b'=' && range.len() > 1;
    range.start..range.end - usize::from(ends_with_equals)
}

fn literal<'a>(text: &'a str, range: Range<usize>, raw: bool, braces: bool, out: &mut Vec<StrPart<'a>>) {
    let body = text_of(text, range.clone());
    if body.is_empty() {
        return;
    }
    let plain = (raw || !body.contains('\\')) && (!braces || !body.contains(['{', '}']));
    if plain {
        out.push(StrPart::Literal(Cow::Borrowed(body), range));
        return;
    }
    let mut decoded = String::with_capacity(body.len());
    let mut at = range.start;
    while at < range.end {
        let (piece, next) = piece(text, at, range.end);
        decoded.push_str(&piece);
        at = next;
    }
    out.push(StrPart::Literal(Cow::Owned(decoded), range));
}

/// Decodes a literal with escapes into a layer.
pub(super) fn decode_into(builder: &mut LayerBuilder<'_>, text: &str, range: Range<usize>) {
    let mut at = range.start;
    while at < range.end {
        let (piece, next) = piece(text, at, range.end);
        if piece.len() == next - at {
            builder.verbatim(at..next);
        } else {
            builder.decoded(&piece, at..next);
        }
        at = next;
    }
}

/// One decoded piece: a run of plain text, an escape or a doubled brace; and where the next one starts.
fn piece(text: &str, at: usize, end: usize) -> (Cow<'_, str>, usize) {
    let body = text_of(text, at..end);
    match byte(text, at) {
        b'\\' => {
            let next = (at + 1 + char_len(text, at + 1)).min(end);
            let digits = match byte(text, at + 1) {
                b'x' => 2,
                b'u' => 4,
                b'U' => 8,
                _ => 0,
            };
            let code = text_of(text, next..(next + digits).min(end));
            if let (true, Ok(code)) = (digits > 0 && code.len() == digits, u32::from_str_radix(code, 16)) {
                let decoded = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                return (Cow::Owned(decoded.to_string()), next + digits);
            }
            let decoded = match byte(text, at + 1) {
                b'n' => "\n",
                b't' => "\t",
                b'r' => "\r",
                b'0' => "\0",
                b'\n' => "",
                b'\\' | b'"' | b'\'' => text_of(text, at + 1..next),
                _ => text_of(text, at..next),
            };
            (Cow::Borrowed(decoded), next)
        }
        b'{' | b'}' if byte(text, at + 1) == byte(text, at) && at + 1 < end => {
            (Cow::Borrowed(text_of(text, at..at + 1)), at + 2)
        }
        b'{' | b'}' => (Cow::Borrowed(text_of(text, at..at + 1)), at + 1),
        _ => {
            let length = body.find(['\\', '{', '}']).unwrap_or(body.len()).max(1);
            (Cow::Borrowed(text_of(text, at..at + length)), at + length)
        }
    }
}
