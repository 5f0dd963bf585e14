//! What people write into the document, kept when it is made anew.

use std::collections::BTreeMap;

use super::Notes;

/// The first line of each document that Plimsoll writes.
pub const MARK: &str = "<!-- plimsoll:document -->";

const BEGIN: &str = "<!-- plimsoll:notes ";
const END: &str = "<!-- /plimsoll:notes -->";

/// Whether a file is a document of Plimsoll, Markdown or HTML.
#[must_use]
pub fn is_own(text: &str) -> bool {
    text.lines().take(2).any(|line| line.trim_end() == MARK)
}

/// A slot with what is written there.
#[must_use]
pub fn slot(notes: &Notes) -> String {
    let text = if notes.text.is_empty() { String::new() } else { format!("\n{}\n", notes.text) };
    format!("{BEGIN}{} -->\n{text}{}{END}", notes.slot, if text.is_empty() { "" } else { "\n" })
}

/// What people wrote into a document, by slot; of two slots with one name both texts.
///
/// # Errors
///
/// The first slot that is not closed, or begins inside another: what follows could not be told from notes.
pub fn read(text: &str) -> Result<BTreeMap<String, String>, UnclosedSlot> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut open: Option<(String, usize, Vec<&str>)> = None;
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        let begins = trimmed.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix("-->")).map(str::trim);
        match (&mut open, begins) {
            (Some((name, line, _)), Some(_)) => {
                return Err(UnclosedSlot { slot: name.clone(), line: *line });
            }
            (None, Some(name)) => open = Some((name.to_owned(), number + 1, Vec::new())),
            (Some((_, _, lines)), None) if trimmed != END => lines.push(line),
            (Some(_), None) => {
                if let Some((name, _, lines)) = open.take() {
                    let text = lines.join("\n");
                    let text = text.trim_matches('\n').trim_end();
                    let known = found.entry(name).or_default();
                    let gap = if known.is_empty() || text.is_empty() { "" } else { "\n\n" };
                    known.push_str(gap);
                    known.push_str(text);
                }
            }
            (None, None) => {}
        }
    }
    match open {
        Some((slot, line, _)) => Err(UnclosedSlot { slot, line }),
        None => Ok(found),
    }
}

/// A slot without an end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the notes `{slot}` that begin in line {line} have no `<!-- /plimsoll:notes -->`")]
pub struct UnclosedSlot {
    /// Its name.
    pub slot: String,
    /// Where it begins, counted from 1.
    pub line: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, text: &str) -> String {
        slot(&Notes { slot: name.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn what_is_written_is_read_again() {
        let document = format!("{MARK}\n# A\n{}\nb\n{}\n", written("a", ""), written("b", "one\n\n  two"));
        let notes = read(&document).unwrap();
        assert_eq!(notes["a"], "");
        assert_eq!(notes["b"], "one\n\n  two");
        assert!(is_own(&document));
        assert!(is_own(&format!("<!doctype html>\n{MARK}\n")));
        assert!(!is_own("# Evaluation\n"));
    }

    #[test]
    fn a_slot_without_an_end_is_refused() {
        assert_eq!(
            read("a\n<!-- plimsoll:notes b -->\nc\n"),
            Err(UnclosedSlot { slot: "b".to_owned(), line: 2 })
        );
        let nested = "<!-- plimsoll:notes a -->\n<!-- plimsoll:notes b -->\n<!-- /plimsoll:notes -->\n";
        assert_eq!(read(nested).unwrap_err().slot, "a");
    }

    #[test]
    fn two_slots_with_one_name_lose_nothing() {
        let notes = read(&format!("{}\n{}\n", written("a", "one"), written("a", "two"))).unwrap();
        assert_eq!(notes["a"], "one\n\ntwo");
    }
}
