//! Values that answers are made of.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The number of a guest. The same number never names a container and a machine at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Vmid(pub u32);

impl fmt::Display for Vmid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number, or the text of one: `nextid` and `memory` of machines are texts.
impl<'de> Deserialize<'de> for Vmid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = number(deserializer)?;
        u32::try_from(number).map(Self).map_err(de::Error::custom)
    }
}

fn read_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_f64().map(|number| number != 0.0),
        Value::String(text) => match text.as_str() {
            "1" | "on" | "yes" | "true" => Some(true),
            "0" | "" | "off" | "no" | "false" => Some(false),
            _ => None,
        },
        Value::Null => Some(false),
        _ => None,
    }
}

fn read_number(value: &Value) -> Option<u64> {
    match value {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "sizes that arrive as 1.0e9"
        )]
        Value::Number(number) => {
            number.as_u64().or_else(|| number.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64))
        }
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A flag: the node writes 1, `"1"` and true.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    read_flag(&value).ok_or_else(|| de::Error::custom(format!("{value} is no flag")))
}

/// A number: the node writes 5 and `"5"`.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    read_number(&value).ok_or_else(|| de::Error::custom(format!("{value} is no number")))
}

/// A number that may be absent.
pub(crate) fn maybe_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    read_number(&value).map(Some).ok_or_else(|| de::Error::custom(format!("{value} is no number")))
}

/// The configuration of a guest as the node answers it. Everything is kept, known or not.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct GuestConfig(pub BTreeMap<String, Value>);

impl GuestConfig {
    /// The value of an option as text, numbers included.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// The value of an option as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        read_number(self.0.get(name)?)
    }

    /// The value of an option as a flag. An absent option is its default, which differs by option and release.
    pub fn flag(&self, name: &str) -> Option<bool> {
        read_flag(self.0.get(name)?)
    }

    /// The digest to send with a change, so that a change by somebody else in between is noticed.
    pub fn digest(&self) -> Option<&str> {
        self.0.get("digest")?.as_str()
    }

    /// Why the guest is locked, if it is.
    pub fn lock(&self) -> Option<&str> {
        self.0.get("lock")?.as_str()
    }

    /// The option read as one of the types of [`crate::property`].
    pub fn property<T: std::str::FromStr>(&self, name: &str) -> Option<Result<T, T::Err>> {
        Some(self.text(name)?.parse())
    }

    /// Numbered options such as `net0`, `net1`, by number.
    pub fn numbered(&self, stem: &str) -> BTreeMap<u16, String> {
        self.0
            .keys()
            .filter_map(|key| {
                let number = key.strip_prefix(stem)?.parse().ok()?;
                Some((number, self.text(key)?))
            })
            .collect()
    }
}
