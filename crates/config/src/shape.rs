//! The words in which the table of keys is written.

/// A mapping with known keys.
pub(crate) struct Table {
    /// What messages and the reference call it.
    pub(crate) name: &'static str,
    /// What it is for, one sentence.
    pub(crate) about: &'static str,
    /// Its keys, in the order of the reference.
    pub(crate) keys: &'static [Key],
}

/// A key of a mapping.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) need: Need,
    /// What it means, one or more sentences.
    pub(crate) about: &'static str,
}

/// Whether a key must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It must.
    Required,
    /// It need not; nothing is assumed.
    Optional,
    /// It need not; this is assumed.
    Default(&'static str),
}

/// What stands behind a key.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// Text that is not empty, with an example.
    Text(&'static str),
    /// Text of a given form.
    Form(Form),
    /// A whole number between two bounds.
    Whole(u64, u64),
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A list.
    List(&'static Shape),
    /// A list, or one item without the list.
    Some(&'static Shape),
    /// A mapping from names of a form to values.
    Map(Form, &'static Shape),
    /// A mapping with known keys.
    Table(&'static Table),
    /// A value, or a mapping that says more.
    Short(&'static Shape, &'static Table),
    /// One of several mappings, told apart by which of their first keys is there.
    Either(&'static [&'static Table]),
    /// One of several mappings, told apart by the word under a key.
    Tagged(&'static str, &'static [(&'static str, &'static Table)]),
}

/// A form of text: its pattern and its check are one thing, told in two ways.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    /// What it is, for messages: "a size such as `4GiB`".
    pub(crate) what: &'static str,
    /// The pattern for the schema.
    pub(crate) pattern: &'static str,
    /// Whether text has it.
    pub(crate) holds: fn(&str) -> bool,
}
