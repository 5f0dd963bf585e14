//! The tree.

use plimsoll_text::{Layer, Place, Spanned, SyntaxError};

/// An HCL file.
#[derive(Clone, Debug, Default)]
pub struct Hcl {
    /// The top level.
    pub body: Body,
    /// Comments with their text after `#` or `//`, or between `/*` and `*/`.
    pub comments: Vec<Spanned<String>>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// Attributes and blocks between braces.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// `name = expression` in order.
    pub attributes: Vec<Attribute>,
    /// Blocks in order.
    pub blocks: Vec<Block>,
}

/// `name = expression`.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The name.
    pub name: Spanned<String>,
    /// The value.
    pub value: Expression,
    /// All of it.
    pub place: Place,
}

/// `kind "label" { … }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// Such as `resource`.
    pub kind: Spanned<String>,
    /// Such as `proxmox_lxc` and `web`.
    pub labels: Vec<Spanned<String>>,
    /// What it holds.
    pub body: Body,
    /// All of it.
    pub place: Place,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// All of it.
    pub place: Place,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExpressionKind {
    /// A string without interpolation, escapes resolved.
    String(Layer),
    /// A string with `${…}` or `%{…}`, which stand as they were written.
    Template(Layer),
    /// `<<EOF` or `<<-EOF`; the body as it is used (indentation removed for `<<-`), interpolation as written.
    Heredoc(Layer),
    /// A number as written.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// `[…]`.
    List(Vec<Expression>),
    /// `{…}`.
    Object(Vec<(Expression, Expression)>),
    /// A name with attributes and indexes, such as `var.host` or `data.x.y[0].id`, as written.
    Reference(String),
    /// `name(…)`.
    Call {
        /// The function.
        name: Spanned<String>,
        /// Its arguments.
        arguments: Vec<Expression>,
    },
    /// Operators, conditions, `for`: what it is made of, in order.
    Other(Vec<Expression>),
}

impl Body {
    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Expression> {
        self.attribute(name).map(|attribute| &attribute.value)
    }

    /// The attribute with a name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.value == name)
    }

    /// The blocks of a kind directly inside.
    pub fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| block.kind.value == kind)
    }
}

impl Block {
    /// A label's text.
    #[must_use]
    pub fn label(&self, index: usize) -> Option<&str> {
        self.labels.get(index).map(|label| label.value.as_str())
    }
}

impl Expression {
    /// The text of a string, template or heredoc.
    #[must_use]
    pub fn layer(&self) -> Option<&Layer> {
        match &self.kind {
            ExpressionKind::String(layer)
            | ExpressionKind::Template(layer)
            | ExpressionKind::Heredoc(layer) => Some(layer),
            _ => None,
        }
    }

    /// The text of a string without interpolation.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ExpressionKind::String(layer) => Some(layer.text()),
            _ => None,
        }
    }

    /// A boolean, also one written as a string, which Terraform converts.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            ExpressionKind::Bool(value) => Some(*value),
            ExpressionKind::String(layer) => layer.text().parse().ok(),
            _ => None,
        }
    }

    /// A number, also one written as a string.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match &self.kind {
            ExpressionKind::Number(text) => text.parse().ok(),
            ExpressionKind::String(layer) => layer.text().parse().ok(),
            _ => None,
        }
    }

    /// The name of a reference, such as `var.host`.
    #[must_use]
    pub fn as_reference(&self) -> Option<&str> {
        match &self.kind {
            ExpressionKind::Reference(text) => Some(text),
            _ => None,
        }
    }

    /// The value under a key of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Expression> {
        let ExpressionKind::Object(entries) = &self.kind else { return None };
        entries
            .iter()
            .find(|(name, _)| name.as_str().or_else(|| name.as_reference()) == Some(key))
            .map(|(_, value)| value)
    }

    /// The expressions directly inside.
    #[must_use]
    pub fn children(&self) -> Vec<&Expression> {
        match &self.kind {
            ExpressionKind::List(items) | ExpressionKind::Other(items) => items.iter().collect(),
            ExpressionKind::Call { arguments, .. } => arguments.iter().collect(),
            ExpressionKind::Object(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
            _ => Vec::new(),
        }
    }
}
