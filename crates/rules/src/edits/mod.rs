//! Building blocks of fixes: edits that follow the indentation and the quoting around them.
//!
//! An edit that a building block cannot make well is not made at all: then there is no fix.

mod command;
mod environment;
mod lines;
mod yaml;

#[cfg(test)]
pub(crate) mod testing;

pub(crate) use command::*;
pub(crate) use environment::*;
pub(crate) use lines::*;
pub(crate) use yaml::*;

use plimsoll_model::{Facts, Kind};
use plimsoll_text::{Applicability, Edit, Fix, Place};

/// Whether a place stands in a Compose file of its own; services that Terraform or a script defines have places in
/// files that are written otherwise.
pub(crate) fn is_in_compose_file(facts: &Facts, place: Place) -> bool {
    facts.trees.kind(place.file) == Kind::Compose
}

/// A fix that keeps every behaviour that anyone wants; nothing when an edit could not be made.
pub(crate) fn safe(title: impl Into<String>, edits: Option<Vec<Edit>>) -> Option<Fix> {
    fix(title.into(), Applicability::Safe, edits)
}

/// A fix that needs a decision; nothing when an edit could not be made.
pub(crate) fn review(title: impl Into<String>, edits: Option<Vec<Edit>>) -> Option<Fix> {
    fix(title.into(), Applicability::Review, edits)
}

fn fix(title: String, applicability: Applicability, edits: Option<Vec<Edit>>) -> Option<Fix> {
    let edits = edits.filter(|edits| !edits.is_empty())?;
    Some(Fix { title, applicability, edits })
}
