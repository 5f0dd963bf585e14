//! Edits as a diff for reading.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plimsoll_text::{Edit, FileId, Files};

use crate::source::{Sources, printable};

/// Lines shown before and after a change.
const AROUND: usize = 2;

/// The edits of one fix as a unified diff. Each file is shown as it is today.
pub(super) fn diff(files: &Files, sources: &Sources<'_>, edits: &[Edit]) -> String {
    let mut by_file: BTreeMap<FileId, Vec<&Edit>> = BTreeMap::new();
    for edit in edits {
        by_file.entry(edit.place.file).or_default().push(edit);
    }
    let mut out = String::new();
    for (id, mut edits) in by_file {
        edits.sort_by_key(|edit| (edit.place.span.start, edit.place.span.end));
        let path = printable(files.get(id).path().as_str());
        let _ = writeln!(out, "--- a/{path}\n+++ b/{path}");
        let mut moved = 0_isize;
        for group in groups(files, id, &edits) {
            hunk(files, sources.text(id), id, &group, &mut moved, &mut out);
        }
    }
    out
}

/// Edits whose surroundings touch, together.
fn groups<'a>(files: &Files, id: FileId, edits: &[&'a Edit]) -> Vec<Vec<&'a Edit>> {
    let file = files.get(id);
    let mut groups: Vec<Vec<&Edit>> = Vec::new();
    for edit in edits {
        let starts = file.line_of(edit.place.span.start);
        let near = groups
            .last()
            .and_then(|group| group.last())
            .is_some_and(|last| starts <= file.line_of(last.place.span.end) + 2 * AROUND);
        match groups.last_mut() {
            Some(group) if near => group.push(edit),
            _ => groups.push(vec![edit]),
        }
    }
    groups
}

fn hunk(files: &Files, text: &str, id: FileId, edits: &[&Edit], moved: &mut isize, out: &mut String) {
    let file = files.get(id);
    let (Some(first), Some(last)) = (edits.first(), edits.last()) else { return };
    let lines = file.line_count();
    // The line after the last byte belongs to the change only if a byte of it does.
    let start = file.line_of(first.place.span.start);
    let end = file.line_of(last.place.span.end.saturating_sub(1).max(last.place.span.start)) + 1;
    let begin_byte = file.line_span(start).start as usize;
    let end_byte = if end < lines { file.line_span(end).start as usize } else { text.len() };
    let mut after = String::new();
    let mut at = begin_byte;
    for edit in edits {
        after.push_str(text.get(at..edit.place.span.start as usize).unwrap_or_default());
        after.push_str(&edit.replacement);
        at = edit.place.span.end as usize;
    }
    after.push_str(text.get(at..end_byte).unwrap_or_default());
    let before: Vec<&str> = text.get(begin_byte..end_byte).unwrap_or_default().lines().collect();
    let after: Vec<&str> = after.lines().collect();
    let same = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(after.len()) - same;
    let tail = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    // What is equal at either end is surroundings.
    let (low, high) = (start + same, start + before.len() - tail);
    let above: Vec<usize> = (low.saturating_sub(AROUND)..low).collect();
    let below: Vec<usize> = (high..(high + AROUND).min(lines)).filter(|n| !is_end(file, *n)).collect();
    let removed = before.get(same..before.len() - tail).unwrap_or_default();
    let added = after.get(same..after.len() - tail).unwrap_or_default();
    let context = above.len() + below.len();
    let old = low - above.len() + 1;
    let _ = writeln!(
        out,
        "@@ -{old},{} +{},{} @@",
        context + removed.len(),
        old.saturating_add_signed(*moved),
        context + added.len()
    );
    *moved += added.len().cast_signed() - removed.len().cast_signed();
    let line = |number: usize| text.get(file.line_span(number).range()).unwrap_or_default();
    let unchanged = |number: &usize| (' ', line(*number));
    let all = above
        .iter()
        .map(unchanged)
        .chain(removed.iter().map(|line| ('-', *line)))
        .chain(added.iter().map(|line| ('+', *line)))
        .chain(below.iter().map(unchanged));
    for (mark, line) in all {
        let line = line.replace('\t', "    ");
        let _ = writeln!(out, "{mark}{}", printable(&line));
    }
}

/// Whether a line is only what follows the last line break.
fn is_end(file: &plimsoll_text::SourceFile, line: usize) -> bool {
    line + 1 == file.line_count() && file.line_text(line).is_empty()
}

#[cfg(test)]
mod tests {
    use plimsoll_rules::Assessment;
    use plimsoll_text::{Place, Span};

    use super::*;

    fn diff_of(text: &str, edits: &[(u32, u32, &str)]) -> String {
        let files = Files::new([("a".into(), text.to_owned())]);
        let (id, _) = files.iter().next().unwrap();
        let edits: Vec<Edit> = edits
            .iter()
            .map(|(start, end, new)| Edit {
                place: Place::new(id, Span::new(*start, *end)),
                replacement: (*new).to_owned(),
            })
            .collect();
        diff(&files, &Sources::new(&files, &Assessment::default()), &edits)
    }

    #[test]
    fn a_changed_word_is_a_changed_line_with_its_surroundings() {
        assert_eq!(
            diff_of("1\n2\n3\nfour\n5\n6\n7\n", &[(6, 10, "4")]),
            "--- a/a\n+++ b/a\n@@ -2,5 +2,5 @@\n 2\n 3\n-four\n+4\n 5\n 6\n"
        );
    }

    #[test]
    fn an_added_line_removes_nothing() {
        assert_eq!(
            diff_of("1\n2\n", &[(2, 2, "one and a half\n")]),
            "--- a/a\n+++ b/a\n@@ -1,2 +1,3 @@\n 1\n+one and a half\n 2\n"
        );
        assert_eq!(diff_of("1\n", &[(1, 1, "\n2")]), "--- a/a\n+++ b/a\n@@ -1,1 +1,2 @@\n 1\n+2\n");
    }

    #[test]
    fn distant_changes_are_hunks_of_their_own_that_know_of_each_other() {
        let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let diff = diff_of(text, &[(0, 0, "0\n"), (16, 17, "nine")]);
        assert_eq!(
            diff,
            "--- a/a\n+++ b/a\n@@ -1,2 +1,3 @@\n+0\n 1\n 2\n@@ -7,3 +8,3 @@\n 7\n 8\n-9\n+nine\n"
        );
    }
}
