//! Finding `plimsoll: ignore[…] reason` comments in the text of any file kind.
//!
//! This works on lines, not on trees: it must find the comment in files that no reader understands, and in
//! files that do not parse.

use plimsoll_text::{FileId, Place, SourceFile, Span, Spanned};

use crate::suppression_comment::{CommentStyle, comment_in, styles_of_file, styles_of_language};

const MARK: &str = "plimsoll:";

/// One comment that asks to accept findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Directive {
    /// From `plimsoll:` to the end of the comment.
    pub(crate) place: Place,
    /// The codes or names in the brackets, as written.
    pub(crate) ids: Vec<Spanned<String>>,
    /// Why, as written; empty when missing.
    pub(crate) reason: String,
    /// First line, counted from 0, whose findings it accepts.
    pub(crate) first_line: usize,
    /// Last line whose findings it accepts.
    pub(crate) last_line: usize,
}

/// All such comments of a file, in order.
pub(crate) fn directives(id: FileId, file: &SourceFile) -> Vec<Directive> {
    if !file.holds(MARK) {
        return Vec::new();
    }
    let styles = line_styles(file);
    let mut out = Vec::new();
    for (line, here) in styles.iter().enumerate() {
        let text = file.line_text(line);
        if !text.contains(MARK) {
            continue;
        }
        let Some(comment) = comment_in(text, here) else { continue };
        let body = text.get(comment.body.clone()).unwrap_or_default();
        let Some(at) = start_of_directive(body) else { continue };
        let start = comment.body.start + at;
        let offset = file.line_span(line).start;
        let place =
            |from: usize, to: usize| Place::new(id, Span::new(offset + as_u32(from), offset + as_u32(to)));
        let directive = text.get(start..comment.body.end).unwrap_or_default().trim_end();
        let Some((ids, reason)) = parse(directive) else { continue };
        let (first_line, last_line) = if comment.alone { covered(file, &styles, line) } else { (line, line) };
        out.push(Directive {
            place: place(start, start + directive.len()),
            ids: ids
                .into_iter()
                .map(|(at, id)| Spanned::new(id.to_owned(), place(start + at, start + at + id.len())))
                .collect(),
            reason: reason.to_owned(),
            first_line,
            last_line,
        });
    }
    out
}

/// Where the directive starts in a comment: at its head, or behind another comment mark in it.
fn start_of_directive(body: &str) -> Option<usize> {
    body.match_indices(MARK).map(|(at, _)| at).find(|at| {
        let before = body.get(..*at).unwrap_or_default().trim_end();
        before.is_empty() || before.ends_with(['#', ';']) || before.ends_with("//") || before.ends_with("--")
    })
}

type Ids<'a> = Vec<(usize, &'a str)>;

/// Ids with their offsets, and the reason.
fn parse(directive: &str) -> Option<(Ids<'_>, &str)> {
    let rest = directive.strip_prefix(MARK)?.trim_start();
    let rest = rest.strip_prefix("ignore")?.trim_start().strip_prefix('[')?;
    let (list, reason) = rest.split_once(']')?;
    let mut at = directive.len() - rest.len();
    let mut ids = Vec::new();
    for part in list.split(',') {
        let id = part.trim();
        if !id.is_empty() {
            ids.push((at + (part.len() - part.trim_start().len()), id));
        }
        at += part.len() + 1;
    }
    Some((ids, reason.trim().trim_start_matches([':', '-', '–']).trim_start()))
}

/// The comment styles of each line; they change inside the code blocks of Markdown.
fn line_styles(file: &SourceFile) -> Vec<&'static [CommentStyle]> {
    let outside = styles_of_file(file.path());
    if !is_markdown(file) {
        return vec![outside; file.line_count()];
    }
    let mut open: Option<(&str, &'static [CommentStyle])> = None;
    (0..file.line_count())
        .map(|line| {
            let text = file.line_text(line).trim_start();
            match (fence(text), open) {
                (Some((marks, info)), None) => {
                    open = Some((marks, styles_of_language(info)));
                    outside
                }
                (Some((marks, "")), Some((opened, _))) if marks.starts_with(opened) => {
                    open = None;
                    outside
                }
                (_, Some((_, styles))) => styles,
                (None, None) => outside,
            }
        })
        .collect()
}

/// The marks and the info string of a line that opens or closes a code block.
fn fence(line: &str) -> Option<(&str, &str)> {
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.len() - line.trim_start_matches(first).len();
    (length >= 3)
        .then(|| (line.get(..length).unwrap_or_default(), line.get(length..).unwrap_or_default().trim()))
}

fn is_markdown(file: &SourceFile) -> bool {
    matches!(file.path().extension(), Some("md" | "markdown"))
}

/// The lines that a comment on a line of its own speaks of: the next one that is neither blank nor a comment,
/// with its continuation lines; or the whole code block that starts there.
fn covered(file: &SourceFile, styles: &[&'static [CommentStyle]], line: usize) -> (usize, usize) {
    let count = file.line_count();
    let is_comment = |line: usize| {
        let styles = styles.get(line).copied().unwrap_or_default();
        comment_in(file.line_text(line), styles).is_some_and(|comment| comment.alone)
    };
    let Some(first) =
        (line + 1..count).find(|line| !file.line_text(*line).trim().is_empty() && !is_comment(*line))
    else {
        return (line, line);
    };
    if is_markdown(file)
        && let Some((marks, _)) = fence(file.line_text(first).trim_start())
    {
        let closes = |line: &usize| {
            fence(file.line_text(*line).trim_start())
                .is_some_and(|(m, i)| m.starts_with(marks) && i.is_empty())
        };
        return (first, (first + 1..count).find(closes).unwrap_or(count.saturating_sub(1)));
    }
    let last = (first..count).find(|line| !file.line_text(*line).ends_with('\\')).unwrap_or(first);
    (first, last)
}

fn as_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use plimsoll_text::Files;

    use super::*;

    fn scan(path: &str, text: &str) -> Vec<(Vec<String>, String, usize, usize)> {
        let files = Files::new([(path.into(), text.to_owned())]);
        let (id, file) = files.iter().next().unwrap();
        directives(id, file)
            .into_iter()
            .map(|d| {
                (d.ids.into_iter().map(|id| id.value).collect(), d.reason, d.first_line + 1, d.last_line + 1)
            })
            .collect()
    }

    fn one(
        ids: &[&str],
        reason: &str,
        first: usize,
        last: usize,
    ) -> Vec<(Vec<String>, String, usize, usize)> {
        vec![(ids.iter().map(|id| (*id).to_owned()).collect(), reason.to_owned(), first, last)]
    }

    #[test]
    fn a_comment_behind_code_speaks_of_its_line_and_one_alone_of_the_next() {
        let behind = "a\npct create 1 # plimsoll: ignore[ISO-001, privileged-lxc] lab only\n";
        assert_eq!(scan("a.sh", behind), one(&["ISO-001", "privileged-lxc"], "lab only", 2, 2));
        let alone =
            "# plimsoll: ignore[ISO-001] lab only\n# more\n\npct create 1 \\\n  --unprivileged 0\nx\n";
        assert_eq!(scan("a.sh", alone), one(&["ISO-001"], "lab only", 4, 5));
    }

    #[test]
    fn a_missing_reason_is_kept_as_missing() {
        assert_eq!(scan("c.yml", "a: 1 # plimsoll: ignore[CMP-001]"), one(&["CMP-001"], "", 1, 1));
    }

    #[test]
    fn text_that_only_looks_like_a_comment_is_left_alone() {
        assert_eq!(scan("a.sh", "echo '# plimsoll: ignore[A-1] x'\n"), []);
        assert_eq!(scan("a.py", "x = \"# plimsoll: ignore[A-1] x\"\n"), []);
        assert_eq!(scan("README.md", "Write # plimsoll: ignore[A-1] x\n"), []);
        assert_eq!(scan("a.js", "# plimsoll: ignore[A-1] x\n"), []);
    }

    #[test]
    fn each_language_has_its_own_comments() {
        assert_eq!(scan("a.ts", "f() // plimsoll: ignore[A-1] x").len(), 1);
        assert_eq!(scan("a.sql", "-- plimsoll: ignore[A-1] x\nDROP").len(), 1);
        assert_eq!(scan("a.ini", "; plimsoll: ignore[A-1] x\na=1").len(), 1);
        assert_eq!(scan("a.css", "a {} /* plimsoll: ignore[A-1] x */"), one(&["A-1"], "x", 1, 1));
        assert_eq!(scan("Dockerfile", "FROM a # it's # plimsoll: ignore[A-1] it's x").len(), 1);
        assert_eq!(scan("a.yml", "a: it's # plimsoll: ignore[A-1] don't").len(), 1);
    }

    #[test]
    fn markdown_takes_its_own_comments_outside_and_the_languages_inside_code_blocks() {
        let inside = "```bash\nrm -rf / # plimsoll: ignore[A-1] x\n```\n";
        assert_eq!(scan("a.md", inside), one(&["A-1"], "x", 2, 2));
        let before = "<!-- plimsoll: ignore[A-1] shown as bad -->\n```bash\na\nb\n```\nc";
        assert_eq!(scan("a.md", before), one(&["A-1"], "shown as bad", 2, 5));
    }
}
