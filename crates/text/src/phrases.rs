//! Many words looked for at once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aho_corasick::{AhoCorasick, MatchKind, packed};
use memchr::memmem;

use crate::SourceFile;

/// A set of phrases that texts are searched for, mostly without regard to the case of ASCII letters.
///
/// One pass over a text finds all of them; a set is built once and kept in a static, so that a rule which looks
/// through every file costs little more than reading the bytes.
///
/// A file remembers what was found in it: sets of files that share it (see [`crate::Files::with_texts`]) search it once.
#[derive(Debug)]
pub struct Phrases {
    number: u32,
    phrases: Vec<String>,
    /// Whether capital letters count.
    exact: bool,
    /// For a phrase alone.
    single: Option<memmem::Finder<'static>>,
    /// Compares many bytes at a time; not for every set nor on every processor.
    wide: Option<packed::Searcher>,
    automaton: OnceLock<Option<AhoCorasick>>,
}

/// What sets of phrases found in one file, by the number of the set.
#[derive(Debug, Default)]
pub(crate) struct Searches {
    found: Mutex<Vec<(u32, bool)>>,
    lines: Mutex<Vec<(u32, Arc<[usize]>)>>,
}

/// What is known under a number, or is found out and known from now on.
fn known<T: Clone>(all: &Mutex<Vec<(u32, T)>>, number: u32, search: impl FnOnce() -> T) -> T {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, known)) = all.iter().find(|(known, _)| *known == number) {
        return known.clone();
    }
    let found = search();
    all.push((number, found.clone()));
    found
}

impl Phrases {
    /// The set of these phrases.
    pub fn new(phrases: &[&str]) -> Self {
        Self::of(phrases.iter().map(|phrase| phrase.to_ascii_lowercase()).collect(), false)
    }

    /// The set of these phrases as they are written, capital letters and all.
    pub fn exact(phrases: &[&str]) -> Self {
        Self::of(phrases.iter().map(|phrase| (*phrase).to_owned()).collect(), true)
    }

    fn of(phrases: Vec<String>, exact: bool) -> Self {
        static SETS: AtomicU32 = AtomicU32::new(0);
        let phrases = shortest(phrases);
        let single = match phrases.as_slice() {
            [only] => Some(memmem::Finder::new(only).into_owned()),
            _ => None,
        };
        let wide = if single.is_none() { packed::Searcher::new(&phrases) } else { None };
        let number = SETS.fetch_add(1, Ordering::Relaxed);
        Self { number, phrases, exact, single, wide, automaton: OnceLock::new() }
    }

    fn text<'a>(&self, file: &'a SourceFile) -> &'a str {
        if self.exact { file.text() } else { file.lowercase() }
    }

    /// Whether a file holds one of them.
    #[must_use]
    pub fn are_in(&self, file: &SourceFile) -> bool {
        known(&file.searches().found, self.number, || self.find(self.text(file)).next().is_some())
    }

    /// Whether a text holds one of them.
    #[must_use]
    pub fn are_in_text(&self, text: &str) -> bool {
        if self.exact {
            return self.find(text).next().is_some();
        }
        self.find(&text.to_ascii_lowercase()).next().is_some()
    }

    /// The lines (counted from 0) of a file that hold one of them, in order, each once.
    pub fn lines(&self, file: &SourceFile) -> impl Iterator<Item = usize> + use<> {
        let lines: Arc<[usize]> = known(&file.searches().lines, self.number, || {
            let lines =
                self.find(self.text(file)).map(|at| file.line_of(u32::try_from(at).unwrap_or(u32::MAX)));
            let mut lines: Vec<usize> = lines.collect();
            lines.dedup();
            lines.into()
        });
        (0..lines.len()).filter_map(move |at| lines.get(at).copied())
    }

    /// Where they begin, in order, in a text that is written as they are.
    fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let single = self.single.as_ref().map(|single| single.find_iter(text.as_bytes()));
        let wide = self.wide.as_ref().map(|wide| wide.find_iter(text));
        let automaton = if single.is_none() && wide.is_none() { self.automaton() } else { None };
        let narrow = automaton.map(|automaton| automaton.find_iter(text));
        let several = wide.into_iter().flatten().chain(narrow.into_iter().flatten());
        single.into_iter().flatten().chain(several.map(|found| found.start()))
    }

    /// Refused for sets of gigabytes only.
    fn automaton(&self) -> Option<&AhoCorasick> {
        let build = || AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(&self.phrases).ok();
        self.automaton.get_or_init(build).as_ref()
    }
}

/// The phrases without those that hold another one: where they stand, it stands. The fewer, the faster.
fn shortest(mut phrases: Vec<String>) -> Vec<String> {
    phrases.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    let mut kept: Vec<String> = Vec::new();
    for phrase in phrases {
        if !kept.iter().any(|short| phrase.contains(short.as_str())) {
            kept.push(phrase);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Files;

    #[test]
    fn a_phrase_that_holds_another_is_found_by_it() {
        let phrases = ["api_key", "_key", "token", "token", "access-token"].map(str::to_owned);
        assert_eq!(shortest(phrases.to_vec()), ["_key", "token"]);
    }

    #[test]
    fn phrases_are_found_in_any_case_and_each_line_once() {
        let files = Files::new([("a.txt".into(), "one ALPHA alpha\ntwo\nBeta\n\nalphabeta".to_owned())]);
        let phrases = Phrases::new(&["Alpha", "beta"]);
        for (_, file) in files.iter() {
            assert_eq!(phrases.lines(file).collect::<Vec<_>>(), [0, 2, 4]);
            assert!(phrases.are_in(file) && phrases.are_in(file));
            assert!(!Phrases::new(&["gamma"]).are_in(file));
        }
        assert!(phrases.are_in_text("no ALPHABET"));
        assert!(!phrases.are_in_text("alph"));
        let exact = Phrases::exact(&["Beta"]);
        for (_, file) in files.iter() {
            assert_eq!(exact.lines(file).collect::<Vec<_>>(), [2]);
            assert_eq!(phrases.lines(file).collect::<Vec<_>>(), [0, 2, 4], "each set has its own memory");
        }
        let changed = files.with_texts(files.iter().map(|(id, _)| (id, "alpha".to_owned())));
        for (_, file) in changed.iter() {
            assert_eq!(phrases.lines(file).collect::<Vec<_>>(), [0], "another text is searched anew");
        }
        assert!(!exact.are_in_text("beta"));
    }
}
