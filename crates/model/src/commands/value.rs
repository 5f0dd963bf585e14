//! What a word stands for, as far as files can tell.

use plimsoll_text::Place;

/// The text of a word after variables are followed, and where its parts come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// The text; what cannot be known stands as `${NAME}` or `$(…)`.
    pub text: String,
    /// Where the parts come from, in order; empty for a literal.
    pub sources: Vec<Source>,
}

/// Where a part of a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Assigned in the files.
    Assigned {
        /// The variable.
        name: String,
        /// The assignment.
        place: Place,
    },
    /// Taken from the environment, with a default in the files.
    Default {
        /// The variable.
        name: String,
        /// The default's text.
        place: Place,
    },
    /// Taken from the environment or from nowhere the files show.
    Environment {
        /// The variable.
        name: String,
    },
    /// An argument of the script or function (`$1`, `$@`).
    Argument {
        /// The parameter.
        name: String,
    },
    /// Typed in by a person (`read`).
    Input {
        /// The variable.
        name: String,
    },
    /// The output of a command.
    Output {
        /// The command's text.
        text: String,
        /// Where it stands.
        place: Place,
    },
}

impl Value {
    /// A value that is what it says.
    #[must_use]
    pub fn literal(text: impl Into<String>) -> Self {
        Self { text: text.into(), sources: Vec::new() }
    }

    /// Whether the whole text is known, taking defaults at their word.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.sources.iter().all(|source| matches!(source, Source::Assigned { .. } | Source::Default { .. }))
    }

    /// Whether somebody other than the files' author decides a part: environment, argument or input.
    #[must_use]
    pub fn is_from_outside(&self) -> bool {
        self.sources.iter().any(|source| {
            matches!(
                source,
                Source::Default { .. }
                    | Source::Environment { .. }
                    | Source::Argument { .. }
                    | Source::Input { .. }
            )
        })
    }

    /// Appends another value.
    pub fn push(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.sources.extend(other.sources);
    }
}
