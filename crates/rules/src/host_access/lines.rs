//! Lines of files, for sources whose commands are not read.

use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Phrases, Place, Span};

/// Lines with one of these phrases that say something: no comments, no documents, nothing that serves development.
pub(super) fn effective_lines<'a>(
    facts: &'a Facts,
    phrases: &'a Phrases,
) -> impl Iterator<Item = (FileId, Place, &'a str)> {
    facts
        .files
        .iter()
        .filter(|(id, _)| facts.trees.kind(*id) != Kind::Markdown)
        .flat_map(|(id, file)| {
            phrases.lines(file).map(move |line| {
                let span = file.line_span(line);
                let line = file.slice(span);
                let text = line.trim();
                let start = span.start as usize + line.len() - line.trim_start().len();
                (id, place(id, start, start + text.len()), text)
            })
        })
        .filter(|(_, _, text)| {
            !text.is_empty() && !["#", "//", "--", ";", "*"].iter().any(|mark| text.starts_with(mark))
        })
}

fn place(file: FileId, start: usize, end: usize) -> Place {
    Place::new(file, Span::new(u32::try_from(start).unwrap_or(0), u32::try_from(end).unwrap_or(0)))
}
