//! The two values of a password that changes.

use std::fmt;

use super::find::Server;
use super::verifier::{literal, native, plain_digest, scram};
use crate::spec::env_line;

/// A password that changes with a release. Its values go by standard input and are never shown.
#[derive(Clone)]
pub struct Change {
    /// The secret.
    pub name: String,
    /// The server.
    pub server: Server,
    input: Vec<u8>,
}

/// Names only.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("name", &self.name)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Change {
    /// A change of a secret from one value to another; `salts` nobody can foresee. Says why it cannot be.
    pub fn new(
        name: &str,
        server: Server,
        (old, new): (&str, &str),
        salts: [[u8; 16]; 2],
    ) -> Result<Self, String> {
        let fits = |value: &str| !value.is_empty() && value.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        if !fits(old) || !fits(new) {
            // Servers prepare other characters each in its own way before they compare.
            return Err(format!(
                "`{name}` has characters other than ASCII letters, digits and signs, which servers read in different ways"
            ));
        }
        let [old_salt, new_salt] = salts;
        let lines = [
            old.to_owned(),
            new.to_owned(),
            scram(old, old_salt),
            scram(new, new_salt),
            literal(old),
            literal(new),
            native(old),
            native(new),
            plain_digest(old),
            plain_digest(new),
            env_line(name, new).trim_end().to_owned(),
        ];
        let input = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
        Ok(Self { name: name.to_owned(), server, input })
    }

    pub(super) fn input(&self) -> Vec<u8> {
        self.input.clone()
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_config::Rotate;

    use super::*;

    fn change(old: &str) -> Result<Change, String> {
        let users = vec!["shop".to_owned()];
        let (kind, service, because) = (Rotate::Postgres, "db".to_owned(), String::new());
        let server = Server { kind, service, users, because };
        Change::new("DB_PASSWORD", server, (old, "battery"), [[1; 16], [2; 16]])
    }

    #[test]
    fn values_go_by_lines_and_are_never_shown() {
        let change = change("correct' horse\\").unwrap();
        let text = String::from_utf8(change.input()).unwrap();
        assert_eq!(text.lines().count(), 11);
        assert!(text.starts_with("correct' horse\\\nbattery\nSCRAM-SHA-256$4096:"), "{text}");
        assert!(text.ends_with("DB_PASSWORD=\"battery\"\n"), "{text}");
        let shown = format!("{change:?}");
        assert!(!shown.contains("battery") && !shown.contains("horse"), "{shown}");
    }

    #[test]
    fn what_two_sides_could_read_differently_is_refused() {
        for old in ["", "naïve", "two\nlines", "tab\t"] {
            assert!(change(old).is_err(), "{old:?}");
        }
    }
}
