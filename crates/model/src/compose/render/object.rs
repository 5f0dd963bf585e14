//! Building blocks: objects that leave out what Compose leaves out, scalars as Go writes them, paths.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::super::{HostPath, Kind, Resolved, Value};

/// An object that leaves out what Compose leaves out.
#[derive(Default)]
pub(super) struct Object(Map<String, Json>);

impl Object {
    pub(super) fn put(&mut self, key: &str, value: Json) {
        let is_empty = match &value {
            Json::Null => true,
            Json::Bool(value) => !value,
            Json::Number(number) => number.as_f64() == Some(0.0),
            Json::String(text) => text.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Object(map) => map.is_empty(),
        };
        if !is_empty {
            self.0.insert(key.to_owned(), value);
        }
    }

    /// A value that stays even if it is empty.
    pub(super) fn keep(&mut self, key: &str, value: Json) {
        self.0.insert(key.to_owned(), value);
    }

    pub(super) fn text(&mut self, key: &str, value: &Option<Resolved<String>>) {
        self.put(key, json!(value.as_ref().map(|value| &value.value)));
    }

    pub(super) fn flag(&mut self, key: &str, value: &Option<Resolved<bool>>) {
        self.put(key, json!(value.as_ref().map(|value| value.value)));
    }

    pub(super) fn texts(&mut self, key: &str, values: &[Resolved<String>]) {
        self.put(key, values.iter().map(|value| value.value.clone()).collect());
    }

    pub(super) fn duration(&mut self, key: &str, value: &Option<Resolved<Duration>>) {
        // Pointers: zero stays.
        if let Some(value) = value {
            self.keep(key, json!(go_duration(value.value)));
        }
    }

    pub(super) fn map(&mut self, key: &str, values: &BTreeMap<String, Resolved<String>>) {
        self.put(key, values.iter().map(|(key, value)| (key.clone(), json!(value.value))).collect());
    }

    /// Values without a type, except extensions.
    pub(super) fn rest(&mut self, values: &BTreeMap<String, Value>) {
        for (key, value) in values.iter().filter(|(key, _)| !key.starts_with("x-")) {
            self.put(key, plain(value));
        }
    }

    pub(super) fn json(self) -> Json {
        Json::Object(self.0)
    }
}

pub(super) fn doubled(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(text.replace('$', "$$")),
        Json::Array(items) => items.into_iter().map(doubled).collect(),
        Json::Object(map) => {
            map.into_iter().map(|(key, value)| (key.replace('$', "$$"), doubled(value))).collect()
        }
        other => other,
    }
}

pub(super) fn plain(value: &Value) -> Json {
    match &value.kind {
        Kind::Null => Json::Null,
        Kind::Bool(value) => json!(value),
        Kind::Integer(value) => json!(value),
        Kind::Float(value) => json!(value),
        Kind::Text(text) => json!(text),
        Kind::List(items) => items.iter().map(plain).collect(),
        Kind::Map(map) => map.iter().map(|(key, item)| (key.clone(), plain(&item.value))).collect(),
    }
}

/// Every scalar of a mapping as a text.
pub(super) fn texts_of(value: &Value) -> Json {
    let entries = value.map().into_iter().flatten();
    entries.map(|(key, item)| (key.clone(), json!(item.value.display().unwrap_or_default()))).collect()
}

/// Where the paths of a project stand on the machine for which it is rendered.
#[derive(Clone, Copy, Debug)]
pub struct Paths<'a> {
    /// The absolute directory that is the evaluated root.
    pub root: &'a str,
    /// The home directory of whoever runs Compose.
    pub home: &'a str,
}

impl Paths<'_> {
    pub(super) fn of(self, path: &HostPath) -> String {
        // Compose leaves absolute paths as they are written.
        if path.written.starts_with('/') || path.written.get(1..2) == Some(":") {
            return path.written.clone();
        }
        self.absolute(path.resolved.as_str())
    }

    pub(super) fn absolute(self, path: &str) -> String {
        if let Some(rest) = path.strip_prefix('~') {
            return format!("{}{rest}", self.home);
        }
        if path.starts_with('/')
            || path.contains("://")
            || path.starts_with("git@")
            || path.starts_with("github.com/")
        {
            return path.to_owned();
        }
        let mut parts: Vec<&str> = self.root.split('/').collect();
        for part in path.split('/').filter(|part| *part != ".") {
            if part == ".." {
                parts.truncate(parts.len().saturating_sub(1).max(1));
            } else {
                parts.push(part);
            }
        }
        parts.join("/")
    }
}

pub(super) fn go_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let fraction = |value: u128, unit: u128| {
        let text = format!("{}.{:0width$}", value / unit, value % unit, width = unit.ilog10() as usize);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", fraction(nanos, 1_000_000)),
        _ => {
            let seconds = fraction(nanos % 60_000_000_000, 1_000_000_000);
            let minutes = nanos / 60_000_000_000;
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

pub(super) fn size(text: &str) -> i64 {
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
    let factor =
        match text.get(digits.len()..).unwrap_or_default().chars().next().map(|c| c.to_ascii_lowercase()) {
            Some('k') => 1 << 10,
            Some('m') => 1 << 20,
            Some('g') => 1 << 30,
            _ => 1,
        };
    digits.parse::<i64>().unwrap_or_default().saturating_mul(factor)
}
