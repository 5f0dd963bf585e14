//! One instruction out of its logical line.

use std::ops::Range;

use plimsoll_text::{Layer, Place, SyntaxError};

use super::ast::{Command, Copy, Flag, Healthcheck, Heredoc, Instruction, InstructionKind, Run, Source};
use super::logical::{Cursor, Opener, opener};
use super::words::{flags, json_array, pairs, value, words};
use crate::scan::{byte, text_of, trim};

/// The keyword in upper case and the range of the rest.
pub(super) fn keyword(layer: &Layer, from: usize) -> (String, Range<usize>) {
    let text = layer.text();
    let line = trim(text, from..text.len());
    let rest = text_of(text, line.clone());
    let length = rest.find([' ', '\t']).unwrap_or(rest.len());
    (text_of(rest, 0..length).to_ascii_uppercase(), trim(text, line.start + length..line.end))
}

/// Reads one instruction other than `FROM`; heredoc bodies are taken from the cursor.
pub(super) fn instruction(
    cursor: &mut Cursor<'_>,
    layer: &Layer,
    from: usize,
    errors: &mut Vec<SyntaxError>,
) -> Instruction {
    let (keyword, rest) = keyword(layer, from);
    let mut place = layer.place(trim(layer.text(), from..layer.text().len()));
    let escape = cursor.escape;
    let single = || value(layer, rest.clone(), escape);
    let kind = match keyword.as_str() {
        "ARG" => InstructionKind::Arg(pairs(layer, rest.clone(), escape, false)),
        "ENV" => InstructionKind::Env(pairs(layer, rest.clone(), escape, true)),
        "LABEL" => InstructionKind::Label(pairs(layer, rest.clone(), escape, true)),
        "RUN" => InstructionKind::Run(run(cursor, layer, rest.clone(), &mut place, errors)),
        "COPY" | "ADD" => {
            let add = keyword == "ADD";
            InstructionKind::Copy(copy(cursor, layer, rest.clone(), add, &mut place, errors))
        }
        "CMD" => InstructionKind::Cmd(command(layer, rest.clone())),
        "ENTRYPOINT" => InstructionKind::Entrypoint(command(layer, rest.clone())),
        "HEALTHCHECK" => InstructionKind::Healthcheck(healthcheck(layer, rest.clone(), escape, errors)),
        "USER" => InstructionKind::User(single()),
        "WORKDIR" => InstructionKind::Workdir(single()),
        "STOPSIGNAL" => InstructionKind::Stopsignal(single()),
        "EXPOSE" => InstructionKind::Expose(list(layer, rest.clone(), escape)),
        "VOLUME" => InstructionKind::Volume(list(layer, rest.clone(), escape)),
        "SHELL" => InstructionKind::Shell(list(layer, rest.clone(), escape)),
        "ONBUILD" if !rest.is_empty() && from == 0 => {
            let inner = instruction(cursor, layer, rest.start, errors);
            place.span = place.span.cover(inner.place.span);
            InstructionKind::Onbuild(Box::new(inner))
        }
        _ => {
            if keyword != "MAINTAINER" {
                errors.push(SyntaxError { place, message: format!("unknown instruction `{keyword}`") });
            }
            InstructionKind::Other { keyword: keyword.clone(), rest: single() }
        }
    };
    if rest.is_empty() && !matches!(kind, InstructionKind::Other { .. }) {
        errors.push(SyntaxError { place, message: format!("`{keyword}` without arguments") });
    }
    Instruction { kind, place }
}

fn command(layer: &Layer, rest: Range<usize>) -> Command {
    match json_array(layer, rest.clone()) {
        Some(words) => Command::Exec(words),
        None => Command::Shell(layer.slice(rest)),
    }
}

fn list(layer: &Layer, rest: Range<usize>, escape: u8) -> Vec<plimsoll_text::Spanned<String>> {
    json_array(layer, rest.clone()).unwrap_or_else(|| {
        words(layer.text(), rest, escape).into_iter().map(|word| value(layer, word, escape)).collect()
    })
}

fn healthcheck(layer: &Layer, rest: Range<usize>, escape: u8, errors: &mut Vec<SyntaxError>) -> Healthcheck {
    let (flags, at) = flags(layer, rest.clone(), escape);
    let (kind, arguments) = keyword(layer, at);
    let command = match kind.as_str() {
        "NONE" => None,
        "CMD" => Some(command(layer, arguments)),
        _ => {
            let place = layer.place(at..rest.end);
            errors.push(SyntaxError { place, message: "expected `CMD` or `NONE`".to_owned() });
            Some(command(layer, at..rest.end))
        }
    };
    Healthcheck { flags, command }
}

/// Takes the bodies of all heredocs off the cursor and widens the instruction's place over them.
fn bodies(
    cursor: &mut Cursor<'_>,
    openers: &[Opener],
    place: &mut Place,
    errors: &mut Vec<SyntaxError>,
) -> Vec<Heredoc> {
    let mut out = Vec::new();
    for opener in openers {
        let (heredoc, terminated) = cursor.heredoc(opener);
        let text = cursor.layer.text();
        let mut end = cursor.at.min(text.len());
        while end > 0 && matches!(byte(text, end - 1), b'\n' | b'\r') {
            end -= 1;
        }
        place.span = place.span.cover(cursor.layer.span(end..end));
        if !terminated {
            let message = format!("here document `{}` has no end", opener.name.value);
            errors.push(SyntaxError { place: opener.name.place, message });
        }
        out.push(heredoc);
    }
    out
}

fn run(
    cursor: &mut Cursor<'_>,
    layer: &Layer,
    rest: Range<usize>,
    place: &mut Place,
    errors: &mut Vec<SyntaxError>,
) -> Run {
    let (flags, at) = flags(layer, rest.clone(), cursor.escape);
    let range = at..rest.end;
    if let Some(words) = json_array(layer, range.clone()) {
        return Run { flags, command: Command::Exec(words), heredocs: Vec::new() };
    }
    if !text_of(layer.text(), range.clone()).contains("<<") {
        return Run { flags, command: Command::Shell(layer.slice(range)), heredocs: Vec::new() };
    }
    let words = words(layer.text(), range.clone(), cursor.escape);
    let openers: Vec<Opener> = words.iter().filter_map(|word| opener(layer, word.clone())).collect();
    let before = cursor.at.min(cursor.layer.text().len());
    let heredocs = bodies(cursor, &openers, place, errors);
    let only_heredoc = openers.len() == 1 && words.len() == 1;
    let command = match heredocs.first() {
        Some(heredoc) if only_heredoc => heredoc.body.clone(),
        Some(_) => {
            // The shell reads the heredocs itself: give it the instruction and the bodies as they stand.
            let mut builder = plimsoll_text::LayerBuilder::new(layer, range.start);
            builder.layer(&layer.slice(range.clone()));
            let end = cursor.at.min(cursor.layer.text().len());
            builder.decoded("\n", range.end..range.end);
            builder.layer(&cursor.layer.slice(before..end));
            builder.finish()
        }
        None => layer.slice(range),
    };
    Run { flags, command: Command::Shell(command), heredocs }
}

fn copy(
    cursor: &mut Cursor<'_>,
    layer: &Layer,
    rest: Range<usize>,
    add: bool,
    place: &mut Place,
    errors: &mut Vec<SyntaxError>,
) -> Copy {
    let escape = cursor.escape;
    let (flags, at): (Vec<Flag>, usize) = flags(layer, rest.clone(), escape);
    let mut sources = Vec::new();
    let destination;
    if let Some(mut paths) = json_array(layer, at..rest.end) {
        destination = paths.pop();
        sources.extend(paths.into_iter().map(Source::Path));
    } else {
        let mut words = words(layer.text(), at..rest.end, escape);
        destination = words.pop().map(|word| value(layer, word, escape));
        for word in words {
            match opener(layer, word.clone()) {
                Some(mut opener) => {
                    opener.unescape = opener.expand;
                    let mut found = bodies(cursor, &[opener], place, errors);
                    sources.extend(found.pop().map(Source::Heredoc));
                }
                None => sources.push(Source::Path(value(layer, word, escape))),
            }
        }
    }
    if sources.is_empty() {
        let message = "expected a source and a destination".to_owned();
        errors.push(SyntaxError { place: *place, message });
    }
    let destination = destination.unwrap_or_else(|| value(layer, rest.end..rest.end, escape));
    Copy { add, flags, sources, destination }
}
