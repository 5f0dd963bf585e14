//! Many words looked for at once.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind, packed};

use crate::SourceFile;

/// A set of phrases that texts are searched for, without regard to the case of ASCII letters.
///
/// One pass over a text finds all of them; a set is built once and kept in a static, so that a rule which looks
/// through every file costs little more than reading the bytes.
#[derive(Debug)]
pub struct Phrases {
    phrases: Vec<String>,
    /// Compares many bytes at a time; not for every set nor on every processor.
    wide: Option<packed::Searcher>,
    automaton: OnceLock<Option<AhoCorasick>>,
}

impl Phrases {
    /// The set of these phrases; of two that begin at one byte the earlier in the list is found.
    pub fn new(phrases: &[&str]) -> Self {
        let phrases: Vec<String> = phrases.iter().map(|phrase| phrase.to_ascii_lowercase()).collect();
        let wide = packed::Searcher::new(&phrases);
        Self { phrases, wide, automaton: OnceLock::new() }
    }

    /// Whether a file holds one of them.
    #[must_use]
    pub fn are_in(&self, file: &SourceFile) -> bool {
        self.find(file.lowercase()).next().is_some()
    }

    /// Whether a text holds one of them.
    #[must_use]
    pub fn are_in_text(&self, text: &str) -> bool {
        self.find(&text.to_ascii_lowercase()).next().is_some()
    }

    /// The lines (counted from 0) of a file that hold one of them, in order, each once.
    pub fn lines<'a>(&'a self, file: &'a SourceFile) -> impl Iterator<Item = usize> + 'a {
        let mut last = None;
        self.find(file.lowercase()).filter_map(move |at| {
            let line = file.line_of(u32::try_from(at).unwrap_or(u32::MAX));
            (last.replace(line) != Some(line)).then_some(line)
        })
    }

    /// Where they begin, in order, in a text without capital letters.
    fn find<'a>(&'a self, lowercase: &'a str) -> impl Iterator<Item = usize> + 'a {
        let wide = self.wide.as_ref().map(|wide| wide.find_iter(lowercase));
        let automaton = if wide.is_none() { self.automaton() } else { None };
        let narrow = automaton.map(|automaton| automaton.find_iter(lowercase));
        wide.into_iter().flatten().chain(narrow.into_iter().flatten()).map(|found| found.start())
    }

    /// Refused for sets of gigabytes only.
    fn automaton(&self) -> Option<&AhoCorasick> {
        let build = || AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&self.phrases).ok();
        self.automaton.get_or_init(build).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files;

    #[test]
    fn phrases_are_found_in_any_case_and_each_line_once() {
        let files = Files::new([("a.txt".into(), "one ALPHA alpha\ntwo\nBeta\n\nalphabeta".to_owned())]);
        let phrases = Phrases::new(&["Alpha", "beta"]);
        for (_, file) in files.iter() {
            assert_eq!(phrases.lines(file).collect::<Vec<_>>(), [0, 2, 4]);
            assert!(phrases.are_in(file));
            assert!(!Phrases::new(&["gamma"]).are_in(file));
        }
        assert!(phrases.are_in_text("no ALPHABET"));
        assert!(!phrases.are_in_text("alph"));
    }
}
