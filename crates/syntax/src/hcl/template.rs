//! Strings and heredocs as layers.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder};

use super::ast::ExpressionKind;
use crate::scan::{byte, char_len, lines, text_of};

/// Where a `${…}` or `%{…}` that starts at `at` ends; strings inside are skipped.
pub(super) fn interpolation_end(text: &str, at: usize, end: usize) -> usize {
    let (mut depth, mut at) = (0usize, at + 1);
    while at < end {
        match byte(text, at) {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            b'"' => {
                at += 1;
                while at < end && byte(text, at) != b'"' {
                    at += if byte(text, at) == b'\\' { 2 } else { 1 };
                }
            }
            b'\n' => return at,
            _ => {}
        }
        at += 1;
    }
    end
}

/// Whether an interpolation starts here (`$${` and `%%{` are escapes).
pub(super) fn starts_interpolation(text: &str, at: usize) -> bool {
    matches!(byte(text, at), b'$' | b'%') && byte(text, at + 1) == b'{'
}

/// The inside of a quoted string, and whether it has interpolations.
pub(super) fn quoted(layer: &Layer, range: Range<usize>) -> ExpressionKind {
    let text = layer.text();
    let body = text_of(text, range.clone());
    if !body.contains(['\\', '{']) {
        return ExpressionKind::String(layer.slice(range));
    }
    let mut builder = LayerBuilder::new(layer, range.start);
    let mut template = false;
    let mut at = range.start;
    while at < range.end {
        if starts_interpolation(text, at) {
            template = true;
            let end = interpolation_end(text, at, range.end);
            builder.verbatim(at..end);
            at = end;
        } else if matches!(text_of(text, at..(at + 3).min(range.end)), "$${" | "%%{") {
            builder.decoded(text_of(text, at + 1..at + 3), at..at + 3);
            at += 3;
        } else if byte(text, at) == b'\\' {
            at = escape(&mut builder, text, at, range.end);
        } else {
            let end = at + char_len(text, at);
            builder.verbatim(at..end);
            at = end;
        }
    }
    let layer = builder.finish();
    if template { ExpressionKind::Template(layer) } else { ExpressionKind::String(layer) }
}

fn escape(builder: &mut LayerBuilder<'_>, text: &str, at: usize, end: usize) -> usize {
    let next = (at + 1 + char_len(text, at + 1)).min(end);
    let digits = match byte(text, at + 1) {
        b'u' => 4,
        b'U' => 8,
        _ => 0,
    };
    let code = text.get(at + 2..at + 2 + digits).filter(|_| digits > 0 && at + 2 + digits <= end);
    if let Some(decoded) = code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?)) {
        builder.decoded(decoded.encode_utf8(&mut [0; 4]), at..at + 2 + digits);
        return at + 2 + digits;
    }
    let decoded = match byte(text, at + 1) {
        b'n' => "\n",
        b'r' => "\r",
        b't' => "\t",
        _ => text_of(text, at + 1..next),
    };
    builder.decoded(decoded, at..next);
    next
}

/// A heredoc's body without the common indentation.
pub(super) fn dedented(layer: &Layer, range: Range<usize>) -> Layer {
    let text = layer.text();
    let body = text_of(text, range.clone());
    let blank = |line: &Range<usize>| text_of(body, line.clone()).trim().is_empty();
    let indent_of = |line: Range<usize>| {
        let line = text_of(body, line);
        line.len() - line.trim_start_matches([' ', '\t']).len()
    };
    let indent = lines(body).filter(|line| !blank(line)).map(indent_of).min().unwrap_or(0);
    if indent == 0 {
        return layer.slice(range);
    }
    let mut builder = LayerBuilder::new(layer, range.start);
    for line in lines(body) {
        let end = range.start + line.end;
        builder.verbatim((range.start + line.start + indent).min(end)..end);
        let next = end + usize::from(byte(text, end) == b'\r');
        builder.verbatim(next..(next + 1).min(range.end));
    }
    builder.finish()
}
