//! What can be told about a file from its name.

use camino::Utf8Path;

/// Directories that hold other people's code, or what a program made of one's own.
const VENDORED: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".jj",
    "node_modules",
    "bower_components",
    "vendor",
    ".venv",
    "venv",
    "site-packages",
    "__pycache__",
    ".tox",
    ".nox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".terraform",
    ".next",
    ".nuxt",
    ".svelte-kit",
    ".gradle",
    ".eggs",
];

/// Endings of files that hold no text that anyone wrote.
const DATA: &[&str] = &[
    "7z", "a", "avi", "avif", "bin", "bmp", "bz2", "class", "csv", "db", "deb", "dll", "dylib", "eot", "exe",
    "gif", "gz", "heic", "ico", "img", "ipynb", "iso", "jar", "jpeg", "jpg", "lock", "map", "mkv", "mov",
    "mp3", "mp4", "o", "ogg", "otf", "parquet", "pdf", "png", "psd", "pyc", "qcow2", "rar", "rpm", "so",
    "sqlite", "sqlite3", "sum", "svg", "tar", "tgz", "tif", "tiff", "tsv", "ttf", "war", "wasm", "wav",
    "webm", "webp", "woff", "woff2", "xz", "zip", "zst",
];

/// Whole names and endings of generated text.
const GENERATED: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    ".min.js",
    ".min.css",
    ".terraform.lock.hcl",
];

/// Whether a directory is skipped with all that it holds.
pub(super) fn is_vendored(name: &str) -> bool {
    VENDORED.contains(&name)
}

/// Whether it is enough to know that a file exists.
pub(super) fn is_data(path: &Utf8Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    DATA.iter().any(|data| extension.eq_ignore_ascii_case(data))
        || GENERATED.iter().any(|name| path.file_name().is_some_and(|own| own.ends_with(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_told_by_its_name() {
        assert!(is_data("a/Logo.PNG".into()) && is_data("web/package-lock.json".into()));
        assert!(is_data("x/app.min.js".into()));
        assert!(!is_data("deploy.sh".into()) && !is_data(".env".into()) && !is_data("id_rsa".into()));
    }

    #[test]
    fn tables_are_sorted_or_without_doubles() {
        assert!(DATA.is_sorted(), "the table of endings is out of order");
        assert!(VENDORED.iter().collect::<std::collections::BTreeSet<_>>().len() == VENDORED.len());
    }
}
