//! Text inside a script that is not for this shell: template placeholders and what outer shells expanded.

use std::borrow::Cow;
use std::ops::Range;

use super::OuterExpansion;

/// A range of the text that must not be read as shell syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) range: Range<usize>,
    pub(super) kind: HoleKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HoleKind {
    /// `{{ … }}` or `${{ … }}`: text that another program replaces before the shell runs.
    Template,
    /// An expansion that was carried out so many shells further out.
    Outer(u8),
}

/// All holes of a text in order, without overlaps. Outer expansions win over templates.
pub(super) fn find(text: &str, outer: &[OuterExpansion]) -> Vec<Hole> {
    let mut holes: Vec<Hole> = outer
        .iter()
        .filter(|expansion| {
            let written = text.get(expansion.range.clone()).unwrap_or_default();
            written.len() > 1 && (written.starts_with('$') || written.starts_with('`'))
        })
        .map(|expansion| Hole {
            range: expansion.range.clone(),
            kind: HoleKind::Outer(expansion.shells.max(1)),
        })
        .collect();
    sort_apart(&mut holes);
    if text.contains("{{") {
        let mut found = templates(text);
        found.retain(|range| {
            let before = holes.partition_point(|hole| hole.range.end <= range.start);
            holes.get(before).is_none_or(|hole| hole.range.start >= range.end)
        });
        holes.extend(found.into_iter().map(|range| Hole { range, kind: HoleKind::Template }));
        sort_apart(&mut holes);
    }
    holes
}

fn sort_apart(holes: &mut Vec<Hole>) {
    holes.sort_by_key(|hole| (hole.range.start, hole.range.end));
    let mut end = 0;
    holes.retain(|hole| {
        let keep = hole.range.start >= end;
        if keep {
            end = hole.range.end;
        }
        keep
    });
}

/// The text with every hole covered by letters, byte for byte, so that it keeps all positions.
pub(super) fn cover<'a>(text: &'a str, holes: &[Hole]) -> Cow<'a, str> {
    if holes.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut covered = String::with_capacity(text.len());
    let mut at = 0;
    for hole in holes {
        covered.push_str(text.get(at..hole.range.start).unwrap_or_default());
        covered.extend(std::iter::repeat_n('_', hole.range.len()));
        at = hole.range.end;
    }
    covered.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(covered)
}

fn templates(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("{{")).map(|offset| at + offset) {
        let workflow = open > 0 && text.as_bytes().get(open - 1) == Some(&b'$');
        let inside = text.get(open + 2..).unwrap_or_default();
        at = open + 2;
        let line = inside.split('\n').next().unwrap_or_default();
        let Some(length) = line.find("}}") else { continue };
        let body = line.get(..length).unwrap_or_default();
        if workflow || is_template(body) {
            let start = if workflow { open - 1 } else { open };
            at = open + 2 + length + 2;
            found.push(start..at);
        }
    }
    found
}

/// Whether the text between `{{` and `}}` can be a template and not two nested command groups, which need a `;`,
/// or a brace expansion.
fn is_template(body: &str) -> bool {
    let first = body.trim_start_matches('-').trim_start().chars().next();
    let starts = first.is_some_and(|c| c.is_alphabetic() || matches!(c, '.' | '$' | '"' | '`' | '(' | '_'));
    starts && !body.contains([';', '{', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(cover(text, &find(text, &[])), expected);
    }

    #[test]
    fn templates_are_covered_and_groups_are_not() {
        check("cp {{ .SRC }} b", "cp __________ b");
        check("a ${{ x || 'y' }} b", "a _______________ b");
        check("{{ a; }; }", "{{ a; }; }");
        check("echo {{a,b},{c,d}}", "echo {{a,b},{c,d}}");
        check("a {{ b\n}}", "a {{ b\n}}");
        check("é{{.É}}é", "é_______é".replace("_______", &"_".repeat(7)).as_str());
    }

    #[test]
    fn outer_ranges_that_cannot_be_expansions_are_dropped() {
        let outer = |range: Range<usize>| OuterExpansion { range, shells: 1 };
        let holes = find("a $x é", &[outer(2..4), outer(0..1), outer(3..9), outer(6..6)]);
        assert_eq!(holes, [Hole { range: 2..4, kind: HoleKind::Outer(1) }]);
    }
}
