//! Text with marked words.

use std::fmt::{Display, Formatter, Result};

use super::escape::Escaped;
use crate::document::{Inline, Position, Text};

/// A paragraph, an item or a cell.
pub(super) struct Rich<'a>(pub(super) &'a Text);

impl Display for Rich<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        for inline in &self.0.0 {
            match inline {
                Inline::Words(words) => write!(f, "{}", Escaped(words))?,
                Inline::Strong(words) => write!(f, "<strong>{}</strong>", Escaped(words))?,
                Inline::Code(words) => write!(f, "<code>{}</code>", Escaped(words))?,
                Inline::Place(position) => write!(f, "{}", Place(position))?,
                Inline::Anchor { id, words } => {
                    write!(f, "<a href=\"#{}\">{}</a>", Escaped(id), Escaped(words))?;
                }
                Inline::Link { words, url } if is_web(url) => {
                    write!(f, "<a rel=\"noreferrer\" href=\"{}\">{}</a>", Escaped(url), Escaped(words))?;
                }
                Inline::Link { words, .. } => write!(f, "{}", Escaped(words))?,
            }
        }
        Ok(())
    }
}

/// Other schemes, such as `javascript:`, do something.
fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// A line of a file.
pub(super) struct Place<'a>(pub(super) &'a Position);

impl Display for Place<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "<code class=\"place\">{}:{}</code>", Escaped(&self.0.path), self.0.line)
    }
}

/// Paragraphs as one run.
pub(super) fn joined(texts: &[Text]) -> String {
    texts.iter().map(|text| Rich(text).to_string()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_words_become_elements_and_addresses_that_do_something_do_not() {
        let text = Text::of("see `a<b` ").strong("now").anchor("x", "there").link("w", "https://e.org/?a&b");
        assert_eq!(
            Rich(&text).to_string(),
            "see <code>a&lt;b</code> <strong>now</strong><a href=\"#x\">there</a>\
             <a rel=\"noreferrer\" href=\"https://e.org/?a&amp;b\">w</a>"
        );
        assert_eq!(Rich(&Text::default().link("w", "javascript:alert(1)")).to_string(), "w");
    }
}
