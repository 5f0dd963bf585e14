//! Findings that are known already.

use std::collections::BTreeSet;

use plimsoll_text::Files;
use sha2::{Digest, Sha256};

use crate::Finding;

/// Names a finding by its content, so that it stays the same when lines move or other files change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// A fingerprint as it was written to a file.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Sixteen hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The fingerprints of known findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeSet<Fingerprint>,
}

impl Baseline {
    /// A baseline of fingerprints.
    pub fn new(known: impl IntoIterator<Item = Fingerprint>) -> Self {
        Self { known: known.into_iter().collect() }
    }

    /// Whether a finding is known.
    #[must_use]
    pub fn has(&self, fingerprint: &Fingerprint) -> bool {
        self.known.contains(fingerprint)
    }

    /// The fingerprints, sorted.
    pub fn known(&self) -> impl Iterator<Item = &Fingerprint> {
        self.known.iter()
    }
}

/// The fingerprints of findings, in their order.
///
/// Each rests on the rule's code, the path, the text of the primary line without its blanks and suppression
/// comment, and the values in backquotes in the message; several alike are numbered in the order of the file.
/// Line numbers, wording and other files do not count.
pub(crate) fn fingerprints(files: &Files, findings: &[Finding]) -> Vec<Fingerprint> {
    let keys: Vec<String> = findings.iter().map(|finding| key(files, finding)).collect();
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|index| (keys.get(*index), findings.get(*index).map(|f| f.primary.place)));
    let mut out = vec![Fingerprint(String::new()); findings.len()];
    let mut previous: Option<&String> = None;
    let mut ordinal = 0_usize;
    for index in order {
        let Some(key) = keys.get(index) else { continue };
        ordinal = if previous == Some(key) { ordinal + 1 } else { 0 };
        previous = Some(key);
        if let Some(slot) = out.get_mut(index) {
            *slot = hash(key, ordinal);
        }
    }
    out
}

fn key(files: &Files, finding: &Finding) -> String {
    let file = files.get(finding.primary.place.file);
    let line = file.line_text(file.line_of(finding.primary.place.span.start));
    let mut key = format!("{}\n{}\n{}", finding.rule.code, file.path(), normalised(line));
    for value in finding.message.split('`').skip(1).step_by(2) {
        key.push('\n');
        key.push_str(value);
    }
    key
}

/// A line without its suppression comment, its blanks made single.
pub(crate) fn normalised(line: &str) -> String {
    let code = match line.find("plimsoll:") {
        Some(at) => line
            .get(..at)
            .unwrap_or_default()
            .trim_end()
            .trim_end_matches(['#', '/', ';', '-', '<', '!', '*']),
        None => line,
    };
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn hash(key: &str, ordinal: usize) -> Fingerprint {
    let digest = Sha256::digest(format!("{key}\n{ordinal}"));
    Fingerprint(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use plimsoll_text::{Place, Span};

    use super::*;
    use crate::{Findings, registry};

    fn prints(text: &str, needles: &[&str], message: &str) -> Vec<Fingerprint> {
        let files = Files::new([("a.sh".into(), text.to_owned())]);
        let (id, _) = files.iter().next().unwrap();
        let mut out = Vec::new();
        let mut findings = Findings::new(registry::find("syntax-error").unwrap(), &mut out);
        let mut from = 0;
        for needle in needles {
            let at = from + text[from..].find(needle).unwrap();
            from = at + needle.len();
            let span = Span::new(u32::try_from(at).unwrap(), u32::try_from(from).unwrap());
            findings.add(Place::new(id, span), message);
        }
        fingerprints(&files, &out)
    }

    #[test]
    fn moved_and_reindented_lines_keep_their_fingerprint() {
        let before = prints("one\ntwo  three\n", &["three"], "bad `x`");
        let after = prints("zero\none\n\n   two three # plimsoll: ignore[A-1] x\n", &["three"], "worse: `x`");
        assert_eq!(before, after);
        assert_eq!(before[0].as_str().len(), 16);
    }

    #[test]
    fn other_text_or_another_value_gives_another_fingerprint() {
        let base = prints("two three\n", &["three"], "bad `x`");
        assert_ne!(base, prints("two tree\n", &["tree"], "bad `x`"));
        assert_ne!(base, prints("two three\n", &["three"], "bad `y`"));
    }

    #[test]
    fn equal_lines_are_told_apart_by_their_order() {
        let twice = prints("a\na\n", &["a", "a"], "bad");
        assert_ne!(twice[0], twice[1]);
        assert_eq!(twice[0], prints("a\n", &["a"], "bad")[0]);
    }
}
