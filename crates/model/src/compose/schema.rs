//! What the Compose specification allows where.

use super::canonical::is_key_value;
use super::load::Report;
use super::path::Path;
use super::{Kind, ProblemKind, Value, unique, units};

mod table;

use table::{FILE, SERVICE};

/// What a value may be.
pub(super) enum Shape {
    Anything,
    Text,
    Boolean,
    Integer,
    Number,
    /// A text with a duration.
    Duration,
    /// A text or a number.
    TextOrNumber,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Nothing, or this.
    Nullable(&'static Shape),
    List(&'static Shape),
    /// A list without equal items.
    Set(&'static Shape),
    /// A mapping with free keys.
    Map(&'static Shape),
    /// A mapping with free keys that are names of services, volumes and the like.
    Named(&'static Shape),
    /// A mapping with these keys, and `x-` keys.
    Object(&'static [(&'static str, Shape)]),
    /// The same, and these keys must be there.
    Record(&'static [&'static str], &'static [(&'static str, Shape)]),
    /// Any of these.
    Either(&'static [Shape]),
}

/// Reports what the specification does not allow in a file.
pub(super) fn check(model: &Value, report: &mut Report) {
    Check { report }.value(model, &FILE, &mut Path::default());
    if let Some(map) = model.map()
        && let Some(version) = map.get("version")
    {
        report.warning(ProblemKind::Obsolete, version.key, "`version` is obsolete and has no effect");
    }
}

/// Reports what the specification does not allow in a service that is in canonical form.
pub(super) fn check_service(service: &Value, name: &str, report: &mut Report) {
    Check { report }.value(service, &Shape::Object(SERVICE), &mut Path::of(&["services", name]));
}

struct Check<'a> {
    report: &'a mut Report,
}

impl Check<'_> {
    fn refuse(&mut self, value: &Value, path: &Path, wanted: &str) {
        self.report.error(ProblemKind::Schema, value.place, format!("{path} must be {wanted}"));
    }

    fn value(&mut self, value: &Value, shape: &Shape, path: &mut Path) {
        if !shape.accepts(value) {
            return self.refuse(value, path, &shape.describe());
        }
        match shape {
            Shape::Nullable(inner) if !value.is_null() => self.value(value, inner, path),
            Shape::Either(shapes) => {
                if let Some(inner) = shapes.iter().find(|shape| shape.accepts(value)) {
                    self.value(value, inner, path);
                }
            }
            Shape::List(inner) | Shape::Set(inner) => {
                // Where items have keys, equal ones are one by the time that anybody looks.
                let has_keys = unique::has_keys(path) || is_key_value(path);
                path.push("[]");
                for (index, item) in value.items().iter().enumerate() {
                    self.value(item, inner, path);
                    let before = value.items().get(..index).unwrap_or_default();
                    if matches!(shape, Shape::Set(_)) && !has_keys && before.contains(item) {
                        let message = format!("{path} has an item twice");
                        self.report.error(ProblemKind::Schema, item.place, message);
                    }
                }
                path.pop();
            }
            Shape::Map(inner) | Shape::Named(inner) => {
                for (key, item) in value.map().into_iter().flatten() {
                    let is_name = key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
                    if matches!(shape, Shape::Named(_)) && (!is_name || key.is_empty()) {
                        let message =
                            format!("`{key}` is no name: letters, digits, `.`, `_` and `-` make one");
                        self.report.error(ProblemKind::Schema, item.key, message);
                    }
                    path.push(key);
                    self.value(&item.value, inner, path);
                    path.pop();
                }
            }
            Shape::Object(keys) => self.object(value, &[], keys, path),
            Shape::Record(required, keys) => self.object(value, required, keys, path),
            _ => {}
        }
    }

    fn object(&mut self, value: &Value, required: &[&str], keys: &[(&str, Shape)], path: &mut Path) {
        let Some(map) = value.map() else { return };
        for wanted in required.iter().filter(|key| !map.contains_key(**key)) {
            let message = format!("{path} needs the key `{wanted}`");
            self.report.error(ProblemKind::Schema, value.place, message);
        }
        for (key, item) in map {
            if key.starts_with("x-") {
                continue;
            }
            match keys.iter().find(|(name, _)| name == key) {
                Some((_, shape)) => {
                    path.push(key);
                    self.value(&item.value, shape, path);
                    path.pop();
                }
                None => {
                    let message = format!("the Compose specification has no key `{key}` here");
                    self.report.error(ProblemKind::Schema, item.key, message);
                }
            }
        }
    }
}

impl Shape {
    /// Whether a value is of this shape, parts of it aside.
    fn accepts(&self, value: &Value) -> bool {
        let kind = &value.kind;
        match self {
            Self::Anything => true,
            Self::Text => matches!(kind, Kind::Text(_)),
            Self::Duration => value.text().is_some_and(|text| units::duration(text).is_some()),
            Self::Boolean => matches!(kind, Kind::Bool(_) | Kind::Text(_)),
            Self::Integer => matches!(kind, Kind::Integer(_) | Kind::Text(_)),
            Self::Number => matches!(kind, Kind::Integer(_) | Kind::Float(_) | Kind::Text(_)),
            Self::TextOrNumber => matches!(kind, Kind::Integer(_) | Kind::Float(_) | Kind::Text(_)),
            Self::Word(words) => value.text().is_some_and(|text| words.contains(&text)),
            Self::Nullable(inner) => value.is_null() || inner.accepts(value),
            Self::List(_) | Self::Set(_) => matches!(kind, Kind::List(_)),
            Self::Map(_) | Self::Named(_) | Self::Object(_) | Self::Record(..) => {
                matches!(kind, Kind::Map(_))
            }
            Self::Either(shapes) => shapes.iter().any(|shape| shape.accepts(value)),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Anything => "anything".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Duration => "a duration such as `1m30s`".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::TextOrNumber => "a text or a number".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Nullable(inner) => format!("{} or nothing", inner.describe()),
            Self::List(_) | Self::Set(_) => "a list".to_owned(),
            Self::Map(_) | Self::Named(_) | Self::Object(_) | Self::Record(..) => "a mapping".to_owned(),
            Self::Either(shapes) => shapes.iter().map(Self::describe).collect::<Vec<_>>().join(" or "),
        }
    }
}
