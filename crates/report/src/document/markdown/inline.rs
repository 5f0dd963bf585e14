//! Text that Markdown shows as it is meant.

use std::fmt::Write as _;

use crate::document::{Inline, Text};

/// Text in a paragraph or an item.
pub(super) fn text(text: &Text) -> String {
    let mut out = String::new();
    for inline in &text.0 {
        match inline {
            Inline::Words(words) => out.push_str(&escaped(words)),
            Inline::Strong(words) => {
                let _ = write!(out, "**{}**", escaped(words));
            }
            Inline::Code(words) => out.push_str(&code(words)),
            Inline::Place(position) => out.push_str(&code(&position.to_string())),
            Inline::Anchor { id, words } => {
                let _ = write!(out, "[{}](#{id})", escaped(words));
            }
            Inline::Link { words, url } => {
                let _ = write!(out, "[{}]({})", escaped(words), address(url));
            }
        }
    }
    out
}

/// Text in the cell of a table.
pub(super) fn cell(cell: &Text) -> String {
    // Tables end a cell at each bar, even one in code.
    text(cell).replace('|', "\\|")
}

/// Code with a fence longer than each run of backquotes in it.
pub(super) fn code(words: &str) -> String {
    let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    if longest == 0 {
        return format!("`{words}`");
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence} {words} {fence}")
}

/// Words in which nothing is markup.
pub(super) fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn address(url: &str) -> String {
    url.replace(' ', "%20").replace('(', "%28").replace(')', "%29")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_files_are_no_markup() {
        assert_eq!(text(&Text::of("a_b_c [x](y) <b>")), "a\\_b\\_c \\[x\\](y) \\<b\\>");
        assert_eq!(cell(&Text::default().code("a | b")), "`a \\| b`");
        assert_eq!(code("a ` b"), "`` a ` b ``");
    }
}
