//! Image references.

/// The parts of an image reference such as `ghcr.io/owner/app:1.2@sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    /// The registry host when written.
    pub registry: Option<String>,
    /// The path, without `library/` for official images.
    pub name: String,
    /// The tag when written.
    pub tag: Option<String>,
    /// The digest with its algorithm when written.
    pub digest: Option<String>,
}

impl ImageReference {
    /// Splits a reference by the rules of the distribution reference grammar: the first part is a host when it
    /// has a dot or a colon or is `localhost`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.bytes().any(|byte| byte.is_ascii_whitespace()) {
            return None;
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag.to_owned())),
            _ => (rest, None),
        };
        let (registry, name) = match path.split_once('/') {
            Some((host, name)) if host.contains(['.', ':']) || host == "localhost" => (Some(host), name),
            _ => (None, path),
        };
        let registry = registry.filter(|host| !matches!(*host, "docker.io" | "index.docker.io"));
        let name = match registry {
            None => name.strip_prefix("library/").unwrap_or(name),
            Some(_) => name,
        };
        (!name.is_empty()).then(|| Self {
            registry: registry.map(str::to_owned),
            name: name.to_owned(),
            tag: tag.filter(|tag| !tag.is_empty()),
            digest,
        })
    }

    /// The last part of the name, such as `postgres` in `bitnami/postgres`.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// Whether it names an official image of Docker Hub.
    #[must_use]
    pub fn is_official(&self) -> bool {
        self.registry.is_none() && !self.name.contains('/')
    }
}

/// Fills in `$name`, `${name}`, `${name:-word}`, `${name-word}`, `${name:+word}` and `${name:?word}`.
/// A name that `lookup` does not know makes the whole text unknown, unless the form has a default.
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    expand_at(text, lookup, 0)
}

fn expand_at(text: &str, lookup: &dyn Fn(&str) -> Option<String>, depth: u8) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '\\']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(escaped) = from.strip_prefix('\\') {
            let mut chars = escaped.chars();
            out.extend(chars.next());
            rest = chars.as_str();
            continue;
        }
        let after = from.get(1..).unwrap_or_default();
        if let Some(inner) = after.strip_prefix('{') {
            let close = closing_brace(inner)?;
            out.push_str(&braced(inner.get(..close)?, lookup, depth)?);
            rest = inner.get(close + 1..).unwrap_or_default();
            continue;
        }
        let length = after.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        if length == 0 {
            out.push('$');
        } else {
            out.push_str(&lookup(after.get(..length)?)?);
        }
        rest = after.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Some(out)
}

fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn braced(inner: &str, lookup: &dyn Fn(&str) -> Option<String>, depth: u8) -> Option<String> {
    if depth > 16 {
        return None;
    }
    let length = inner.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let (name, operation) = inner.split_at_checked(length)?;
    let value = lookup(name);
    let (colon, operation) = match operation.strip_prefix(':') {
        Some(rest) => (true, rest),
        None => (false, operation),
    };
    let usable = value.clone().filter(|value| !(colon && value.is_empty()));
    let word = operation.get(1..).unwrap_or_default();
    match operation.as_bytes().first() {
        None => value,
        Some(b'-') => usable.or_else(|| expand_at(word, lookup, depth + 1)),
        Some(b'+') => match usable {
            Some(_) => expand_at(word, lookup, depth + 1),
            None => Some(String::new()),
        },
        Some(b'?') => usable,
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<String>, String, Option<String>, Option<String>) {
        let image = ImageReference::parse(text).unwrap();
        (image.registry, image.name, image.tag, image.digest)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn references_split_by_the_distribution_grammar() {
        assert_eq!(parts("nginx"), (None, "nginx".into(), None, None));
        assert_eq!(parts("docker.io/library/nginx:1.27"), (None, "nginx".into(), some("1.27"), None));
        assert_eq!(parts("localhost:5000/a/b"), (some("localhost:5000"), "a/b".into(), None, None));
        assert_eq!(
            parts("ghcr.io/o/a:1@sha256:ab"),
            (some("ghcr.io"), "o/a".into(), some("1"), some("sha256:ab"))
        );
        assert_eq!(ImageReference::parse(" "), None);
    }

    #[test]
    fn expansion_knows_defaults_and_gives_up_on_unknown_names() {
        let lookup = |name: &str| (name == "V").then(|| "3".to_owned());
        assert_eq!(expand("a:$V-slim", &lookup), some("a:3-slim"));
        assert_eq!(expand("a:${W:-${V}}", &lookup), some("a:3"));
        assert_eq!(expand("a${V:+-x}${W:+-y}", &lookup), some("a-x"));
        assert_eq!(expand("a:$W", &lookup), None);
        assert_eq!(expand("a:${V", &lookup), None);
        assert_eq!(expand("\\$V", &lookup), some("$V"));
    }
}
