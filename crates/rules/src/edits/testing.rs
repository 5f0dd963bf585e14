//! Helpers for the tests of building blocks.

use plimsoll_model::{Facts, Inventory};
use plimsoll_text::{Edit, Files, Place, Span};

pub(crate) fn facts(files: &[(&str, &str)]) -> Facts {
    let inventory = Inventory::new(files.iter().map(|(path, _)| (*path).into()));
    Facts::new(Files::new(files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned()))), inventory)
}

/// The first place of a text.
pub(super) fn place(facts: &Facts, needle: &str) -> Place {
    let (id, at) = facts.files.iter().find_map(|(id, file)| Some((id, file.text().find(needle)?))).unwrap();
    let start = u32::try_from(at).unwrap();
    Place::new(id, Span::new(start, start + u32::try_from(needle.len()).unwrap()))
}

/// The text of the file that the first edit changes.
pub(super) fn apply(facts: &Facts, edits: &[Edit]) -> String {
    let file = edits[0].place.file;
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.place.span);
    let mut text = facts.files.get(file).text().to_owned();
    for edit in sorted.iter().rev() {
        text.replace_range(edit.place.span.range(), &edit.replacement);
    }
    text
}
