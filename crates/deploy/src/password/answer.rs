//! What a server says of two passwords.

/// Which of two values a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Only the one before.
    Old,
    /// Only the new one.
    New,
    /// Both, or different ones of different users.
    Both,
    /// Any: it asks for no password where it was tried.
    Any,
    /// Neither.
    Neither,
    /// It does not answer.
    Silent,
}

impl Answer {
    fn of(word: &str) -> Option<Self> {
        let all = [
            ("old", Self::Old),
            ("new", Self::New),
            ("both", Self::Both),
            ("any", Self::Any),
            ("neither", Self::Neither),
            ("silent", Self::Silent),
        ];
        all.into_iter().find(|(name, _)| *name == word).map(|(_, answer)| answer)
    }

    /// Reads `@password ANSWER`, a line for each user.
    pub(super) fn parse(text: &str) -> Self {
        let words = text.lines().filter_map(|line| line.strip_prefix("@password "));
        let answers: Vec<Self> = words.filter_map(|word| Self::of(word.trim())).collect();
        match answers.as_slice() {
            [] => Self::Silent,
            [first, rest @ ..] if rest.iter().all(|answer| answer == first) => *first,
            all => {
                let bad = all.iter().find(|answer| matches!(answer, Self::Neither | Self::Silent));
                bad.copied().unwrap_or(Self::Both)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_that_differ_are_in_the_middle_of_a_change() {
        let of = |words: &[&str]| {
            Answer::parse(&words.iter().map(|word| format!("@password {word}\n")).collect::<String>())
        };
        assert_eq!(of(&["new", "new"]), Answer::New);
        assert_eq!(of(&["new", "old"]), Answer::Both);
        assert_eq!(of(&["neither", "old"]), Answer::Neither);
        assert_eq!((of(&[]), of(&["?"])), (Answer::Silent, Answer::Silent));
    }
}
