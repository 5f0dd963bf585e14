//! Text with marked words.

/// A run of words, all marked alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Plain words.
    Words(String),
    /// Words that weigh more.
    Strong(String),
    /// A name, value or command as it is written in a file or a terminal.
    Code(String),
    /// A line of a file.
    Place(Position),
    /// Another part of the document.
    Anchor {
        /// Its anchor, without `#`.
        id: String,
        /// The words that lead there.
        words: String,
    },
    /// A published source.
    Link {
        /// The words that lead there.
        words: String,
        /// Where to read it.
        url: String,
    },
}

/// Text of one paragraph, item or cell; no line breaks, no control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Inline>);

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Path relative to the evaluated root.
    pub path: String,
    /// Line, counted from 1.
    pub line: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

impl Text {
    /// Reads text in which backquotes mark code.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::default().and(text)
    }

    /// Adds text in which backquotes mark code.
    #[must_use]
    pub fn and(mut self, text: &str) -> Self {
        // An odd number of backquotes marks nothing.
        let marks = text.matches('`').count().is_multiple_of(2);
        let parts: Vec<&str> = if marks { text.split('`').collect() } else { vec![text] };
        for (index, part) in parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty()) {
            let part = crate::source::printable(part).into_owned();
            self.0.push(if index % 2 == 1 { Inline::Code(part) } else { Inline::Words(part) });
        }
        self
    }

    /// Adds words that weigh more.
    #[must_use]
    pub fn strong(mut self, text: impl Into<String>) -> Self {
        self.0.push(Inline::Strong(text.into()));
        self
    }

    /// Adds code.
    #[must_use]
    pub fn code(mut self, text: &str) -> Self {
        self.0.push(Inline::Code(crate::source::printable(text).into_owned()));
        self
    }

    /// Adds a line of a file.
    #[must_use]
    pub fn place(mut self, position: Position) -> Self {
        self.0.push(Inline::Place(position));
        self
    }

    /// Adds the way to another part of the document.
    #[must_use]
    pub fn anchor(mut self, id: impl Into<String>, words: impl Into<String>) -> Self {
        self.0.push(Inline::Anchor { id: id.into(), words: words.into() });
        self
    }

    /// Adds a source; one without an address is said in plain words.
    #[must_use]
    pub fn link(mut self, words: &str, url: &str) -> Self {
        if url.is_empty() {
            return self.and(words);
        }
        self.0.push(Inline::Link { words: words.to_owned(), url: url.to_owned() });
        self
    }

    /// The anchors that it leads to.
    pub fn anchors(&self) -> impl Iterator<Item = String> {
        self.0.iter().filter_map(|inline| match inline {
            Inline::Anchor { id, .. } => Some(id.clone()),
            _ => None,
        })
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::of(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backquotes_mark_code_and_a_stray_one_marks_nothing() {
        assert_eq!(
            Text::of("`a` is b"),
            Text(vec![Inline::Code("a".to_owned()), Inline::Words(" is b".to_owned())])
        );
        assert_eq!(Text::of("5` wide"), Text(vec![Inline::Words("5` wide".to_owned())]));
    }
}
