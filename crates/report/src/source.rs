//! The text that reports may show.

use std::borrow::Cow;
use std::collections::BTreeMap;

use plimsoll_rules::{Assessment, Judged};
use plimsoll_text::{FileId, Files, Place, Span};

/// File texts with all secrets that findings name replaced by asterisks, byte by byte, so that spans stay true.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    files: &'a Files,
    masked: BTreeMap<FileId, String>,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(files: &'a Files, assessment: &Assessment) -> Self {
        let mut masked = BTreeMap::new();
        let accepted = assessment.accepted.iter().map(|(judged, _)| judged);
        let all =
            assessment.findings.iter().chain(accepted).chain(&assessment.known).chain(&assessment.unsure);
        for place in all.flat_map(|judged: &Judged| &judged.finding.masked) {
            let text = masked.entry(place.file).or_insert_with(|| files.get(place.file).text().to_owned());
            hide(text, place.span);
        }
        Self { files, masked }
    }

    /// The text of a file as it may be shown.
    pub(crate) fn text(&self, file: FileId) -> &str {
        self.masked.get(&file).map_or_else(|| self.files.get(file).text(), String::as_str)
    }

    /// The part of a place on its first line, without the blanks at its end.
    pub(crate) fn first_line(&self, place: Place) -> Span {
        let file = self.files.get(place.file);
        let line = file.line_span(file.line_of(place.span.start));
        let end = place.span.end.min(line.end).max(place.span.start);
        let text = file.slice(Span::new(place.span.start, end));
        let blanks = text.len() - text.trim_end().len();
        Span::new(place.span.start, end - u32::try_from(blanks).unwrap_or(0))
    }

    /// The line of a place, without the blanks around it.
    pub(crate) fn line(&self, place: Place) -> Cow<'_, str> {
        let file = self.files.get(place.file);
        let span = file.line_span(file.line_of(place.span.start));
        printable(self.text(place.file).get(span.range()).unwrap_or_default().trim())
    }
}

/// Text from evaluated files without control characters, which could steer the terminal that shows it.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn hide(text: &mut String, span: Span) {
    if let Some(secret) = text.get(span.range()) {
        let asterisks: String = secret.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }).collect();
        text.replace_range(span.range(), &asterisks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_offsets_stay() {
        let mut text = "a: gehei\u{df}\nb".to_owned();
        hide(&mut text, Span::new(3, 12));
        assert_eq!(text, "a: *******\n*".to_owned());
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2J"), "a\u{fffd}[2J");
    }
}
