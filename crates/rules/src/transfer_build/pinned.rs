//! Versions to name where a tag names none.

use plimsoll_syntax::dockerfile::ImageReference;

/// A tag that exists, by the image and the version that its tag starts with. For data services it stays within the
/// major version, whose files it can read.
///
/// Source: the tags of the official images on Docker Hub and of `astral-sh/uv` on ghcr.io, 2025.
const PINNED: &[(&str, &str, &str)] = &[
    ("caddy", "", "2.8"),
    ("caddy", "2", "2.8"),
    ("mongo", "6", "6.0"),
    ("mongo", "7", "7.0"),
    ("mongo", "8", "8.0"),
    ("mysql", "8", "8.4"),
    ("nginx", "", "1.27"),
    ("nginx", "1", "1.27"),
    ("nginx", "mainline", "1.27"),
    ("nginx", "stable", "1.26"),
    ("postgres", "13", "13.20"),
    ("postgres", "14", "14.17"),
    ("postgres", "15", "15.12"),
    ("postgres", "16", "16.8"),
    ("postgres", "17", "17.4"),
    ("redis", "6", "6.2"),
    ("redis", "7", "7.4"),
    ("traefik", "v2", "v2.11"),
    ("traefik", "v3", "v3.3"),
    ("uv", "", "0.8"),
    ("valkey", "7", "7.2"),
    ("valkey", "8", "8.1"),
];

/// The tag that names a version and keeps the rest of what is written.
pub(super) fn pinned(reference: &ImageReference) -> Option<String> {
    let name = reference.name.rsplit('/').next()?;
    let tag = reference.tag.as_deref().unwrap_or_default();
    let (version, flavour) = match tag.split_once('-') {
        Some((version, flavour)) => (version, format!("-{flavour}")),
        None if matches!(tag, "alpine" | "slim") => ("", format!("-{tag}")),
        None => (tag, String::new()),
    };
    let version = if version == "latest" { "" } else { version };
    let (.., found) = PINNED.iter().find(|(image, start, _)| *image == name && *start == version)?;
    Some(format!("{found}{flavour}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flavour_and_the_major_version_stay() {
        let of = |text: &str| ImageReference::parse(text).and_then(|reference| pinned(&reference));
        assert_eq!(of("postgres:16-alpine").as_deref(), Some("16.8-alpine"));
        assert_eq!(of("nginx:alpine").as_deref(), Some("1.27-alpine"));
        assert_eq!(of("ghcr.io/astral-sh/uv:latest").as_deref(), Some("0.8"));
        // Which major version the data has is not known.
        assert_eq!(of("redis:latest"), None);
        assert_eq!(of("postgres"), None);
    }
}
