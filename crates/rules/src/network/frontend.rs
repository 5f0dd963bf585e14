//! Browser code that services build and serve.

use camino::Utf8Path;
use plimsoll_model::Facts;

/// Whether a build tool puts this variable into browser code.
pub(super) fn is_public(name: &str) -> bool {
    ["VITE_", "NEXT_PUBLIC_", "REACT_APP_", "NUXT_PUBLIC_", "PUBLIC_", "EXPO_PUBLIC_", "GATSBY_", "VUE_APP_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Whether a variable names the address that browser code calls.
pub(super) fn names_an_api(name: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    has(&["API", "BACKEND", "SERVER", "BASE", "SITE", "ENDPOINT", "APP", "WS", "SOCKET"])
        && has(&["URL", "URI", "HOST", "ENDPOINT", "ORIGIN", "BASE", "ADDRESS"])
}

/// The host of an address.
pub(super) fn host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let host = rest.split(['/', ':', '?']).next()?;
    (matches!(scheme, "http" | "https" | "ws" | "wss") && !host.is_empty()).then_some(host)
}

/// Whether a host is the machine that asks.
pub(super) fn is_own_machine(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.") || host == "0.0.0.0"
}

/// Whether a build with this context sees a file that `.dockerignore` may keep out.
pub(super) fn is_sent(facts: &Facts, context: &Utf8Path, name: &str) -> bool {
    let ignore = context.join(".dockerignore");
    let Some(id) = facts.files.find(&ignore) else { return true };
    let file = facts.files.get(id);
    let mut sent = true;
    for line in file.text().lines().map(str::trim) {
        let (keep, pattern) = line.strip_prefix('!').map_or((false, line), |pattern| (true, pattern));
        let pattern = pattern.trim_start_matches("**/").trim_start_matches('/');
        let hit = match pattern.split_once('*') {
            Some((start, end)) => {
                !pattern.starts_with('#')
                    && name.len() >= start.len() + end.len()
                    && name.starts_with(start)
                    && name.ends_with(end)
            }
            None => pattern == name,
        };
        if hit {
            sent = keep;
        }
    }
    sent
}
