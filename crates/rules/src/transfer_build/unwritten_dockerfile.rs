//! Taking out a step of a script that replaces a Dockerfile.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;
use plimsoll_model::images::Image;
use plimsoll_text::{Edit, Fix, Place, Span};

use super::program_not_in_image;
use crate::{Findings, edits};

/// Removes the function that writes the Dockerfile, with its call. Where the image that it describes cannot start,
/// nobody can miss it.
pub(super) fn fix(facts: &Facts, written: &Image, replaced: &Image) -> Option<Fix> {
    let place = written.written_by?;
    let writer = facts.commands.iter().find(|command| command.place == place)?;
    let name = writer.function.as_deref()?;
    let own: Vec<&Command> = facts
        .commands
        .of_unit(writer.unit)
        .iter()
        .filter(|command| command.function.as_deref() == Some(name))
        .collect();
    let only = own.iter().all(|command| {
        matches!(
            command.program.as_str(),
            "cat" | "scp" | "ssh" | "pct" | "rm" | "cp" | "echo" | "printf" | "mv"
        ) || command.program.contains("log")
            || command.program.contains("info")
    });
    let mut calls = facts.commands.of_unit(writer.unit).iter().filter(|command| command.program == name);
    let (call, None) = (calls.next()?, calls.next()) else { return None };
    let alone = edits::line_head(facts, call.place).trim().is_empty()
        && edits::line_tail(facts, call.place).trim().is_empty();
    let delivers =
        own.iter().any(|command| command.arg_texts().any(|arg| arg.ends_with(replaced.path.as_str())));
    if !(only && alone && delivers && edits::in_script(facts, writer)) {
        return None;
    }
    let edits = Some(vec![definition(facts, writer, name)?, edits::remove_lines(facts, call.place)]);
    let title = format!("build `{}` as it is in the repository", replaced.path);
    if cannot_start(facts, place) { edits::safe(title, edits) } else { edits::review(title, edits) }
}

fn cannot_start(facts: &Facts, place: Place) -> bool {
    let mut found = Vec::new();
    program_not_in_image::check(facts, &mut Findings::new(&program_not_in_image::RULE, &mut found));
    found.iter().any(|finding| {
        finding.primary.place.file == place.file && finding.primary.place.span.start >= place.span.start
    })
}

/// The lines of a function whose braces stand at the start of a line, with the comment above and one empty line.
fn definition(facts: &Facts, writer: &Command, name: &str) -> Option<Edit> {
    let (_, function) = facts.commands.function(writer.unit, name)?;
    let file = facts.files.get(function.place.file);
    let mut first = file.line_of(function.place.span.start);
    let last =
        (file.line_of(writer.place.span.end)..file.line_count()).find(|line| file.line_text(*line) == "}")?;
    if file.line_text(first).starts_with([' ', '\t']) || !file.line_text(first).trim_end().ends_with('{') {
        return None;
    }
    while first > 0 && file.line_text(first - 1).starts_with('#') {
        first -= 1;
    }
    let behind = if file.line_text(last + 1).is_empty() { last + 2 } else { last + 1 };
    let span = Span::new(file.line_span(first).start, file.line_span(behind).start);
    Some(edits::remove(Place::new(function.place.file, span)))
}
