//! Edits of places and of whole lines.

use plimsoll_model::Facts;
use plimsoll_text::{Edit, Place, Span};

/// Replaces what stands at a place.
pub(crate) fn replace(place: Place, text: impl Into<String>) -> Edit {
    Edit { place, replacement: text.into() }
}

/// Removes what stands at a place.
pub(crate) fn remove(place: Place) -> Edit {
    replace(place, "")
}

/// Puts text in front of a place.
pub(crate) fn before(place: Place, text: impl Into<String>) -> Edit {
    replace(Place::new(place.file, Span::new(place.span.start, place.span.start)), text)
}

/// Puts text behind a place.
pub(crate) fn after(place: Place, text: impl Into<String>) -> Edit {
    replace(Place::new(place.file, Span::new(place.span.end, place.span.end)), text)
}

/// Puts lines behind the line that a place ends on, indented as the line that it starts on.
pub(crate) fn lines_after(facts: &Facts, place: Place, lines: &str) -> Edit {
    let file = facts.files.get(place.file);
    let indent = indent_of(facts, place);
    let last = file.line_of(place.span.end.max(place.span.start + 1) - 1);
    let end = file.line_span(last).end;
    replace(Place::new(place.file, Span::new(end, end)), format!("\n{}", indented(lines, &indent)))
}

/// Puts lines in front of the line that a place starts on, indented like it.
pub(crate) fn lines_before(facts: &Facts, place: Place, lines: &str) -> Edit {
    let file = facts.files.get(place.file);
    let indent = indent_of(facts, place);
    let start = file.line_span(file.line_of(place.span.start)).start;
    replace(Place::new(place.file, Span::new(start, start)), format!("{}\n", indented(lines, &indent)))
}

/// Puts lines in front of a place as [`lines_before`] does, above the comments that belong to it.
pub(crate) fn above_comments(facts: &Facts, place: Place, lines: &str) -> Edit {
    let file = facts.files.get(place.file);
    let mut line = file.line_of(place.span.start);
    while line > 0 && file.line_text(line - 1).trim_start().starts_with('#') {
        line -= 1;
    }
    let start = file.line_span(line).start;
    let text = format!("{}\n", indented(lines, &indent_of(facts, place)));
    replace(Place::new(place.file, Span::new(start, start)), text)
}

/// Removes the lines that a place touches.
pub(crate) fn remove_lines(facts: &Facts, place: Place) -> Edit {
    let file = facts.files.get(place.file);
    let first = file.line_of(place.span.start);
    let last = file.line_of(place.span.end.max(place.span.start + 1) - 1);
    let start = file.line_span(first).start;
    let end = file.line_span(last + 1).start;
    remove(Place::new(place.file, Span::new(start, end)))
}

/// The place of a part of the text at a place.
pub(crate) fn part(facts: &Facts, place: Place, needle: &str) -> Option<Place> {
    let at = facts.text(place).find(needle)?;
    let start = place.span.start + u32::try_from(at).ok()?;
    Some(Place::new(place.file, Span::new(start, start + u32::try_from(needle.len()).ok()?)))
}

/// What stands between two places of one file, from the end of the first to the end of the second.
pub(crate) fn up_to(from: Place, to: Place) -> Place {
    Place::new(from.file, Span::new(from.span.end, to.span.end))
}

/// The blanks in front of the line that a place starts on.
pub(crate) fn indent_of(facts: &Facts, place: Place) -> String {
    let file = facts.files.get(place.file);
    let line = file.line_text(file.line_of(place.span.start));
    line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
}

/// The line that a place starts on, from its first byte to the place.
pub(crate) fn line_head(facts: &Facts, place: Place) -> &str {
    let file = facts.files.get(place.file);
    let start = file.line_span(file.line_of(place.span.start)).start;
    file.slice(Span::new(start, place.span.start))
}

/// The line that a place ends on, from the place to its last byte.
pub(crate) fn line_tail(facts: &Facts, place: Place) -> &str {
    let file = facts.files.get(place.file);
    let end = file.line_span(file.line_of(place.span.end.max(place.span.start + 1) - 1)).end;
    file.slice(Span::new(place.span.end, end))
}

fn indented(lines: &str, indent: &str) -> String {
    let lines =
        lines.lines().map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{apply, facts, place};
    use super::*;

    #[test]
    fn lines_come_where_they_belong_whatever_the_indentation() {
        let facts = facts(&[("x.sh", "f() {\n\tcp a \\\n\t\tb # why\n}")]);
        let cp = place(&facts, "cp a \\\n\t\tb");
        assert_eq!(
            apply(&facts, &[lines_after(&facts, cp, "one\ntwo")]),
            "f() {\n\tcp a \\\n\t\tb # why\n\tone\n\ttwo\n}"
        );
        assert_eq!(
            apply(&facts, &[lines_before(&facts, cp, "one")]),
            "f() {\n\tone\n\tcp a \\\n\t\tb # why\n}"
        );
        assert_eq!(apply(&facts, &[remove_lines(&facts, cp)]), "f() {\n}");
    }

    #[test]
    fn a_last_line_without_an_end_gets_one() {
        let facts = facts(&[("x.sh", "a")]);
        assert_eq!(apply(&facts, &[lines_after(&facts, place(&facts, "a"), "b")]), "a\nb");
    }
}
