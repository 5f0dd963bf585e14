//! Scalars byte by byte: the decoded value and where each of its bytes stands.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder};

use super::ScalarStyle;

/// The layer of a decoded scalar. Where the source cannot be aligned with the value, every byte of it maps to the
/// whole scalar.
pub(super) fn layer(parent: &Layer, range: Range<usize>, style: ScalarStyle, value: &str) -> Layer {
    let text = parent.text();
    let body = body(text, range.clone(), style);
    if text.get(body.clone()) == Some(value) {
        return parent.slice(body);
    }
    let aligned = match style {
        ScalarStyle::Literal => literal(parent, body, value),
        ScalarStyle::DoubleQuoted => Some(double(parent, body)),
        ScalarStyle::SingleQuoted => align(parent, body, value, true),
        ScalarStyle::Plain | ScalarStyle::Folded => align(parent, body, value, false),
    };
    aligned.filter(|layer| layer.text() == value).unwrap_or_else(|| {
        let mut whole = LayerBuilder::new(parent, range.start);
        whole.decoded(value, range);
        whole.finish()
    })
}

/// The layer of a scalar whose parsed value cannot be trusted because part of its text was hidden.
pub(super) fn original(parent: &Layer, range: Range<usize>, style: ScalarStyle, value: &str) -> Layer {
    let body = body(parent.text(), range, style);
    match style {
        ScalarStyle::DoubleQuoted => double(parent, body),
        // Hiding keeps every line as long as it was, so the hidden value has the shape of the real one.
        ScalarStyle::Literal => lines_of(parent, body, value, false).unwrap_or_else(|| parent.slice(0..0)),
        _ => parent.slice(body),
    }
}

/// The range of a block scalar from its `|` or `>` on; the parser starts it at the first text.
pub(super) fn with_header(text: &str, range: Range<usize>, style: ScalarStyle) -> Range<usize> {
    if !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
        return range;
    }
    let mut before = text.get(..range.start).unwrap_or_default();
    loop {
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.get(line_start..).unwrap_or_default();
        if !line.trim().is_empty() {
            return header(line).map_or(range.clone(), |at| line_start + at..range.end);
        }
        if line_start == 0 {
            return range;
        }
        before = before.get(..line_start - 1).unwrap_or_default();
    }
}

/// Where the block scalar that a line announces starts.
fn header(line: &str) -> Option<usize> {
    line.match_indices(['|', '>']).map(|(at, _)| at).find(|at| {
        let rest = line.get(at + 1..).unwrap_or_default();
        let rest = rest.trim_start_matches(|c: char| matches!(c, '+' | '-') || c.is_ascii_digit());
        rest.trim().is_empty() || rest.trim_start().starts_with('#')
    })
}

/// The range of a scalar without blanks and lines that belong to nothing.
pub(super) fn trimmed(text: &str, range: Range<usize>, style: ScalarStyle) -> Range<usize> {
    match style {
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let source = text.get(range.clone()).unwrap_or_default();
            range.start..range.start + source.trim_end().len()
        }
        _ => range,
    }
}

/// The range inside the quotes, or after the header line of a block scalar.
fn body(text: &str, range: Range<usize>, style: ScalarStyle) -> Range<usize> {
    let source = text.get(range.clone()).unwrap_or_default();
    match style {
        ScalarStyle::Plain => range,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if source.len() >= 2 => {
            range.start + 1..range.end - 1
        }
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => range,
        ScalarStyle::Literal | ScalarStyle::Folded => {
            let is_header = source.starts_with(['|', '>']);
            let header = if is_header { source.find('\n').map_or(source.len(), |at| at + 1) } else { 0 };
            range.start + header..range.end
        }
    }
}

/// A literal block keeps its lines: each line of the value ends a line of the source.
fn literal(parent: &Layer, body: Range<usize>, value: &str) -> Option<Layer> {
    lines_of(parent, body, value, true)
}

fn lines_of(parent: &Layer, body: Range<usize>, value: &str, exact: bool) -> Option<Layer> {
    let mut builder = LayerBuilder::new(parent, body.start);
    let mut at = body.start;
    for line in value.split_inclusive('\n') {
        let rest = parent.text().get(at..)?;
        let source = rest.split_inclusive('\n').next().unwrap_or_default();
        let content = line.trim_end_matches('\n');
        let written = source.trim_end_matches('\n').trim_end_matches('\r');
        if exact && !written.ends_with(content) || written.len() < content.len() {
            return None;
        }
        let end = at + written.len();
        builder.verbatim(end - content.len()..end);
        if content.len() < line.len() {
            let broken = end + usize::from(source.len() > written.len());
            builder.decoded("\n", end..broken.max(at + source.len()).min(parent.text().len()));
        }
        at += source.len();
    }
    Some(builder.finish())
}

/// Aligns the characters that are not blank; blanks take the source of what they were folded from.
fn align(parent: &Layer, body: Range<usize>, value: &str, doubled_quotes: bool) -> Option<Layer> {
    let source = parent.text().get(body.clone())?;
    let mut builder = LayerBuilder::new(parent, body.start);
    let mut rest = source.char_indices().peekable();
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    for wanted in value.chars() {
        if blank(wanted) {
            match rest.peek().copied() {
                Some((at, found)) if blank(found) => {
                    rest.next();
                    let start = body.start + at;
                    let mut buffer = [0; 4];
                    builder.decoded(wanted.encode_utf8(&mut buffer), start..start + found.len_utf8());
                    if wanted == '\n' && found == '\r' {
                        rest.next_if(|(_, next)| *next == '\n');
                    }
                }
                _ => {
                    let at = rest.peek().map_or(source.len(), |(at, _)| *at);
                    builder.decoded(&wanted.to_string(), body.start + at..body.start + at);
                }
            }
            continue;
        }
        while rest.next_if(|(_, found)| blank(*found)).is_some() {}
        let (at, found) = rest.next()?;
        if found != wanted {
            return None;
        }
        let start = body.start + at;
        let mut end = start + found.len_utf8();
        if doubled_quotes && found == '\'' {
            rest.next_if(|(_, next)| *next == '\'').map(|_| end += 1)?;
            builder.decoded("'", start..end);
        } else {
            builder.verbatim(start..end);
        }
    }
    Some(builder.finish())
}

/// Decodes a double-quoted scalar: escapes, and lines folded.
fn double(parent: &Layer, body: Range<usize>) -> Layer {
    let source = parent.text().get(body.clone()).unwrap_or_default();
    let mut builder = LayerBuilder::new(parent, body.start);
    let mut at = 0;
    while let Some(next) = source.get(at..).and_then(|rest| rest.chars().next()) {
        let start = body.start + at;
        match next {
            '\\' => {
                let (decoded, length) = escape(source.get(at..).unwrap_or_default());
                builder.decoded(&decoded, start..start + length);
                at += length;
            }
            ' ' | '\t' | '\r' | '\n' => {
                let run = source.get(at..).unwrap_or_default();
                let length = run.find(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).unwrap_or(run.len());
                let breaks = run.get(..length).unwrap_or_default().matches('\n').count();
                match breaks {
                    0 => builder.verbatim(start..start + length),
                    1 => builder.decoded(" ", start..start + length),
                    more => builder.decoded(&"\n".repeat(more - 1), start..start + length),
                }
                at += length;
            }
            other => {
                builder.verbatim(start..start + other.len_utf8());
                at += other.len_utf8();
            }
        }
    }
    builder.finish()
}

/// What an escape sequence stands for and how long it is.
fn escape(source: &str) -> (String, usize) {
    let Some(letter) = source.get(1..).and_then(|rest| rest.chars().next()) else {
        return (source.to_owned(), source.len());
    };
    let hex = |digits: usize| {
        let end = 2 + digits;
        let code = source.get(2..end).and_then(|text| u32::from_str_radix(text, 16).ok());
        (code.and_then(char::from_u32).map(String::from).unwrap_or_default(), end.min(source.len()))
    };
    let simple = |text: &str| (text.to_owned(), 1 + letter.len_utf8());
    match letter {
        '0' => simple("\0"),
        'a' => simple("\u{7}"),
        'b' => simple("\u{8}"),
        't' | '\t' => simple("\t"),
        'n' => simple("\n"),
        'v' => simple("\u{b}"),
        'f' => simple("\u{c}"),
        'r' => simple("\r"),
        'e' => simple("\u{1b}"),
        'N' => simple("\u{85}"),
        '_' => simple("\u{a0}"),
        'L' => simple("\u{2028}"),
        'P' => simple("\u{2029}"),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        '\n' | '\r' => {
            let rest = source.get(1..).unwrap_or_default();
            let after_break = rest.strip_prefix('\r').unwrap_or(rest);
            let after_break = after_break.strip_prefix('\n').unwrap_or(after_break);
            let next = after_break.trim_start_matches([' ', '\t']);
            (String::new(), source.len() - next.len())
        }
        other => (other.to_string(), 1 + other.len_utf8()),
    }
}
