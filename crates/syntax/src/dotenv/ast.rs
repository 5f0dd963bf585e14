//! The entries of a dotenv file. Spans are bytes of the outermost file.

use plimsoll_text::{Layer, Span, SyntaxError};

/// A dotenv file.
#[derive(Clone, Debug, Default)]
pub struct Dotenv {
    /// The entries in order; of two with one key the later wins.
    pub entries: Vec<Entry>,
    /// All comments in order, those after a value included.
    pub comments: Vec<Comment>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// A comment with its `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub span: Span,
    /// The text after `#`.
    pub text: String,
}

/// `KEY=value`, `KEY: value` or only `KEY`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name.
    pub key: String,
    /// Where the name stands.
    pub key_span: Span,
    /// The value; nothing for a bare `KEY`, which takes over the value of the environment if there is one.
    pub value: Option<Value>,
    /// From the name (or `export`) to the end of the value.
    pub span: Span,
    /// Whether `export` stands before the name.
    pub export: bool,
    /// The comment after the value on the same line.
    pub comment: Option<Comment>,
}

/// A value.
#[derive(Clone, Debug)]
pub struct Value {
    /// How it is quoted.
    pub quote: Quote,
    /// All of it, quotes included.
    pub span: Span,
    /// The text after quotes and escapes are resolved. Variables stand as written (none are resolved in single
    /// quotes), and `$$` stands for a dollar sign.
    pub layer: Layer,
}

/// How a value is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    /// Not at all: blanks around it and a comment after ` #` are dropped.
    None,
    /// `'…'`: variables are not resolved.
    Single,
    /// `"…"`.
    Double,
}

impl Value {
    /// The text, variables as written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.layer.text()
    }

    /// Whether variables inside it are resolved.
    #[must_use]
    pub fn interpolates(&self) -> bool {
        self.quote != Quote::Single
    }
}

impl Dotenv {
    /// The entry that decides a key: the last one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.key == key)
    }
}
