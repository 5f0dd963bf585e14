//! Commands, entrypoints and health checks of Compose services.

use std::sync::Arc;

use plimsoll_syntax::shell::{self, Script};
use plimsoll_syntax::yaml::{Node, Stream};
use plimsoll_text::{FileId, Place};

use crate::commands::{Machine, Origin, Strict, Unit};

/// The programs that services of a Compose file start.
pub(crate) fn compose(file: FileId, stream: &Stream) -> Vec<Unit> {
    let mut units = Vec::new();
    for document in &stream.documents {
        for service in document.get("services").map(|services| services.entries()).unwrap_or_default() {
            let Some(name) = service.key.as_str() else { continue };
            let nodes = [
                service.value.get("entrypoint"),
                service.value.get("command"),
                service
                    .value
                    .at(&["healthcheck", "test"])
                    .map(|_| service.value.get("healthcheck"))
                    .and_then(|check| check.and_then(|check| check.get("test"))),
            ];
            for node in nodes.into_iter().flatten() {
                let Some(script) = service_script(node) else { continue };
                units.push(Unit {
                    file,
                    origin: Origin::ServiceCommand { service: name.to_owned() },
                    place: Place::new(file, node.span),
                    script: Arc::new(script),
                    machine: Machine::Container,
                    strict: Strict::default(),
                    environment: Vec::new(),
                    directory: None,
                });
            }
        }
    }
    units
}

fn service_script(node: &Node) -> Option<Script> {
    if let Some(text) = node.scalar() {
        return Some(shell::parse(&text.layer));
    }
    let items: Vec<_> = node.items().iter().filter_map(|item| item.scalar()).collect();
    let (first, rest) = items.split_first()?;
    let words = match first.value.as_str() {
        "CMD-SHELL" => return rest.first().map(|text| shell::parse(&text.layer)),
        "CMD" => rest,
        "NONE" => return None,
        _ => items.as_slice(),
    };
    let words: Vec<Arc<shell::Word>> =
        words.iter().map(|scalar| shell::literal_word(&scalar.layer).into()).collect();
    let span = words.iter().map(|word| word.span).reduce(plimsoll_text::Span::cover)?;
    Some(Script {
        body: vec![shell::Stmt {
            kind: shell::StmtKind::Simple(shell::SimpleCommand { assignments: Vec::new(), words }),
            span,
            negated: false,
            background: false,
            redirects: Vec::new(),
        }],
        ..Script::default()
    })
}
