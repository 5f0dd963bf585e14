//! From edits to texts.

use std::collections::BTreeMap;

use plimsoll_text::{Edit, FileId, Files, Place, Span};

/// Edits of several fixes that do not disturb each other, by file and in file order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits {
    by_file: BTreeMap<FileId, Vec<(Span, String)>>,
}

impl Edits {
    /// Takes in the edits of a fix: all of them, or none when one disturbs an edit that is here already or cannot
    /// be carried out. An edit that is here already counts once.
    pub(crate) fn add(&mut self, files: &Files, edits: &[Edit]) -> bool {
        let fits = edits.iter().all(|edit| {
            let text = files.get(edit.place.file).text();
            let own = edit.place.span;
            let others = self.by_file.get(&edit.place.file).map(Vec::as_slice).unwrap_or_default();
            text.get(own.range()).is_some()
                && others
                    .iter()
                    .all(|(span, new)| !disturb(*span, own) || (*span == own && *new == edit.replacement))
        });
        let alone = edits.iter().enumerate().all(|(index, a)| {
            let rest = edits.get(index + 1..).unwrap_or_default();
            rest.iter()
                .all(|b| a.place.file != b.place.file || a == b || !disturb(a.place.span, b.place.span))
        });
        if !fits || !alone {
            return false;
        }
        for edit in edits {
            let list = self.by_file.entry(edit.place.file).or_default();
            let new = (edit.place.span, edit.replacement.clone());
            if !list.contains(&new) {
                // Insertions at one place keep the order in which they came, and stand before what is replaced there.
                let key = |span: Span| (span.start, span.end);
                let at = list.partition_point(|(span, _)| key(*span) <= key(edit.place.span));
                list.insert(at, new);
            }
        }
        true
    }

    /// The files that change.
    pub(crate) fn files(&self) -> impl Iterator<Item = FileId> {
        self.by_file.keys().copied()
    }

    /// The texts afterwards.
    pub(crate) fn apply(&self, files: &Files) -> Files {
        files.with_texts(self.by_file.iter().map(|(id, edits)| (*id, patched(files.get(*id).text(), edits))))
    }

    /// Where a place stands afterwards; the start of what replaced it when it is gone.
    pub(crate) fn moved(&self, files: &Files, place: Place) -> u32 {
        let Some(edits) = self.by_file.get(&place.file) else { return place.span.start };
        let crlf = has_crlf(files.get(place.file).text());
        let mut shift = 0_i64;
        for (span, new) in edits {
            if span.end <= place.span.start && (span.start < place.span.start || span.is_empty()) {
                shift += length(new, crlf) - i64::from(span.end - span.start);
            } else if span.start <= place.span.start {
                return add(span.start, shift);
            }
        }
        add(place.span.start, shift)
    }
}

/// Whether the order of two edits would matter: they share bytes, or one inserts inside what the other replaces.
fn disturb(a: Span, b: Span) -> bool {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => false,
        (true, false) => b.start < a.start && a.start < b.end,
        (false, true) => a.start < b.start && b.start < a.end,
        (false, false) => a.start < b.end && b.start < a.end,
    }
}

fn patched(text: &str, edits: &[(Span, String)]) -> String {
    let crlf = has_crlf(text);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (span, new) in edits {
        out.push_str(text.get(at..span.start as usize).unwrap_or_default());
        if crlf {
            out.push_str(&new.replace('\n', "\r\n"));
        } else {
            out.push_str(new);
        }
        at = span.end as usize;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Whether a file ends its lines as Windows does; what is put in does so too.
fn has_crlf(text: &str) -> bool {
    text.contains("\r\n")
}

fn length(new: &str, crlf: bool) -> i64 {
    let breaks = if crlf { new.matches('\n').count() } else { 0 };
    i64::try_from(new.len() + breaks).unwrap_or(i64::MAX)
}

fn add(offset: u32, shift: i64) -> u32 {
    u32::try_from(i64::from(offset) + shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> (Files, FileId) {
        let files = Files::new([("a".into(), text.to_owned())]);
        let id = files.find("a".into()).unwrap();
        (files, id)
    }

    fn edit(file: FileId, start: u32, end: u32, new: &str) -> Edit {
        Edit { place: Place::new(file, Span::new(start, end)), replacement: new.to_owned() }
    }

    #[test]
    fn edits_of_several_fixes_are_applied_in_file_order_and_equal_ones_once() {
        let (files, id) = files("one two three\n");
        let mut edits = Edits::default();
        assert!(edits.add(&files, &[edit(id, 8, 13, "3"), edit(id, 0, 0, "<")]));
        assert!(edits.add(&files, &[edit(id, 0, 0, "<"), edit(id, 0, 3, "1")]));
        assert!(edits.add(&files, &[edit(id, 0, 0, "[")]));
        assert_eq!(edits.apply(&files).get(id).text(), "<[1 two 3\n");
    }

    #[test]
    fn a_fix_that_disturbs_another_is_left_out_whole() {
        let (files, id) = files("one two three\n");
        let mut edits = Edits::default();
        assert!(edits.add(&files, &[edit(id, 4, 7, "2")]));
        assert!(!edits.add(&files, &[edit(id, 0, 0, "x"), edit(id, 5, 5, "y")]));
        assert!(!edits.add(&files, &[edit(id, 6, 9, "")]));
        assert!(!edits.add(&files, &[edit(id, 0, 99, "")]));
        assert!(!edits.add(&files, &[edit(id, 8, 10, ""), edit(id, 9, 11, "")]));
        assert_eq!(edits.apply(&files).get(id).text(), "one 2 three\n");
    }

    #[test]
    fn places_behind_an_edit_move_and_line_ends_follow_the_file() {
        let (files, id) = files("a\r\nb\r\nc\r\n");
        let mut edits = Edits::default();
        assert!(edits.add(&files, &[edit(id, 3, 3, "x\n"), edit(id, 6, 7, "cc")]));
        assert_eq!(edits.apply(&files).get(id).text(), "a\r\nx\r\nb\r\ncc\r\n");
        let moved = |start| edits.moved(&files, Place::new(id, Span::new(start, start + 1)));
        assert_eq!((moved(0), moved(3), moved(6), moved(7)), (0, 6, 9, 11));
    }
}
