//! Lines of files, for sources whose commands are not read.

use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Place, Span};

/// Lines that say something: no comments, no documents, nothing that serves development.
pub(super) fn effective_lines(facts: &Facts) -> impl Iterator<Item = (FileId, Place, &str)> {
    facts
        .files
        .iter()
        .filter(|(id, _)| facts.trees.kind(*id) != Kind::Markdown)
        .flat_map(|(id, file)| {
            let mut start = 0_usize;
            file.text().split_inclusive('\n').map(move |line| {
                let from = start;
                start += line.len();
                let text = line.trim();
                let lead = line.len() - line.trim_start().len();
                (id, place(id, from + lead, from + lead + text.len()), text)
            })
        })
        .filter(|(_, _, text)| {
            !text.is_empty() && !["#", "//", "--", ";", "*"].iter().any(|mark| text.starts_with(mark))
        })
}

fn place(file: FileId, start: usize, end: usize) -> Place {
    Place::new(file, Span::new(u32::try_from(start).unwrap_or(0), u32::try_from(end).unwrap_or(0)))
}
