//! What a rule says.

use plimsoll_text::{Applicability, Fix, Place};

use crate::{Confidence, FixKind, Rule, Severity};

/// A rule that fired, with its evidence.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is here.
    pub severity: Severity,
    /// How sure it is here.
    pub confidence: Confidence,
    /// What is wrong here, one sentence without a full stop, values in backquotes.
    pub message: String,
    /// The place to change.
    pub primary: Label,
    /// The facts that make it wrong, in the order of the argument, each at its own place.
    pub related: Vec<Label>,
    /// What happens if nothing is done, when the page cannot say it as exactly.
    pub notes: Vec<String>,
    /// What to do here, one sentence in the imperative without a full stop.
    pub help: Option<String>,
    /// Secret text that no report may show; it is shown as asterisks wherever its line is printed.
    pub masked: Vec<Place>,
    /// The change that mends it, where a machine can make it.
    pub fix: Option<Fix>,
}

/// A place with what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What it shows, a short fragment.
    pub text: String,
}

/// Collects the findings of one rule.
#[derive(Debug)]
pub struct Findings<'a> {
    rule: &'static Rule,
    out: &'a mut Vec<Finding>,
}

impl<'a> Findings<'a> {
    /// A collector for a rule that appends to `out`.
    pub fn new(rule: &'static Rule, out: &'a mut Vec<Finding>) -> Self {
        Self { rule, out }
    }

    /// Adds a finding at a place and gives it back to be refined.
    pub fn add(&mut self, place: Place, message: impl Into<String>) -> &mut Finding {
        self.out.push_mut(Finding {
            rule: self.rule,
            severity: self.rule.severity,
            confidence: self.rule.confidence,
            message: message.into(),
            primary: Label { place, text: String::new() },
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            masked: Vec::new(),
            fix: None,
        })
    }
}

impl Finding {
    /// Says what the primary place shows.
    pub fn label(&mut self, text: impl Into<String>) -> &mut Self {
        self.primary.text = text.into();
        self
    }

    /// Adds a fact with its place.
    pub fn related(&mut self, place: Place, text: impl Into<String>) -> &mut Self {
        self.related.push(Label { place, text: text.into() });
        self
    }

    /// Adds what happens if nothing is done, or another remark.
    pub fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.notes.push(text.into());
        self
    }

    /// Says what to do here.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(text.into());
        self
    }

    /// Keeps the text at a place out of all reports.
    pub fn mask(&mut self, place: Place) -> &mut Self {
        self.masked.push(place);
        self
    }

    /// Adds the change that mends it; nothing, or a change without edits, is no fix.
    pub fn fix(&mut self, fix: impl Into<Option<Fix>>) -> &mut Self {
        self.fix = fix.into().filter(|fix| !fix.edits.is_empty());
        self
    }

    /// What a machine can do about it here.
    #[must_use]
    pub fn fix_kind(&self) -> FixKind {
        match self.fix.as_ref().map(|fix| fix.applicability) {
            None => FixKind::None,
            Some(Applicability::Review) => FixKind::Suggest,
            Some(Applicability::Safe) => FixKind::Safe,
        }
    }

    /// Sets how bad it is here.
    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }

    /// Sets how sure it is here.
    pub fn confidence(&mut self, confidence: Confidence) -> &mut Self {
        self.confidence = confidence;
        self
    }
}
