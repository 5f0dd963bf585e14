//! Why something is said.

use plimsoll_text::Place;

/// A fact that a statement rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Where it can be seen; nothing when it follows from what no file says.
    pub place: Option<Place>,
    /// What it says, one fragment without a full stop.
    pub text: String,
    /// The rule that found it, when one did.
    pub rule: Option<&'static str>,
}

impl Evidence {
    /// A fact at a place.
    #[must_use]
    pub fn at(place: Place, text: impl Into<String>) -> Self {
        Self { place: Some(place), text: text.into(), rule: None }
    }

    /// Something that holds because nothing in the files says otherwise.
    #[must_use]
    pub fn nowhere(text: impl Into<String>) -> Self {
        Self { place: None, text: text.into(), rule: None }
    }

    /// The evidence of a finding.
    #[must_use]
    pub fn of(finding: &plimsoll_rules::Finding) -> Self {
        Self {
            place: Some(finding.primary.place),
            text: finding.message.clone(),
            rule: Some(finding.rule.code),
        }
    }
}

/// A published source of a number or of a statement about the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Document and section.
    pub title: &'static str,
    /// Where to read it; empty for a measurement of this project.
    pub url: &'static str,
}
