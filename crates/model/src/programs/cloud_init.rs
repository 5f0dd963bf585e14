//! Cloud-init user-data: `bootcmd`, `runcmd` and the scripts among `write_files`.

use std::sync::Arc;

use plimsoll_syntax::shell::{self, Script};
use plimsoll_syntax::yaml::{Node, Stream};
use plimsoll_text::{FileId, Place};

use super::unit;
use crate::commands::{Machine, Origin, Strict, Unit};

/// The programs of user-data. They run in the guest, as root, at its first boot.
pub(crate) fn cloud_init(file: FileId, stream: &Stream) -> Vec<Unit> {
    let mut units = Vec::new();
    for document in &stream.documents {
        for key in ["bootcmd", "runcmd"] {
            let Some(list) = document.entry(key) else { continue };
            let mut script = Script::default();
            for item in list.value.items() {
                match item.scalar() {
                    Some(text) => super::append(&mut script, &text.layer),
                    None => script.body.extend(argument_list(item)),
                }
            }
            units.push(Unit {
                file,
                origin: Origin::CloudInit,
                place: Place::new(file, list.key.span),
                script: Arc::new(script),
                machine: Machine::Guest,
                strict: Strict::default(),
                environment: Vec::new(),
                directory: None,
            });
        }
        for written in document.get("write_files").map(|list| list.items()).unwrap_or_default() {
            let content = written.get("content").and_then(|content| content.scalar());
            if let Some(content) = content.filter(|content| content.value.starts_with("#!")) {
                units.push(unit(file, Origin::CloudInit, &content.layer, Machine::Guest));
            }
        }
    }
    units
}

/// A command written as a list: no shell reads it, so each item is one word.
fn argument_list(node: &Node) -> Option<shell::Stmt> {
    let scalars: Vec<_> = node.items().iter().filter_map(|item| item.scalar()).collect();
    let words: Vec<Arc<shell::Word>> =
        scalars.iter().map(|scalar| shell::literal_word(&scalar.layer).into()).collect();
    let span = words.iter().map(|word| word.span).reduce(plimsoll_text::Span::cover)?;
    Some(shell::Stmt {
        kind: shell::StmtKind::Simple(shell::SimpleCommand { assignments: Vec::new(), words }),
        span,
        negated: false,
        background: false,
        redirects: Vec::new(),
    })
}
