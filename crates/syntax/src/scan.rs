//! Byte scanning that several readers share.

use std::ops::Range;

/// The physical lines of a text, as byte ranges without their line breaks (`\n` or `\r\n`).
pub(crate) fn lines(text: &str) -> Lines<'_> {
    Lines { text, at: start(text) }
}

/// Where the text starts behind a byte order mark.
pub(crate) fn start(text: &str) -> usize {
    if text.starts_with('\u{feff}') { 3 } else { 0 }
}

/// Iterator over physical lines.
pub(crate) struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.as_bytes().get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.at = start + length + 1;
        let ends_as_windows_does = length > 0 && rest.get(length - 1) == Some(&b'\r');
        Some(start..start + length - usize::from(ends_as_windows_does))
    }
}

/// The range without spaces and tabs at both ends.
pub(crate) fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let Some(part) = text.as_bytes().get(range.clone()) else { return range };
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = part.iter().position(is_text).unwrap_or(part.len());
    let end = part.iter().rposition(is_text).map_or(start, |last| last + 1);
    range.start + start..range.start + end
}

/// The text of a range; empty when out of bounds.
pub(crate) fn text_of(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// The byte at an index; 0 past the end.
pub(crate) fn byte(text: &str, at: usize) -> u8 {
    text.as_bytes().get(at).copied().unwrap_or(0)
}

/// Length in bytes of the character at an index; 1 past the end.
pub(crate) fn char_len(text: &str, at: usize) -> usize {
    match byte(text, at) {
        0x00..=0xBF => 1,
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_drop_their_breaks_and_a_last_line_needs_none() {
        let text = "a\r\n\nb";
        let all: Vec<&str> = lines(text).map(|range| text_of(text, range)).collect();
        assert_eq!(all, ["a", "", "b"]);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn trimming_keeps_offsets() {
        assert_eq!(trim("  a b\t ", 0..7), 2..5);
        assert_eq!(trim("   ", 0..3), 3..3);
    }
}
