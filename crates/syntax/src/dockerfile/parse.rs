//! Directives and stages.

use std::collections::BTreeMap;

use plimsoll_text::{Layer, Spanned, SyntaxError};

use super::ast::{Base, Dockerfile, InstructionKind, Pair, Stage};
use super::instruction::{instruction, keyword};
use super::logical::Cursor;
use super::reference::{ImageReference, expand};
use super::words::{flags, pairs, value, words};
use crate::scan::{lines, start, text_of, trim};

/// Reads a Dockerfile. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> Dockerfile {
    let mut out = Dockerfile { directives: directives(layer), ..Dockerfile::default() };
    let escape = match directive(&out.directives, "escape") {
        Some("`") => b'`',
        _ => b'\\',
    };
    let mut cursor = Cursor { layer, escape, at: start(layer.text()), comments: Vec::new() };
    while let Some(line) = cursor.next_logical() {
        let (word, rest) = keyword(&line, 0);
        match word.as_str() {
            "FROM" => {
                let stage = stage(&line, rest, escape, &mut out);
                out.stages.push(stage);
            }
            "ARG" if out.stages.is_empty() => {
                out.global_args.extend(pairs(&line, rest, escape, false));
            }
            _ => {
                let read = instruction(&mut cursor, &line, 0, &mut out.errors);
                match out.stages.last_mut() {
                    Some(stage) => stage.instructions.push(read),
                    None if matches!(read.kind, InstructionKind::Other { .. }) => {}
                    None => {
                        let message = format!("`{word}` before the first `FROM`");
                        out.errors.push(SyntaxError { place: read.place, message });
                    }
                }
            }
        }
    }
    if out.stages.is_empty() {
        let place = layer.place(0..0);
        out.errors.push(SyntaxError { place, message: "no `FROM` instruction".to_owned() });
    }
    out.comments = cursor.comments;
    out
}

/// `# name=value` lines before anything else.
fn directives(layer: &Layer) -> Vec<Pair> {
    let text = layer.text();
    let mut out = Vec::new();
    for line in lines(text) {
        let line = trim(text, line);
        let Some(body) = text_of(text, line.clone()).strip_prefix('#') else { break };
        let Some(equals) = body.find('=') else { break };
        let start = line.start + 1;
        let name = trim(text, start..start + equals);
        let assigned = trim(text, start + equals + 1..line.end);
        if !matches!(text_of(text, name.clone()).to_ascii_lowercase().as_str(), "syntax" | "escape" | "check")
        {
            break;
        }
        let spanned = |range: std::ops::Range<usize>| {
            Spanned::new(text_of(text, range.clone()).to_owned(), layer.place(range))
        };
        let name = spanned(name).map(|name| name.to_ascii_lowercase());
        out.push(Pair { name, value: Some(spanned(assigned)), place: layer.place(line) });
    }
    out
}

fn directive<'a>(directives: &'a [Pair], name: &str) -> Option<&'a str> {
    let pair = directives.iter().find(|pair| pair.name.value == name)?;
    pair.value.as_ref().map(|value| value.value.as_str())
}

fn stage(layer: &Layer, rest: std::ops::Range<usize>, escape: u8, file: &mut Dockerfile) -> Stage {
    let (flags, at) = flags(layer, rest.clone(), escape);
    let place = layer.place(trim(layer.text(), 0..layer.text().len()));
    let mut words =
        words(layer.text(), at..rest.end, escape).into_iter().map(|word| value(layer, word, escape));
    let written = words.next().unwrap_or_else(|| value(layer, rest.end..rest.end, escape));
    let (keyword, name) = (words.next(), words.next());
    let well_formed = match (&keyword, &name) {
        (None, _) => !written.value.is_empty(),
        (Some(keyword), Some(_)) => keyword.value.eq_ignore_ascii_case("as") && words.next().is_none(),
        (Some(_), None) => false,
    };
    if !well_formed {
        let message = "expected `FROM image [AS name]`".to_owned();
        file.errors.push(SyntaxError { place, message });
    }
    let name = name.filter(|_| well_formed).map(|name| name.map(|name| name.to_lowercase()));
    if let Some(name) = &name {
        let taken = |stage: &Stage| stage.name.as_ref().is_some_and(|other| other.value == name.value);
        if file.stages.iter().any(taken) {
            let message = format!("duplicate stage name `{}`", name.value);
            file.errors.push(SyntaxError { place: name.place, message });
        }
    }
    let platform = flags.into_iter().find(|flag| flag.name == "platform").and_then(|flag| flag.value);
    let reference = resolve(&written.value, &file.global_args).and_then(|text| ImageReference::parse(&text));
    Stage {
        index: file.stages.len(),
        place,
        base: Base { written, reference },
        name,
        platform,
        instructions: Vec::new(),
    }
}

/// Fills in the defaults of global arguments, which may refer to earlier ones.
fn resolve(text: &str, args: &[Pair]) -> Option<String> {
    if !text.contains('$') {
        return Some(text.to_owned());
    }
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    for pair in args {
        let Some(assigned) = &pair.value else { continue };
        if let Some(expanded) = expand(&assigned.value, &|name| known.get(name).cloned()) {
            known.insert(pair.name.value.as_str(), expanded);
        }
    }
    expand(text, &|name| known.get(name).cloned())
}
