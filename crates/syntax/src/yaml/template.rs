//! Template expressions that YAML cannot read.

use std::borrow::Cow;
use std::ops::Range;

/// A text of which some ranges are hidden behind harmless characters of the same length.
pub(super) struct Masked<'a> {
    text: Cow<'a, str>,
    ranges: Vec<Range<usize>>,
}

impl<'a> Masked<'a> {
    /// Hides `{{ … }}` where it starts a value: YAML reads a mapping there, whoever wrote it meant a scalar.
    pub(super) fn values(text: &'a str) -> Self {
        let mut ranges = Vec::new();
        if text.contains("{{") {
            for (start, line) in lines(text) {
                if let Some(at) = value_start(line) {
                    ranges.extend(expressions(line, at).into_iter().map(|r| start + r.start..start + r.end));
                }
            }
        }
        Self::hide(text, ranges, 'x')
    }

    /// Hides statement lines (`{% … %}`) as well; they become comments.
    pub(super) fn values_and_statements(text: &'a str) -> Self {
        let values = Self::values(text);
        let mut masked = values.text.into_owned();
        let mut ranges = values.ranges;
        for (start, line) in lines(text) {
            let blanks = line.len() - line.trim_start().len();
            if line.trim_start().starts_with("{%") {
                let at = start + blanks;
                masked.replace_range(at..at + 1, "#");
                ranges.push(at..start + line.len());
            }
        }
        ranges.sort_by_key(|range| range.start);
        Self { text: Cow::Owned(masked), ranges }
    }

    fn hide(text: &'a str, ranges: Vec<Range<usize>>, with: char) -> Self {
        if ranges.is_empty() {
            return Self { text: Cow::Borrowed(text), ranges };
        }
        let mut masked = text.to_owned();
        for range in &ranges {
            let filler: String = std::iter::repeat_n(with, range.len()).collect();
            masked.replace_range(range.clone(), &filler);
        }
        Self { text: Cow::Owned(masked), ranges }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a range holds hidden text.
    pub(super) fn touches(&self, range: &Range<usize>) -> bool {
        let next = self.ranges.partition_point(|hidden| hidden.end <= range.start);
        self.ranges.get(next).is_some_and(|hidden| hidden.start < range.end)
    }
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |start, line| {
        let at = *start;
        *start += line.len();
        Some((at, line.trim_end_matches(['\n', '\r'])))
    })
}

/// Where the value of `key: {{`, `- {{` or `- key: {{` starts.
fn value_start(line: &str) -> Option<usize> {
    let at = line.find("{{")?;
    let before = line.get(..at)?;
    let trimmed = before.trim_end_matches(' ');
    let starts = trimmed.len() < before.len()
        && (trimmed.ends_with(':') || trimmed.trim_start() == "-")
        && !trimmed.trim_start().starts_with('#')
        && !trimmed.contains(['"', '\'', '{', '[']);
    starts.then_some(at)
}

/// The `{{ … }}` of a line from a byte on.
fn expressions(line: &str, from: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = from;
    while let Some(open) = line.get(at..).and_then(|rest| rest.find("{{")).map(|open| at + open) {
        let Some(close) = line.get(open..).and_then(|rest| rest.find("}}")) else { break };
        at = open + close + 2;
        found.push(open..at);
    }
    found
}
