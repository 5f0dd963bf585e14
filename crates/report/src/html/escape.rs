//! Text from evaluated files as text of a page, and nothing but text.

use std::fmt::{Display, Formatter, Result};

/// Text that is safe between tags and in quoted attributes. Characters that steer a terminal or turn the direction
/// of reading would let a file show something else than it holds: they are named instead.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        // What stands between characters that change is written at once; most texts have none of these.
        let mut from = 0;
        for (at, c) in self.0.char_indices() {
            let named = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                '\n' | '\t' | ' '..='~' => continue,
                _ if c.is_control() => "\u{fffd}",
                _ if is_unseen(c) => "",
                _ => continue,
            };
            f.write_str(self.0.get(from..at).unwrap_or_default())?;
            if named.is_empty() {
                write!(f, "[U+{:04X}]", u32::from(c))?;
            } else {
                f.write_str(named)?;
            }
            from = at + c.len_utf8();
        }
        f.write_str(self.0.get(from..).unwrap_or_default())
    }
}

/// Marks that turn the direction of reading, and letters of no width (Unicode's Bidi_Control, and "Trojan Source",
/// CVE-2021-42574).
const fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Escaped(text).to_string()
    }

    #[test]
    fn nothing_in_a_file_becomes_markup() {
        assert_eq!(shown("<script>alert(1)</script>"), "&lt;script&gt;alert(1)&lt;/script&gt;");
        assert_eq!(shown("\" onmouseover='x' &amp;"), "&quot; onmouseover=&#39;x&#39; &amp;amp;");
        assert_eq!(shown("--> <![CDATA["), "--&gt; &lt;![CDATA[");
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{200b}"), "a[U+202E]b[U+2066]c[U+200B]");
        assert_eq!(shown("a\u{1b}[2J\0\u{85}"), "a\u{fffd}[2J\u{fffd}\u{fffd}");
        assert_eq!(shown("a\n\tb é 漢 🚢"), "a\n\tb é 漢 🚢");
    }
}
