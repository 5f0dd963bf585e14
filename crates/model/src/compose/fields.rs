//! Taking typed fields out of a mapping.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_text::Place;

use super::load::{Report, join};
use super::{Bytes, EnvEntry, EnvOrigin, HostPath, Item, Kind, Map, ProblemKind, Resolved, Value, units};

/// A mapping from which fields are taken one by one; what nobody takes remains.
pub(super) struct Fields<'a> {
    map: Map,
    pub(super) report: &'a mut Report,
}

impl<'a> Fields<'a> {
    /// The fields of a mapping; none for other kinds.
    pub(super) fn of(value: Value, report: &'a mut Report) -> Self {
        let map = match value.kind {
            Kind::Map(map) => map,
            _ => Map::new(),
        };
        Self { map, report }
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Item> {
        self.map.remove(key).filter(|item| !item.value.is_null())
    }

    pub(super) fn value(&mut self, key: &str) -> Option<Value> {
        self.take(key).map(|item| item.value)
    }

    /// The value of a key of another type, reported when it cannot be one.
    fn parsed<T>(
        &mut self,
        key: &str,
        wanted: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Resolved<T>> {
        let value = self.value(key)?;
        match read(&value) {
            Some(read) => Some(value.resolved(read)),
            None => {
                // A text that nothing was put into (an unset variable) is as good as none.
                let shown = value.display().unwrap_or_default();
                let message = format!("`{key}` must be {wanted}, not `{shown}`");
                self.report.error(ProblemKind::Schema, value.place, message);
                None
            }
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Option<Resolved<String>> {
        self.parsed(key, "a text", Value::display)
    }

    pub(super) fn boolean(&mut self, key: &str) -> Option<Resolved<bool>> {
        self.parsed(key, "true or false", boolean)
    }

    pub(super) fn integer(&mut self, key: &str) -> Option<Resolved<i64>> {
        self.parsed(key, "a whole number", integer)
    }

    pub(super) fn number(&mut self, key: &str) -> Option<Resolved<f64>> {
        self.parsed(key, "a number", number)
    }

    pub(super) fn bytes(&mut self, key: &str) -> Option<Resolved<Bytes>> {
        self.parsed(key, "a size such as `512m`", |value| match value.kind {
            Kind::Integer(number) => u64::try_from(number).ok().map(Bytes),
            _ => units::bytes(&value.display()?),
        })
    }

    pub(super) fn duration(&mut self, key: &str) -> Option<Resolved<Duration>> {
        self.parsed(key, "a duration such as `1m30s`", |value| units::duration(value.text()?))
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<Resolved<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        texts(&value)
    }

    pub(super) fn text_map(&mut self, key: &str) -> BTreeMap<String, Resolved<String>> {
        let Some(value) = self.value(key) else { return BTreeMap::new() };
        text_map(&value)
    }

    pub(super) fn path(&mut self, key: &str) -> Option<Resolved<HostPath>> {
        let value = self.value(key)?;
        Some(value.resolved(host_path(&value)?))
    }

    /// What nobody took.
    pub(super) fn rest(self) -> BTreeMap<String, Value> {
        self.map
            .into_iter()
            .filter(|(_, item)| !item.value.is_null())
            .map(|(key, item)| (key, item.value))
            .collect()
    }
}

pub(super) fn boolean(value: &Value) -> Option<bool> {
    match &value.kind {
        Kind::Bool(value) => Some(*value),
        Kind::Text(text) => match text.as_str() {
            "1" | "t" | "T" | "true" | "True" | "TRUE" | "y" | "yes" | "on" => Some(true),
            "0" | "f" | "F" | "false" | "False" | "FALSE" | "n" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn integer(value: &Value) -> Option<i64> {
    match &value.kind {
        Kind::Integer(number) => Some(*number),
        Kind::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(*number as i64),
        Kind::Text(text) => text.parse().ok(),
        _ => None,
    }
}

pub(super) fn number(value: &Value) -> Option<f64> {
    match &value.kind {
        Kind::Integer(number) => Some(*number as f64),
        Kind::Float(number) => Some(*number),
        Kind::Text(text) => text.parse().ok(),
        _ => None,
    }
}

pub(super) fn texts(value: &Value) -> Vec<Resolved<String>> {
    value.items().iter().filter_map(|item| Some(item.resolved(item.display()?))).collect()
}

pub(super) fn text_map(value: &Value) -> BTreeMap<String, Resolved<String>> {
    let entries = value.map().into_iter().flatten();
    entries
        .map(|(key, item)| (key.clone(), item.value.resolved(item.value.display().unwrap_or_default())))
        .collect()
}

/// A path of the host.
pub(super) fn host_path(value: &Value) -> Option<HostPath> {
    let written = value.display()?;
    let mut start = written.chars();
    let is_drive = start.next().is_some_and(char::is_alphabetic) && start.next() == Some(':');
    if is_drive || written.starts_with("\\\\") {
        return Some(HostPath { resolved: written.clone().into(), written });
    }
    let resolved = join(&value.directory, &written);
    let resolved = if resolved.as_str().is_empty() { ".".into() } else { resolved };
    Some(HostPath { written, resolved })
}

/// A build context: a path, a URL, or the name of something else that can be built from.
pub(super) fn context_path(value: &Value) -> Option<HostPath> {
    let written = value.display()?;
    let remote = ["github.com/", "git@", "service:"];
    if written.contains("://") || remote.iter().any(|prefix| written.starts_with(prefix)) {
        return Some(HostPath { resolved: written.clone().into(), written });
    }
    host_path(value)
}

/// The entries of an environment or of build arguments.
pub(super) fn env_entries(value: &Value) -> BTreeMap<String, EnvEntry> {
    let mut entries = BTreeMap::new();
    for (key, item) in value.map().into_iter().flatten() {
        let value = &item.value;
        let entry = EnvEntry {
            key: key.clone(),
            value: value.display(),
            place: entry_place(item),
            value_place: if value.is_null() { item.key } else { value.place },
            origin: value.passed.map_or(EnvOrigin::Compose, EnvOrigin::PassedThrough),
            variables: value.variables.clone(),
        };
        entries.insert(key.clone(), entry);
    }
    entries
}

/// Key and value together where they stand together.
fn entry_place(item: &Item) -> Place {
    let (key, value) = (item.key, item.value.place);
    if key.file == value.file && value.span.start >= key.span.start {
        Place::new(key.file, key.span.cover(value.span))
    } else {
        value
    }
}
