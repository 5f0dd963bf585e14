//! Batch files of Windows: the programs that they start take the same arguments as elsewhere.

use std::sync::Arc;

use plimsoll_syntax::shell::Script;
use plimsoll_text::{FileId, Layer};

use super::{append, unit};
use crate::commands::{Machine, Origin, Unit};

/// The lines that a shell would read alike.
pub(crate) fn batch(file: FileId, layer: &Layer) -> Unit {
    let mut script = Script::default();
    let mut start = 0;
    for line in layer.text().split_inclusive('\n') {
        let from = start;
        start += line.len();
        let text = line.trim();
        let word =
            text.trim_start_matches('@').split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let other = text.starts_with([':', '(', ')'])
            || matches!(
                word.as_str(),
                "" | "rem" | "echo." | "if" | "for" | "setlocal" | "set" | "else" | "goto"
            );
        // A decorated line of `echo` is full of characters that a shell would take for its own.
        if other || (word == "echo" && !text.contains('|')) {
            continue;
        }
        let lead = line.len() - line.trim_start().trim_start_matches('@').len();
        append(&mut script, &layer.slice(from + lead..from + line.trim_end().len()));
    }
    Unit { script: Arc::new(script), ..unit(file, Origin::Script, &layer.slice(0..0), Machine::Workstation) }
}
