//! Recipe text as a shell sees it.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder};

use super::ast::RecipeLine;
use crate::scan::{byte, text_of, trim};

/// Whether a text is a plain variable name.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A recipe line (continuations included) as the shell gets it.
pub(super) fn recipe_line(layer: &Layer, range: Range<usize>) -> RecipeLine {
    let text = layer.text();
    let mut start = trim(text, range.clone()).start;
    let (mut silent, mut ignores_errors) = (false, false);
    while start < range.end {
        match byte(text, start) {
            b'@' => silent = true,
            b'-' => ignores_errors = true,
            b'+' | b' ' | b'\t' => {}
            _ => break,
        }
        start += 1;
    }
    let shell = expanded(layer, start..range.end);
    RecipeLine { shell, silent, ignores_errors, place: layer.place(trim(text, range)) }
}

/// The text with make's dollar forms turned into the shell's.
pub(super) fn expanded(layer: &Layer, range: Range<usize>) -> Layer {
    let text = layer.text();
    if !text_of(text, range.clone()).contains(['$', '\n']) {
        return layer.slice(range);
    }
    let mut builder = LayerBuilder::new(layer, range.start);
    let mut at = range.start;
    let mut kept = at;
    while at < range.end {
        match byte(text, at) {
            // The tab that starts a continued recipe line is not passed on.
            b'\n' if byte(text, at + 1) == b'\t' && at + 1 < range.end => {
                builder.verbatim(kept..at + 1);
                kept = at + 2;
                at += 2;
            }
            b'$' => {
                let length = dollar(&mut builder, text, kept, at, range.end);
                at += length.unwrap_or(1);
                if length.is_some() {
                    kept = at;
                }
            }
            _ => at += 1,
        }
    }
    builder.verbatim(kept..range.end);
    builder.finish()
}

/// Handles a dollar form; gives its length when it wrote something.
fn dollar(builder: &mut LayerBuilder<'_>, text: &str, kept: usize, at: usize, end: usize) -> Option<usize> {
    match byte(text, at + 1) {
        b'$' if at + 1 < end => {
            builder.verbatim(kept..at);
            builder.decoded("$", at..at + 2);
            Some(2)
        }
        b'(' => {
            let inner = text_of(text, at + 2..end);
            if inner.starts_with("shell ") {
                builder.verbatim(kept..at + 2);
                return Some(2 + "shell ".len());
            }
            let length = inner.find(')')?;
            if !is_name(text_of(inner, 0..length)) {
                return None;
            }
            builder.verbatim(kept..at + 1);
            builder.decoded("{", at + 1..at + 2);
            builder.verbatim(at + 2..at + 2 + length);
            builder.decoded("}", at + 2 + length..at + 3 + length);
            Some(3 + length)
        }
        _ => None,
    }
}
