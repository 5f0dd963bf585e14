//! Paths as relative references.

use std::fmt::Write as _;

use camino::Utf8Path;

/// A relative path as a relative URI reference by RFC 3986: all but unreserved characters and `/` is
/// percent-encoded (a colon too, which would read as a scheme in a first segment).
pub(super) fn relative_uri(path: &Utf8Path) -> String {
    let mut out = String::with_capacity(path.as_str().len());
    for byte in path.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_colons_percent_signs_and_letters_beyond_ascii_are_encoded() {
        assert_eq!(relative_uri("a b/c%20:ä#?.yml".into()), "a%20b/c%2520%3A%C3%A4%23%3F.yml");
    }
}
