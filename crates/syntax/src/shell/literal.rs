//! Words that no shell reads.

use plimsoll_text::Layer;

use super::{Part, PartKind, Quote, Word};

/// A word that is exactly the text of a layer, as in an argument list that no shell reads.
#[must_use]
pub fn literal_word(layer: &Layer) -> Word {
    let span = layer.full_place().span;
    Word {
        span,
        parts: vec![Part {
            kind: PartKind::Literal(layer.text().to_owned()),
            span,
            quote: Quote::Single,
            expanded_outside: 0,
        }],
        decoded: layer.clone(),
        outer: Vec::new(),
    }
}
