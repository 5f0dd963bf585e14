//! Values with their origin.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use plimsoll_text::{Layer, Place, Spanned};

/// A resolved value: what it is, where it stands, and the variables that were put into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved<T> {
    /// The value after interpolation and merging.
    pub value: T,
    /// Where it is written (in the file that won, when several define it).
    pub place: Place,
    /// The variables that its text names, in order; inner ones of a default after the outer one.
    pub variables: Vec<Variable>,
}

impl<T> Resolved<T> {
    /// A value without variables.
    #[must_use]
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place, variables: Vec::new() }
    }

    /// The same origin with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Resolved<U> {
        Resolved { value: f(self.value), place: self.place, variables: self.variables }
    }

    /// The value with its place only.
    pub fn spanned(self) -> Spanned<T> {
        Spanned::new(self.value, self.place)
    }

    /// Whether the text is the same whatever the environment holds.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.variables.is_empty()
    }
}

/// A variable that a value names: `$NAME` or `${NAME…}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The operator after the name.
    pub operator: Operator,
    /// The `$NAME` or `${…}` itself.
    pub place: Place,
    /// Where its value came from.
    pub source: VariableSource,
    /// The text that was put in.
    pub value: String,
}

/// The operator of an interpolation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `$NAME` and `${NAME}`.
    None,
    /// `${NAME:-default}`, or `${NAME-default}` when `even_empty` is false.
    Default {
        /// The default as written.
        text: String,
        /// Whether an empty value counts as missing (`:-`).
        even_empty: bool,
    },
    /// `${NAME:?message}`, or `${NAME?message}` when `even_empty` is false.
    Required {
        /// The message as written.
        text: String,
        /// Whether an empty value counts as missing (`:?`).
        even_empty: bool,
    },
    /// `${NAME:+other}`, or `${NAME+other}` when `even_empty` is false.
    Alternate {
        /// The other value as written.
        text: String,
        /// Whether an empty value counts as missing (`:+`).
        even_empty: bool,
    },
}

/// What supplied the value of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VariableSource {
    /// The environment in which Compose is run.
    Shell,
    /// An entry of `.env`, of a file named with `--env-file` or of an include's `env_file`.
    EnvFile(Place),
    /// Compose itself (`COMPOSE_PROJECT_NAME`).
    Compose,
    /// The operator: the default or the alternate text.
    Operator,
    /// Nothing: Compose warns and puts in nothing.
    Unset,
}

/// A value of any shape, for what has no type of its own (`x-` extensions, driver options and rare keys).
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it is written.
    pub place: Place,
    /// The variables that its text names.
    pub variables: Vec<Variable>,
    /// The text with positions, when it is one.
    pub(crate) layer: Option<Layer>,
    /// The directory to which a path in it is relative.
    pub(crate) directory: Arc<Utf8Path>,
    /// What supplied the value of a variable that is only named.
    pub(crate) passed: Option<VariableSource>,
}

/// The shapes of values, scalars resolved by YAML's rules.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A mapping.
    Map(Map),
}

/// A mapping by key; each key knows its place.
pub type Map = BTreeMap<String, Item>;

/// An entry of a mapping.
#[derive(Clone, Debug)]
pub struct Item {
    /// Where the key is written.
    pub key: Place,
    /// The value.
    pub value: Value,
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl PartialEq for Value {
    /// Whether both say the same, wherever they are written.
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Value {
    /// A value without variables.
    pub(crate) fn new(kind: Kind, place: Place, directory: Arc<Utf8Path>) -> Self {
        Self { kind, place, variables: Vec::new(), layer: None, directory, passed: None }
    }

    /// Another value made of this one: same place, same variables.
    pub(crate) fn derived(&self, kind: Kind) -> Self {
        Self { kind, layer: None, ..self.clone() }
    }

    /// The value under a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.map()?.get(key).map(|item| &item.value)
    }

    /// The mapping.
    #[must_use]
    pub fn map(&self) -> Option<&Map> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items of a list; none for other kinds.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// A scalar as the text that Compose makes of it; nothing for null, lists and mappings.
    #[must_use]
    pub fn display(&self) -> Option<String> {
        match &self.kind {
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
            Kind::Bool(value) => Some(value.to_string()),
            Kind::Integer(value) => Some(value.to_string()),
            Kind::Float(value) if value.abs() >= 1e21 || (*value != 0.0 && value.abs() < 1e-4) => {
                Some(exponent(*value))
            }
            Kind::Float(value) => Some(value.to_string()),
            Kind::Text(text) => Some(text.clone()),
        }
    }

    /// The value with its origin.
    pub(crate) fn resolved<T>(&self, value: T) -> Resolved<T> {
        Resolved { value, place: self.place, variables: self.variables.clone() }
    }
}

/// A number with an exponent of two digits and a sign, as Go writes it.
fn exponent(value: f64) -> String {
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}
