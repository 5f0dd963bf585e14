//! The page of a rule: documentation for people and, by its examples, the rule's test.
//!
//! A page is Markdown with fixed parts: `# name (CODE)`, a lead paragraph, then the sections of
//! [`SECTIONS`]. Fenced blocks with `title="PATH"` are files; the blocks of one `###` part (or of the section,
//! where it has no parts) form one project. `# error: [CODE]` at the end of a line (also behind `//`, `--`, `;`
//! or in `<!-- -->`) says that the rule's finding has its primary place on that line.

use std::fmt::Write as _;

use crate::Rule;

/// The headings of a page, in order.
pub const SECTIONS: [&str; 5] = ["What it checks", "Why it matters", "Bad", "Better", "Known problems"];

/// The section between `Better` and `Known problems` of a rule that has a fix: what the fix makes of a bad example.
pub const FIXED: &str = "Fixed";

/// A page taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<'a> {
    /// The text behind the leading `# `.
    pub title: &'a str,
    /// What stands between the title and the first section, for a newcomer.
    pub lead: &'a str,
    /// The sections in the order of the page.
    pub sections: Vec<Section<'a>>,
}

/// A section of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// The text behind `## `.
    pub heading: &'a str,
    /// All of its Markdown.
    pub text: &'a str,
    /// The projects that its code blocks form.
    pub cases: Vec<Case<'a>>,
}

/// The files of one example.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case<'a> {
    /// The text behind `### `; empty for a section without such parts.
    pub name: &'a str,
    /// Paths and texts, markers removed.
    pub files: Vec<(&'a str, String)>,
    /// Marked lines: path, line counted from 1, code.
    pub expected: Vec<(&'a str, usize, &'a str)>,
}

impl<'a> Page<'a> {
    /// Takes a page apart. Any text gives a page; whether it has all parts is for its test to say.
    #[must_use]
    pub fn parse(doc: &'a str) -> Self {
        let mut parts = vec![("", 0, doc.len())];
        for line in lines_outside_fences(doc) {
            let heading = doc.get(line.clone()).unwrap_or_default();
            if let Some(heading) = heading.strip_prefix("## ") {
                if let Some(last) = parts.last_mut() {
                    last.2 = line.start;
                }
                parts.push((heading.trim(), (line.end + 1).min(doc.len()), doc.len()));
            }
        }
        let mut parts =
            parts.into_iter().map(|(heading, start, end)| (heading, doc.get(start..end).unwrap_or_default()));
        let head = parts.next().map(|(_, text)| text).unwrap_or_default().trim();
        let (title, lead) = head.split_once('\n').unwrap_or((head, ""));
        Page {
            title: title.trim_start_matches("# ").trim(),
            lead: lead.trim(),
            sections: parts
                .map(|(heading, text)| Section { heading, text: text.trim(), cases: cases(text) })
                .collect(),
        }
    }

    /// The section with a heading.
    #[must_use]
    pub fn section(&self, heading: &str) -> Option<&Section<'a>> {
        self.sections.iter().find(|section| section.heading == heading)
    }
}

/// A page as a reader should see it: markers removed, references from the rule added.
#[must_use]
pub fn for_readers(rule: &Rule) -> String {
    let mut out = String::with_capacity(rule.doc.len());
    let mut fence: Option<&str> = None;
    for line in rule.doc.lines() {
        fence = after(line, fence);
        out.push_str(if fence.is_some() { split_marker(line).0 } else { line });
        out.push('\n');
    }
    if !rule.references.is_empty() {
        out.push_str("\n## References\n\n");
        for reference in rule.references {
            let _ = writeln!(out, "- [{}]({})", reference.title, reference.url);
        }
    }
    out
}

/// The projects of a section.
fn cases(text: &str) -> Vec<Case<'_>> {
    let mut cases = vec![Case::default()];
    let mut fence: Option<&str> = None;
    let mut inside = false;
    for line in text.lines() {
        let before = fence;
        fence = after(line, before);
        match (before, fence) {
            (None, Some(_)) => {
                let title = line.split_once("title=\"").and_then(|(_, rest)| rest.split_once('"'));
                inside = title.is_some();
                if let (Some((path, _)), Some(case)) = (title, cases.last_mut()) {
                    case.files.push((path, String::new()));
                }
            }
            (Some(_), Some(_)) if inside => {
                if let Some(case) = cases.last_mut() {
                    case.push_line(line);
                }
            }
            (None, None) => {
                if let Some(name) = line.strip_prefix("### ") {
                    cases.push(Case { name: name.trim(), ..Case::default() });
                }
            }
            _ => {}
        }
    }
    cases.retain(|case| !case.files.is_empty());
    cases
}

impl<'a> Case<'a> {
    fn push_line(&mut self, line: &'a str) {
        let Some((path, text)) = self.files.last_mut() else { return };
        let (line, codes) = split_marker(line);
        text.push_str(line);
        text.push('\n');
        let number = text.lines().count();
        self.expected.extend(codes.into_iter().map(|code| (*path, number, code)));
    }
}

/// A line without its marker, and the marker's codes.
fn split_marker(line: &str) -> (&str, Vec<&str>) {
    const MARKS: [(&str, &str); 5] = [
        ("# error: [", "]"),
        ("// error: [", "]"),
        ("-- error: [", "]"),
        ("; error: [", "]"),
        ("<!-- error: [", "] -->"),
    ];
    for (open, close) in MARKS {
        if let Some((before, codes)) = line.rsplit_once(open)
            && let Some(codes) = codes.trim_end().strip_suffix(close)
        {
            return (before.trim_end(), codes.split(',').map(str::trim).collect());
        }
    }
    (line, Vec::new())
}

/// The open fence behind a line, given the one before it.
fn after<'a>(line: &'a str, open: Option<&'a str>) -> Option<&'a str> {
    let line = line.trim_end();
    let marks = line.len() - line.trim_start_matches('`').len();
    match open {
        None => (marks >= 3).then(|| line.get(..marks).unwrap_or_default()),
        Some(fence) if marks == line.len() && marks >= fence.len() => None,
        open => open,
    }
}

/// The byte ranges of the lines that are not code.
fn lines_outside_fences(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut out = Vec::new();
    let mut fence = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let before = fence;
        fence = after(line, before);
        if before.is_none() && fence.is_none() {
            out.push(start..start + line.trim_end_matches('\n').len());
        }
        start += line.len();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOC: &str = "# a-b (ISO-999)\n\nLead.\n\n## Bad\n\nText.\n\n```sh title=\"a.sh\"\nx # error: [ISO-999]\n## no heading\n```\n\n### Second\n\n````md title=\"b.md\"\n```sh\ny <!-- error: [ISO-999, ISO-999] -->\n```\n````\n\n```\nnot a file\n```\n\n## Better\n\nNone.\n";

    #[test]
    fn parts_of_a_page_are_found_and_code_is_not_mistaken_for_headings() {
        let page = Page::parse(DOC);
        assert_eq!((page.title, page.lead), ("a-b (ISO-999)", "Lead."));
        assert_eq!(page.sections.iter().map(|s| s.heading).collect::<Vec<_>>(), ["Bad", "Better"]);
        let cases = &page.sections[0].cases;
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[0].files, [("a.sh", "x\n## no heading\n".to_owned())]);
        assert_eq!(cases[0].expected, [("a.sh", 1, "ISO-999")]);
        assert_eq!(cases[1].name, "Second");
        assert_eq!(cases[1].files, [("b.md", "```sh\ny\n```\n".to_owned())]);
        assert_eq!(cases[1].expected, [("b.md", 2, "ISO-999"), ("b.md", 2, "ISO-999")]);
        assert_eq!(page.section("Better").unwrap().text, "None.");
    }
}
