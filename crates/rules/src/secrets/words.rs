//! What names and values of secrets look like.

/// Parts of names that say that a value is a secret.
pub(super) const SECRET_NAMES: &[&str] = &[
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "PRIVATE_KEY",
    "ACCESS_KEY",
    "CREDENTIAL",
    "ENCRYPTION_KEY",
    "SIGNING_KEY",
    "_PASS",
    "_PW",
];

/// How keys of well-known providers begin, and how much follows at least.
pub(super) const PROVIDER_PREFIXES: &[(&str, usize)] = &[
    ("ghp_", 30),
    ("github_pat_", 30),
    ("glpat-", 18),
    ("AKIA", 16),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("AIza", 30),
    ("sk-ant-", 30),
    ("sk-proj-", 30),
    ("SG.", 30),
    ("tskey-", 20),
    ("hf_", 30),
    ("dckr_pat_", 20),
    ("npm_", 30),
];

/// Whether a variable's name says that its value is a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let is = SECRET_NAMES.iter().any(|part| name.contains(part));
    let only_about = [
        "_FILE",
        "_PATH",
        "_LENGTH",
        "_EXPIRE",
        "_EXPIRY",
        "_TTL",
        "_NAME",
        "_ID",
        "_URL",
        "_ALGORITHM",
        "_MINUTES",
        "_DAYS",
        "_SECONDS",
        "_LIMIT",
        "_COUNT",
        "_HOURS",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    let is_public =
        name.contains("PUBLISHABLE") || name.contains("PUBLIC_KEY") || name.starts_with("NEXT_PUBLIC_");
    is && !only_about && !is_public
}

/// Whether a value only stands for a secret that somebody has yet to fill in.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.trim_matches(['"', '\'', '`', '<', '>', '[', ']']).to_ascii_lowercase();
    let words = [
        "change",
        "your",
        "example",
        "placeholder",
        "xxx",
        "***",
        "...",
        "dummy",
        "sample",
        "replace",
        "insert",
        "todo",
        "fixme",
        "redacted",
        "secret_here",
        "_here",
        "here_",
        "<",
        "${",
        "{{",
        "$(",
        "generate",
        "set_me",
        "setme",
        "fill",
        "none",
        "null",
        "undefined",
        "foo",
        "test",
        "fake",
        "encoded",
        "mock",
        "default",
        "1234567890",
        "abcdef",
        "process.env",
        "os.environ",
        "secrets.",
        "env.",
        "…",
        "n/a",
        "optional",
        "required",
        "my-",
        "my_",
        "some",
        "super-secret",
        "supersecret",
    ];
    lower.is_empty()
        || words.iter().any(|word| lower.contains(word))
        || lower.chars().all(|c| c == lower.chars().next().unwrap_or(c))
}

/// Whether a value looks like something that a machine made: a key, a token, a generated password.
pub(super) fn looks_generated(value: &str) -> bool {
    let bytes = value.as_bytes();
    if bytes.len() < 16 || bytes.len() > 256 || is_placeholder(value) {
        return false;
    }
    let plain = bytes
        .iter()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-' | b'.'));
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = bytes.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let is_path = value.starts_with(['/', '.']) || value.contains("//") || value.matches('/').count() > 2;
    let has_words = value
        .split(['-', '_', '.', '/'])
        .filter(|part| part.len() > 3 && part.bytes().all(|b| b.is_ascii_lowercase()))
        .count()
        > 1;
    let is_upper_key =
        bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) && entropy(value) > 3.0;
    plain && !is_path && !has_words && letters > 0 && (digits > 0 || is_upper_key) && entropy(value) >= 3.0
}

/// Formats of providers that are secrets whatever stands around them.
pub(super) fn is_provider_secret(value: &str) -> bool {
    PROVIDER_PREFIXES.iter().any(|(prefix, least)| {
        value.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= *least
                && !is_placeholder(rest)
                && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        })
    })
}

/// Bits per character.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let length = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX));
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}

/// Whether shell text makes a random value.
pub(super) fn is_generator(text: &str) -> bool {
    [
        "openssl rand",
        "/dev/urandom",
        "/dev/random",
        "uuidgen",
        "pwgen",
        "secrets.token",
        "gen-random",
        "makepasswd",
        "randomBytes",
    ]
    .iter()
    .any(|name| text.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_not_secrets() {
        for value in [
            "CHANGE_ME_GENERATE_SECURE_PASSWORD",
            "your_api_key_here",
            "sk_test_YOUR_KEY",
            "${TOKEN}",
            "xxxxxxxxxxxxxxxxxxxx",
            "<token>",
        ] {
            assert!(!looks_generated(value), "{value}");
        }
        for value in ["Q8ZJ4T2LWX0BNR6KMD", "9f86d081884c7d659a2feaa0c55ad015", "kW3n+8Zq/LpX5vBt0RsYhA=="] {
            assert!(looks_generated(value), "{value}");
        }
        for value in ["postgresql-client-common", "/var/lib/postgresql/data", "docker-compose.production.yml"]
        {
            assert!(!looks_generated(value), "{value}");
        }
    }

    #[test]
    fn names_about_secrets_are_not_secrets() {
        assert!(is_secret_name("POSTGRES_PASSWORD") && is_secret_name("jwt_secret"));
        assert!(
            !is_secret_name("TOKEN_EXPIRE_MINUTES")
                && !is_secret_name("POSTGRES_PASSWORD_FILE")
                && !is_secret_name("CLERK_PUBLISHABLE_KEY")
        );
    }
}
