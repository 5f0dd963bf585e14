//! Where shell programs stand: one file for each kind of carrier.

mod ansible;
mod batch;
mod cloud_init;
mod compose;
mod files;
mod package;
mod python;
mod taskfile;
mod workflow;

use std::sync::Arc;

use plimsoll_syntax::shell::{self, Script, SimpleCommand, Stmt, StmtKind};
use plimsoll_syntax::yaml::Node;
use plimsoll_text::{FileId, Layer, LayerBuilder, Place};

use crate::commands::{Machine, Origin, Strict, Unit, Value};

pub(crate) use ansible::ansible;
pub(crate) use batch::batch;
pub(crate) use cloud_init::cloud_init;
pub(crate) use compose::compose;
pub(crate) use files::{dockerfile, justfile, makefile, markdown, script, terraform};
pub(crate) use package::package;
pub(crate) use python::python;
pub(crate) use taskfile::taskfile;
pub(crate) use workflow::workflow;

/// A program of one piece of text.
pub(crate) fn unit(file: FileId, origin: Origin, layer: &Layer, machine: Machine) -> Unit {
    Unit {
        file,
        origin,
        place: layer.full_place(),
        script: Arc::new(shell::parse(layer)),
        machine,
        strict: Strict::default(),
        environment: Vec::new(),
        directory: None,
    }
}

/// Appends the statements of one more piece of text to a script.
pub(crate) fn append(script: &mut Script, layer: &Layer) {
    let more = shell::parse(layer);
    script.body.extend(more.body);
    script.comments.extend(more.comments);
    script.errors.extend(more.errors);
}

/// Appends the command `PROGRAM NAME`, for a call that is written in another way than as a command.
pub(crate) fn call(script: &mut Script, program: &str, name: &Layer) {
    let word = shell::literal_word(name);
    let mut text = LayerBuilder::new(name, 0);
    text.decoded(program, 0..name.text().len());
    let span = word.span;
    let words = vec![shell::literal_word(&text.finish()).into(), word.into()];
    script.body.push(Stmt {
        kind: StmtKind::Simple(SimpleCommand { assignments: Vec::new(), words }),
        span,
        negated: false,
        background: false,
        redirects: Vec::new(),
    });
}

/// Variables of an `env:`-like mapping.
pub(crate) fn environment(file: FileId, node: Option<&Node>) -> Vec<(String, Value, Place)> {
    node.map(Node::entries)
        .unwrap_or_default()
        .iter()
        .filter_map(|entry| {
            let name = entry.key.as_str()?.to_owned();
            let value = entry.value.as_str().or_else(|| entry.value.get("sh").map(|_| "$(…)"))?;
            Some((name, template(value), Place::new(file, entry.value.span)))
        })
        .collect()
}

/// A value with `{{.NAME | default "x"}}` or `${{ … }}` in it.
fn template(text: &str) -> Value {
    use crate::commands::Source;
    let Some(start) = text.find("{{") else { return Value::literal(text) };
    let Some(length) = text.get(start..).and_then(|rest| rest.find("}}")) else {
        return Value::literal(text);
    };
    let inner = text.get(start + 2..start + length).unwrap_or_default().trim();
    let name: String = inner
        .trim_start_matches(['.', '$'])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        .collect();
    let default = inner.split_once("default").and_then(|(_, rest)| {
        let rest = rest.trim().trim_start_matches(['(', '\\']);
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        rest.get(1..)?.split([quote, '\\']).next().map(str::to_owned)
    });
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(start + length + 2..).unwrap_or_default();
    match default {
        Some(default) => Value {
            text: format!("{before}{default}{after}"),
            sources: vec![Source::Environment { name: name.clone() }],
        },
        None => {
            Value { text: format!("{before}${{{name}}}{after}"), sources: vec![Source::Environment { name }] }
        }
    }
}
