//! Where in a Compose model a value is.

use std::fmt;

/// Keys from the top of the file down; `[]` is any item of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(Vec<String>);

impl Path {
    pub(super) fn push(&mut self, key: &str) {
        self.0.push(key.to_owned());
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    /// The path with one more key.
    pub(super) fn then(&self, key: &str) -> Self {
        let mut next = self.clone();
        next.push(key);
        next
    }

    pub(super) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    pub(super) fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// Whether it fits a pattern such as `services.*.ports`; `*` is any one key.
    pub(super) fn fits(&self, pattern: &str) -> bool {
        // Most patterns begin or end in another key, and this is asked for each value with each pattern.
        let (Some(first), Some(last)) = (self.0.first(), self.0.last()) else { return false };
        let may_begin = pattern.starts_with('*') || pattern.starts_with(first.as_str());
        let may_end = pattern.ends_with('*') || pattern.ends_with(last.as_str());
        if !may_end || !may_begin {
            return false;
        }
        let mut keys = self.0.iter();
        for wanted in pattern.split('.') {
            match keys.next() {
                Some(key) if wanted == "*" || key == wanted => {}
                _ => return false,
            }
        }
        keys.next().is_none()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0.join(".").replace(".[]", "[]"))
    }
}
