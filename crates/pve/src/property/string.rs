//! The list under every property string.

use std::fmt;
use std::str::FromStr;

/// A property string as it was written: parts in order, none lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PropertyString {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// `None` where the value stands alone, which gives it to the default key.
    key: Option<String>,
    value: String,
}

/// Why a property string is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// Nothing between two commas, or nothing at all.
    #[error("there is nothing between two commas")]
    Empty,
    /// A key without a value.
    #[error("`{0}` has no value")]
    NoValue(String),
    /// A value without a key where no key is the default, or a second one.
    #[error("`{0}` has no key")]
    NoKey(String),
    /// A key that stands twice.
    #[error("`{0}` stands twice")]
    Duplicate(String),
    /// A key that must be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A value that the key does not take.
    #[error("`{key}` is {wants}, not `{value}`")]
    Value {
        /// The key.
        key: String,
        /// Its value.
        value: String,
        /// What the key takes.
        wants: &'static str,
    },
}

impl PropertyString {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.parts.iter().find(|part| part.key.as_deref() == Some(key)).map(|part| part.value.as_str())
    }

    /// The value that stands without a key.
    pub fn bare(&self) -> Option<&str> {
        self.parts.iter().find(|part| part.key.is_none()).map(|part| part.value.as_str())
    }

    /// The value of a key that may stand alone.
    pub fn get_or_bare(&self, key: &str) -> Option<&str> {
        self.get(key).or_else(|| self.bare())
    }

    /// Sets a key: in its place when it is there, else at the end.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        let value = value.into();
        match self.parts.iter_mut().find(|part| part.key.as_deref() == Some(key)) {
            Some(part) => part.value = value,
            None => self.parts.push(Part { key: Some(key.to_owned()), value }),
        }
    }

    /// Sets the value that stands without a key. It comes first.
    pub fn set_bare(&mut self, value: impl Into<String>) {
        let value = value.into();
        match self.parts.iter_mut().find(|part| part.key.is_none()) {
            Some(part) => part.value = value,
            None => self.parts.insert(0, Part { key: None, value }),
        }
    }

    /// Takes a key away and answers its value.
    pub fn remove(&mut self, key: &str) -> Option<String> {
        let index = self.parts.iter().position(|part| part.key.as_deref() == Some(key))?;
        Some(self.parts.remove(index).value)
    }

    /// Keys and values in order; the key is `None` for the value that stands alone.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        self.parts.iter().map(|part| (part.key.as_deref(), part.value.as_str()))
    }
}

impl fmt::Display for PropertyString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            if let Some(key) = &part.key {
                write!(f, "{key}=")?;
            }
            f.write_str(&part.value)?;
        }
        Ok(())
    }
}

impl FromStr for PropertyString {
    type Err = PropertyError;

    fn from_str(text: &str) -> Result<Self, PropertyError> {
        let mut list = Self::default();
        for part in text.split(',') {
            if part.trim().is_empty() {
                return Err(PropertyError::Empty);
            }
            let (key, value) = match part.split_once('=') {
                Some((key, value)) if !key.is_empty() => (Some(key), value),
                _ => (None, part),
            };
            if value.is_empty() {
                return Err(PropertyError::NoValue(key.unwrap_or_default().to_owned()));
            }
            match key {
                Some(key) if list.get(key).is_some() => return Err(PropertyError::Duplicate(key.to_owned())),
                None if list.bare().is_some() => return Err(PropertyError::NoKey(part.to_owned())),
                _ => {}
            }
            list.parts.push(Part { key: key.map(str::to_owned), value: value.to_owned() });
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_and_unknown_keys_stay() {
        let text = "local-lvm:vm-100-disk-0,size=8G,future-key=a=b;c,backup=1";
        let mut list: PropertyString = text.parse().unwrap();
        assert_eq!(list.to_string(), text);
        assert_eq!((list.bare(), list.get("future-key")), (Some("local-lvm:vm-100-disk-0"), Some("a=b;c")));
        list.set("size", "9G");
        list.set("ro", "1");
        assert_eq!(list.to_string(), "local-lvm:vm-100-disk-0,size=9G,future-key=a=b;c,backup=1,ro=1");
        assert_eq!(list.remove("size").as_deref(), Some("9G"));
    }

    #[test]
    fn broken_strings_are_refused_with_the_reason() {
        use PropertyError as E;
        for (text, error) in [
            ("", E::Empty),
            ("a=1,,b=2", E::Empty),
            ("a=", E::NoValue("a".into())),
            ("a=1,a=2", E::Duplicate("a".into())),
            ("x,y", E::NoKey("y".into())),
        ] {
            assert_eq!(text.parse::<PropertyString>().unwrap_err(), error, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_written_back_unchanged(text in "[a-z=:;, /.0-9-]{0,40}") {
            if let Ok(list) = text.parse::<PropertyString>() {
                prop_assert_eq!(list.to_string(), text);
            }
        }
    }
}
