//! The word that was probably meant.

use plimsoll_text::distance;

/// The nearest of the known words, when it is near enough to be worth naming.
#[must_use]
pub fn similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Nobody mistypes a word this long; comparing it would cost its square.
    if word.len() > 64 {
        return None;
    }
    let limit = (word.chars().count() / 3).max(1);
    let near = known.into_iter().map(|candidate| (distance(word, candidate), candidate));
    near.filter(|(distance, _)| *distance <= limit).min().map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_finds_its_word_and_another_word_does_not() {
        let known = ["memory", "cores", "storage"];
        assert_eq!(similar("memroy", known), Some("memory"));
        assert_eq!(similar("core", known), Some("cores"));
        assert_eq!(similar("colour", known), None);
        assert_eq!(similar(&"m".repeat(1_000_000), known), None);
    }
}
