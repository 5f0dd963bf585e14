//! What a health check runs.

use plimsoll_model::Facts;
use plimsoll_model::compose::{HealthTest, Service};
use plimsoll_model::services::built;
use plimsoll_syntax::dockerfile;
use plimsoll_text::Place;

/// A health check taken apart.
pub(super) struct Probe {
    /// The program that asks.
    pub program: String,
    /// Host, port and path when it asks an address.
    pub url: Option<(String, u16, String)>,
    /// Where it is written.
    pub place: Place,
}

/// Whether somebody switched the check off, or what it runs.
pub(super) enum Check {
    /// Nothing checks.
    Missing,
    /// Switched off by `disable: true` or `NONE`.
    Off,
    /// It runs this.
    Runs(Vec<String>, Place),
}

/// The health check that a service runs with, its image's included.
pub(super) fn check_of(facts: &Facts, service: &Service) -> Check {
    if let Some(check) = &service.healthcheck {
        if check.disable.as_ref().is_some_and(|disable| disable.value) {
            return Check::Off;
        }
        if let Some(test) = &check.test {
            return match &test.value {
                HealthTest::Exec(words) | HealthTest::Other(words) => Check::Runs(words.clone(), test.place),
                HealthTest::Shell(text) => Check::Runs(split(text), test.place),
                HealthTest::None => Check::Off,
            };
        }
    }
    match built(facts, service).and_then(|(_, stage)| stage.healthcheck.as_ref()) {
        Some(check) => match &check.command {
            Some(dockerfile::Command::Shell(layer)) => Check::Runs(split(layer.text()), check.place),
            Some(dockerfile::Command::Exec(words)) => {
                Check::Runs(words.iter().map(|word| word.value.clone()).collect(), check.place)
            }
            None => Check::Off,
        },
        None => Check::Missing,
    }
}

/// The words of shell text; quotes are taken off, which is enough to find a program and an address.
fn split(text: &str) -> Vec<String> {
    text.split_whitespace().map(|word| word.trim_matches(['"', '\'', ';', '(', ')']).to_owned()).collect()
}

/// The program of a check with the address that it asks. Only plain calls are understood.
pub(super) fn probe(words: &[String], place: Place) -> Option<Probe> {
    let words: Vec<String> = match words {
        [shell, flag, text]
            if matches!(shell.as_str(), "sh" | "/bin/sh" | "bash" | "/bin/bash") && flag.starts_with('-') =>
        {
            split(text)
        }
        _ => words.to_vec(),
    };
    let program = words.first()?.clone();
    if program.is_empty()
        || program.contains(['$', '[', '=', '!'])
        || matches!(program.as_str(), "if" | "for" | "test" | "exit" | "true" | "cd")
    {
        return None;
    }
    let url = words.iter().find_map(|word| parse_url(word));
    Some(Probe { program, url, place })
}

fn parse_url(word: &str) -> Option<(String, u16, String)> {
    let (scheme, rest) = word.split_once("://")?;
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, default),
    };
    Some((host.to_owned(), port, format!("/{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_with_the_default_port() {
        assert_eq!(parse_url("http://localhost/health"), Some(("localhost".into(), 80, "/health".into())));
        assert_eq!(parse_url("http://127.0.0.1:8000"), Some(("127.0.0.1".into(), 8000, "/".into())));
        assert_eq!(parse_url("ftp://x/y"), None);
        assert_eq!(parse_url("http://localhost:${PORT}/"), None);
    }
}
