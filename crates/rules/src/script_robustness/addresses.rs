//! Addresses in texts.

/// An HTTP address in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The port, that of the scheme when none is written.
    pub port: u16,
    /// Whether the host is the target itself: a variable, the output of a command or a private address.
    pub is_machine: bool,
    /// Whether the host is the machine that asks.
    pub is_local: bool,
}

/// The addresses of a text. Those whose port cannot be known are left out.
pub(super) fn addresses(text: &str) -> Vec<Address> {
    let mut found = Vec::new();
    for (scheme, port) in [("http://", 80_u16), ("https://", 443)] {
        for (at, _) in text.match_indices(scheme) {
            let rest = text.get(at + scheme.len()..).unwrap_or_default();
            let (host, rest) = host(rest);
            if host.is_empty() {
                continue;
            }
            let port = match rest.strip_prefix(':') {
                None => Some(port),
                Some(rest) => {
                    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                    digits.parse().ok()
                }
            };
            let Some(port) = port else { continue };
            let is_local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
            let private = ["10.", "192.168.", "172."].iter().any(|start| host.starts_with(start));
            let whole = host.starts_with("$(") && host.ends_with(')')
                || host.starts_with("${") && host.ends_with('}');
            let named = ["domain", "host_name", "fqdn", "url", "site"]
                .iter()
                .any(|word| host.to_ascii_lowercase().contains(word));
            found.push(Address { port, is_machine: (whole && !named || private) && !is_local, is_local });
        }
    }
    found
}

/// The host at the start of a text, an expansion whole, and what follows it.
fn host(text: &str) -> (&str, &str) {
    let mut depth = 0_i32;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | '$' => {}
            _ => return text.split_at(at),
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_follow_the_host_or_the_scheme() {
        let ports = |text: &str| {
            addresses(text).iter().map(|a| (a.port, a.is_machine, a.is_local)).collect::<Vec<_>>()
        };
        assert_eq!(ports("see http://${IP}"), [(80, true, false)]);
        assert_eq!(ports("http://$(…):8000/docs"), [(8000, true, false)]);
        assert_eq!(ports("https://app.example.org/"), [(443, false, false)]);
        assert_eq!(ports("http://localhost:80/"), [(80, false, true)]);
        assert_eq!(ports("http://${IP}:${PORT}"), []);
        assert_eq!(ports("http://${DOMAIN}"), [(80, false, false)]);
    }
}
