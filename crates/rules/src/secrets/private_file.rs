//! Turning a guessable file with secrets into a private one that is always removed.

use plimsoll_model::Facts;
use plimsoll_model::commands::Command;
use plimsoll_syntax::shell::{PartKind, Quote};
use plimsoll_text::{Edit, Fix, Place, Span};

use super::written::target;
use crate::edits;

/// Makes the file with `mktemp`, removes it in a `trap`, and gives its copy on another machine the same name.
/// Nothing where a use of the path cannot be rewritten.
pub(super) fn fix(facts: &Facts, writer: &Command) -> Option<Fix> {
    let path = target(writer)?.to_owned();
    if !edits::in_script(facts, writer) || path.contains(['$', '*', '{']) || !is_first(facts, writer, &path) {
        return None;
    }
    let name = variable(&path)?;
    let file = facts.files.get(writer.place.file);
    if file.holds(&name) {
        return None;
    }
    let mut edits = Vec::new();
    for (at, _) in file.text().match_indices(&path) {
        let start = u32::try_from(at).ok()?;
        let span = Span::new(start, start + u32::try_from(path.len()).ok()?);
        let next = file.text().get(span.end as usize..)?.chars().next();
        if next.is_some_and(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            || span.start < writer.place.span.start
        {
            return None;
        }
        if is_comment(file.line_text(file.line_of(start))) {
            continue;
        }
        let place = Place::new(writer.place.file, span);
        let text = match quote(facts, writer, place)? {
            Quote::None => format!("\"${{{name}}}\""),
            Quote::Double => format!("${{{name}}}"),
            Quote::Single => return None,
        };
        edits.push(edits::replace(place, text));
    }
    let unit = facts.commands.of_unit(writer.unit);
    let copies: Vec<&Command> = unit
        .iter()
        .filter(|c| c.program == "scp" && c.carrier.is_none() && c.arg_texts().any(|arg| arg == path))
        .collect();
    let mut far = String::new();
    for copy in copies {
        let destination = copy.operands().last()?;
        let (host, folder) = destination.value.text.split_once(':')?;
        if host.is_empty() || folder != path && !matches!(folder, "/tmp" | "/tmp/") {
            continue;
        }
        let written = facts.text(destination.place);
        if folder != path {
            let at = edits::part(facts, destination.place, &format!(":{folder}"))?;
            let quoted = written.starts_with('"');
            let new = if quoted { format!(":${{{name}}}") } else { format!(":\"${{{name}}}\"") };
            edits.push(edits::replace(at, new));
        }
        let host = written.trim_start_matches('"').split_once(':')?.0;
        if !far.contains(host) {
            far.push_str(&format!("; ssh \"{host}\" \"rm -f ${{{name}}}\" || true"));
        }
    }
    let stem =
        path.rsplit('/').next()?.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("secrets");
    let mut lines = format!("{name}=\"$(mktemp /tmp/{stem}.XXXXXX)\"");
    if !unit.iter().any(|command| command.program == "trap") {
        lines.push_str(&format!("\ntrap 'rm -f \"${{{name}}}\"{far}' EXIT"));
    }
    edits.push(before_statement(facts, writer, &lines)?);
    edits::safe("keep the secrets in a private file that is always removed", Some(edits))
}

/// Whether no other file with secrets is written before this one: one `trap` would replace the other.
fn is_first(facts: &Facts, writer: &Command, path: &str) -> bool {
    let earlier = facts.commands.of_unit(writer.unit).iter().filter(|command| command.id < writer.id);
    super::written::written_by(facts, earlier)
        .iter()
        .all(|line| target(line.command).is_none_or(|other| other == path || !other.starts_with("/tmp/")))
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// A name for the variable, made of the file's.
fn variable(path: &str) -> Option<String> {
    let name: String = path
        .rsplit('/')
        .next()?
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let name = name.trim_matches('_').to_owned();
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    (starts_well && name.len() > 3).then_some(name)
}

/// How the script quotes what stands at a place; nothing when it is no word of a command.
fn quote(facts: &Facts, writer: &Command, place: Place) -> Option<Quote> {
    let own = |command: &&Command| command.carrier.is_none();
    let commands = || facts.commands.of_unit(writer.unit).iter().filter(own);
    let part = commands()
        .flat_map(|command| &command.args)
        .flat_map(|arg| &arg.word.parts)
        .find(|part| part.span.contains(place.span));
    if let Some(part) = part {
        return matches!(part.kind, PartKind::Literal(_)).then_some(part.quote);
    }
    let output = commands()
        .flat_map(|command| &command.outputs)
        .find(|output| output.place.span.contains(place.span))?;
    let text = facts.text(output.place);
    Some(match text.chars().find(|c| matches!(c, '"' | '\'')) {
        Some('"') => Quote::Double,
        Some(_) => Quote::Single,
        None => Quote::None,
    })
}

/// Lines in front of the statement that a command belongs to, when that starts its line.
fn before_statement(facts: &Facts, command: &Command, lines: &str) -> Option<Edit> {
    let place = facts.commands.outermost(command).place;
    edits::line_head(facts, place).trim().is_empty().then(|| edits::lines_before(facts, place, lines))
}
