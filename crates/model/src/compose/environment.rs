//! The variables that interpolation sees.

use std::collections::BTreeMap;

use plimsoll_syntax::dotenv::Dotenv;
use plimsoll_text::Place;

use super::interpolate::{Mistake, interpolate};
use super::{Variable, VariableSource};

/// Variables with what supplied them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    entries: BTreeMap<String, (String, VariableSource)>,
}

impl Environment {
    /// The environment in which Compose is run.
    pub fn from_shell(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let entries = variables.into_iter().map(|(key, value)| (key, (value, VariableSource::Shell)));
        Self { entries: entries.collect() }
    }

    /// The value of a variable and what supplied it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<(&str, VariableSource)> {
        self.entries.get(name).map(|(value, source)| (value.as_str(), *source))
    }

    /// All variables in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, VariableSource)> {
        self.entries.iter().map(|(name, (value, source))| (name.as_str(), value.as_str(), *source))
    }

    /// Sets a variable whatever it was.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>, source: VariableSource) {
        self.entries.insert(name.into(), (value.into(), source));
    }

    /// Takes over the variables that are not set yet.
    pub(super) fn fill(&mut self, others: Self) {
        for (name, entry) in others.entries {
            self.entries.entry(name).or_insert(entry);
        }
    }
}

/// A variable of a dotenv file after interpolation.
pub(super) struct Evaluated {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) entry: Place,
    pub(super) value_place: Place,
    pub(super) variables: Vec<Variable>,
}

/// Resolves a dotenv file in order: each value sees `lookup` first, then the entries above it. A bare name takes over
/// the value that `lookup` has.
pub(super) fn evaluate(
    file: &Dotenv,
    id: plimsoll_text::FileId,
    lookup: &dyn Fn(&str) -> Option<(String, VariableSource)>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Evaluated> {
    let mut own: BTreeMap<String, (String, VariableSource)> = BTreeMap::new();
    let mut evaluated = Vec::new();
    for entry in &file.entries {
        let place = Place::new(id, entry.span);
        let key_place = Place::new(id, entry.key_span);
        let source = VariableSource::EnvFile(place);
        let (value, value_place, variables) = match &entry.value {
            None => match lookup(&entry.key) {
                Some((value, _)) => (value, key_place, Vec::new()),
                None => continue,
            },
            Some(value) if !value.interpolates() => {
                (value.text().to_owned(), Place::new(id, value.span), Vec::new())
            }
            Some(value) => {
                let both = |name: &str| lookup(name).or_else(|| own.get(name).cloned());
                let done = interpolate(&value.layer, &both);
                mistakes.extend(done.mistakes);
                (done.layer.text().to_owned(), Place::new(id, value.span), done.variables)
            }
        };
        own.insert(entry.key.clone(), (value.clone(), source));
        evaluated.push(Evaluated { key: entry.key.clone(), value, entry: place, value_place, variables });
    }
    evaluated
}
