//! The YAML tree. Spans are bytes of the outermost file.

use std::sync::Arc;

use plimsoll_text::{Layer, Span, SyntaxError};

/// A stream of YAML documents.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The documents that could be read.
    pub documents: Vec<Arc<Node>>,
    /// All comments in order.
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

/// A YAML node. Aliases are resolved: an alias is the anchored node itself with the alias's span.
#[derive(Clone, Debug)]
pub struct Node {
    /// The node's content (for an alias, the `*name`).
    pub span: Span,
    /// Its explicit tag, such as `!reset`.
    pub tag: Option<String>,
    /// Whether it came through an alias.
    pub alias: bool,
    /// What it is.
    pub kind: NodeKind,
}

/// The kinds of nodes.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A scalar.
    Scalar(Scalar),
    /// A sequence.
    Sequence {
        /// Its items.
        items: Vec<Arc<Node>>,
        /// Whether it is written `[a, b]`.
        flow: bool,
    },
    /// A mapping, entries in source order, merge keys (`<<`) as written.
    Mapping {
        /// Its entries.
        entries: Vec<Entry>,
        /// Whether it is written `{a: b}`.
        flow: bool,
    },
}

/// An entry of a mapping.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Arc<Node>,
    /// The value; a plain empty scalar where nothing is written.
    pub value: Arc<Node>,
}

/// A scalar.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The decoded value.
    pub value: String,
    /// How it is written.
    pub style: ScalarStyle,
    /// The decoded value with exact positions, for text inside it.
    pub layer: Layer,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarStyle {
    /// No quotes: may be a number, a boolean or null.
    Plain,
    /// `'…'`.
    SingleQuoted,
    /// `"…"`.
    DoubleQuoted,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
}

impl Node {
    /// The value under a key of a mapping, merge keys honoured (own keys win).
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Arc<Node>> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry under a key of a mapping, merge keys honoured (own keys win).
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        let NodeKind::Mapping { entries, .. } = &self.kind else { return None };
        entries.iter().find(|entry| entry.key.as_str() == Some(key)).or_else(|| {
            let merges = entries.iter().filter(|entry| entry.key.as_str() == Some("<<"));
            merges.flat_map(|entry| entry.value.merged()).find_map(|node| node.entry(key))
        })
    }

    /// The mappings that a merge key's value names.
    fn merged(self: &Arc<Self>) -> Vec<&Arc<Self>> {
        match &self.kind {
            NodeKind::Sequence { items, .. } => items.iter().collect(),
            _ => vec![self],
        }
    }

    /// Follows keys from mapping to mapping.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        let mut node = self;
        for key in path {
            node = node.get(key)?;
        }
        Some(node)
    }

    /// Own entries of a mapping (merge keys as entries); none for other kinds.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Mapping { entries, .. } => entries,
            _ => &[],
        }
    }

    /// Items of a sequence; none for other kinds.
    #[must_use]
    pub fn items(&self) -> &[Arc<Node>] {
        match &self.kind {
            NodeKind::Sequence { items, .. } => items,
            _ => &[],
        }
    }

    /// The decoded text of a scalar.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.scalar().map(|scalar| scalar.value.as_str())
    }

    /// The scalar.
    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether it is a mapping.
    #[must_use]
    pub fn is_mapping(&self) -> bool {
        matches!(self.kind, NodeKind::Mapping { .. })
    }

    /// Whether it is a sequence.
    #[must_use]
    pub fn is_sequence(&self) -> bool {
        matches!(self.kind, NodeKind::Sequence { .. })
    }

    /// Whether it is a plain scalar that YAML reads as null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.scalar().is_some_and(|scalar| {
            scalar.style == ScalarStyle::Plain
                && matches!(scalar.value.as_str(), "" | "~" | "null" | "Null" | "NULL")
        })
    }

    /// The boolean of a plain scalar, by the YAML 1.1 words that Compose and Ansible accept.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        let scalar = self.scalar()?;
        match scalar.value.as_str() {
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        }
    }
}
