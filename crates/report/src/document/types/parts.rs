//! The document and its parts.

use super::{Alternative, Diagram, Finding, Matrix, Proposal, Text};

/// An evaluation as a document, ready to be written in any format.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The title.
    pub title: String,
    /// The circumstances in one line: profile, files read, version of Plimsoll.
    pub subtitle: Text,
    /// The chapters in order.
    pub sections: Vec<Section>,
}

/// A chapter or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its anchor, without `#`; no two are the same.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What stands before its parts.
    pub blocks: Vec<Block>,
    /// Its parts in order.
    pub sections: Vec<Section>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph.
    Paragraph(Text),
    /// Items in no order.
    List(Vec<Text>),
    /// Items in order.
    Steps(Vec<Text>),
    /// A table.
    Table(Table),
    /// Findings in full, each with its code.
    Findings(Vec<Finding>),
    /// Findings in short: severity, place and message; excerpts may be folded away.
    Brief(Vec<Finding>),
    /// Attack paths as a drawing.
    Diagram(Diagram),
    /// A way to host the app.
    Alternative(Box<Alternative>),
    /// The decision matrix.
    Matrix(Matrix),
    /// A change.
    Proposal(Box<Proposal>),
    /// Where people write; see [`Notes`].
    Notes(Notes),
}

/// A table. Every row has as many cells as there are columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it shows, for people who cannot see it.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Text>>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Whether it holds numbers, which stand to the right.
    pub numeric: bool,
}

/// A place for people's notes, which survive when the document is made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notes {
    /// Its name, unique in the document.
    pub slot: String,
    /// What people wrote there, as Markdown, without blank lines around it; often nothing.
    pub text: String,
}
