//! What a comment looks like in which file.

use std::ops::Range;

use camino::Utf8Path;

/// How a kind of comment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommentStyle {
    /// `# …` at the start of a line or behind a blank.
    Hash,
    /// `// …`
    Slashes,
    /// `; …` at the start of a line or behind a blank.
    Semicolon,
    /// `-- …` at the start of a line or behind a blank.
    Dashes,
    /// `<!-- … -->`
    Markup,
    /// `/* … */`
    Stars,
}

use CommentStyle::{Dashes, Hash, Markup, Semicolon, Slashes, Stars};

/// The comment of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// Its text without the marks, as bytes of the line.
    pub(crate) body: Range<usize>,
    /// Whether nothing but blanks stands before it.
    pub(crate) alone: bool,
}

/// The comment styles of a file, by its name.
pub(crate) fn styles_of_file(path: &Utf8Path) -> &'static [CommentStyle] {
    styles_of_language(path.extension().unwrap_or_default())
}

/// The comment styles of a language, by its name or file extension. Unknown ones are taken to use `#`, as most
/// configuration does.
pub(crate) fn styles_of_language(info: &str) -> &'static [CommentStyle] {
    let name = info.split([' ', '{', ',']).next().unwrap_or_default();
    match name.to_ascii_lowercase().as_str() {
        "md" | "markdown" | "html" | "htm" | "xml" | "svg" => &[Markup],
        "vue" | "svelte" => &[Markup, Slashes, Stars],
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "tsx" | "javascript" | "typescript" | "go" | "rs"
        | "rust" | "java" | "kt" | "c" | "h" | "cpp" | "jsonc" | "json5" => &[Slashes, Stars],
        "css" => &[Stars],
        "scss" | "less" => &[Slashes, Stars],
        "tf" | "hcl" | "tfvars" | "php" => &[Hash, Slashes, Stars],
        "sql" | "lua" | "hs" => &[Dashes],
        "ini" | "cfg" | "cnf" => &[Hash, Semicolon],
        "json" => &[],
        _ => &[Hash],
    }
}

/// The comment of a line, if it has one. Text in quotes is no comment; a quote that the line does not close is
/// taken as an apostrophe.
pub(crate) fn comment_in(line: &str, styles: &[CommentStyle]) -> Option<Comment> {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before)).copied();
        let rest = line.get(at..).unwrap_or_default();
        if let Some(body) = styles.iter().find_map(|style| body(*style, rest, before)) {
            let alone = line.get(..at).unwrap_or_default().trim().is_empty();
            return Some(Comment { body: at + body.start..at + body.end, alone });
        }
        let opens = matches!(byte, b'"' | b'\'' | b'`') && !before.is_some_and(|b| b.is_ascii_alphanumeric());
        at += if opens { quoted(bytes.get(at..).unwrap_or_default()).unwrap_or(1) } else { 1 };
    }
    None
}

/// The text of a comment of this style that starts at the start of `rest`.
fn body(style: CommentStyle, rest: &str, before: Option<u8>) -> Option<Range<usize>> {
    let free = before.is_none_or(|byte| byte.is_ascii_whitespace());
    let (open, close) = match style {
        Hash if free => ("#", None),
        Semicolon if free => (";", None),
        Dashes if free => ("--", None),
        Slashes if before != Some(b':') => ("//", None),
        Markup => ("<!--", Some("-->")),
        Stars => ("/*", Some("*/")),
        Hash | Semicolon | Dashes | Slashes => return None,
    };
    let text = rest.strip_prefix(open)?;
    let end = close.and_then(|close| text.find(close)).unwrap_or(text.len());
    Some(open.len()..open.len() + end)
}

/// Length of the quoted text at the start, marks included; nothing when the quote is not closed.
fn quoted(bytes: &[u8]) -> Option<usize> {
    let (&mark, rest) = bytes.split_first()?;
    let mut escaped = false;
    for (index, &byte) in rest.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'\\' && mark != b'\'' {
            escaped = true;
        } else if byte == mark {
            return Some(index + 2);
        }
    }
    None
}
