//! From text to a script, whatever the text.

use std::borrow::Cow;

use plimsoll_text::{Layer, LayerBuilder, Place, SyntaxError};
use shuck_parser::parser::{ParseResult, Parser, ShellDialect, ShellProfile};

use super::holes::{cover, find};
use super::word::{MAX_DEPTH, Reader};
use super::{OuterExpansion, Script, Word};

/// Reads a script.
///
/// Bash is read, and POSIX sh as what it shares with bash. Any text gives a script: what cannot be read is listed
/// in its errors, and the commands around it are kept.
#[must_use]
pub fn parse(layer: &Layer) -> Script {
    if let Some(range) = bracket_run(layer.text()) {
        let message = "more opening brackets in a row than any command has".to_owned();
        return Script {
            errors: vec![SyntaxError { place: layer.place(range), message }],
            ..Script::default()
        };
    }
    parse_nested(layer, &[])
}

/// A thousand equal opening brackets in a row: no program, and reading them takes time that grows with their square.
fn bracket_run(text: &str) -> Option<std::ops::Range<usize>> {
    let mut run = 0;
    let mut last = 0;
    for (at, byte) in text.bytes().enumerate() {
        run = if byte == last && matches!(byte, b'{' | b'(' | b'[') { run + 1 } else { 1 };
        last = byte;
        if run == 1000 {
            return Some(at + 1 - run..at + 1);
        }
    }
    None
}

/// Reads a script out of a word, such as an argument of `ssh` or `bash -c`.
///
/// `outer` says which expansions in the text are gone before this shell reads it; see [`Word::outer`]. They are
/// marked with [`super::Parameter::expanded_outside`] and are found even in single quotes.
#[must_use]
pub fn parse_nested(layer: &Layer, outer: &[OuterExpansion]) -> Script {
    let mut fuel = layer.text().len().saturating_mul(4).max(64 * 1024);
    parse_text(layer, outer, 0, 0, &mut fuel)
}

/// Joins words with blanks, as `ssh` joins its arguments to one command line for [`parse_nested`].
///
/// Without words there is nothing to join: an empty text would stand nowhere.
#[must_use]
pub fn join(words: &[&Word]) -> Option<(Layer, Vec<OuterExpansion>)> {
    let (first, rest) = words.split_first()?;
    if rest.is_empty() {
        return Some((first.decoded.clone(), first.outer.clone()));
    }
    let mut joined = LayerBuilder::new(&first.decoded, 0);
    let mut outer = Vec::new();
    let mut before: Option<&Layer> = None;
    for word in words {
        if let Some(before) = before {
            let end = before.text().len();
            let mut blank = LayerBuilder::new(before, end);
            blank.decoded(" ", end..end);
            joined.layer(&blank.finish());
        }
        before = Some(&word.decoded);
        let at = joined.len();
        joined.layer(&word.decoded);
        outer.extend(word.outer.iter().map(|expansion| OuterExpansion {
            range: expansion.range.start + at..expansion.range.end + at,
            shells: expansion.shells,
        }));
    }
    Some((joined.finish(), outer))
}

pub(super) fn parse_text(
    layer: &Layer,
    outer: &[OuterExpansion],
    outside: u8,
    depth: usize,
    fuel: &mut usize,
) -> Script {
    let (layer, outer) = unix_lines(layer, outer);
    let (layer, text) = (&layer, layer.text());
    if depth >= MAX_DEPTH || text.len() > *fuel {
        let place = Place::new(layer.file(), layer.span(0..text.len()));
        let error = SyntaxError { place, message: "nested too deeply".to_owned() };
        return Script { errors: vec![error], ..Script::default() };
    }
    *fuel -= text.len();
    let holes = find(text, &outer);
    let covered = without_depth(without_aliases(cover(text, &holes)));
    let (parsed, errors) = recover(&covered, MAX_DEPTH - depth);
    let mut reader = Reader {
        layer,
        text,
        holes: &holes,
        outside,
        depth,
        fuel: *fuel,
        comments: Vec::new(),
        errors: Vec::new(),
    };
    for (range, message) in errors {
        reader.error(range, &message);
    }
    let (body, _) = reader.sequence(&parsed.file.body);
    *fuel = reader.fuel;
    Script { body, comments: reader.comments, errors: reader.errors }.sorted()
}

impl Script {
    /// The same with comments and errors in the order of the text, each once.
    pub(super) fn sorted(mut self) -> Self {
        self.comments.sort_by_key(|comment| comment.span);
        self.comments.dedup();
        self.errors.sort();
        self.errors.dedup();
        self
    }
}

type Found = Vec<(std::ops::Range<usize>, String)>;

/// Parses; where that fails, covers the line that is to blame with blanks and parses again, so that one mistake
/// does not cost the commands behind it. The errors are those of the text as it was.
fn recover(text: &str, depth: usize) -> (ParseResult, Found) {
    let mut parsed = parse_once(text, depth);
    let errors: Found = parsed
        .diagnostics
        .iter()
        .map(|diagnostic| {
            let start = text.floor_char_boundary(diagnostic.span.start.offset());
            let end = text.floor_char_boundary(diagnostic.span.end.offset()).max(start);
            (start..end, lowercase_first(&diagnostic.message))
        })
        .collect();
    if parsed.diagnostics.is_empty() {
        return (parsed, errors);
    }
    let mut rest = text.to_owned();
    let mut rounds = if text.len() > 128 * 1024 { 2 } else { 12 };
    while let Some(diagnostic) = parsed.diagnostics.first()
        && rounds > 0
    {
        rounds -= 1;
        let failed = rest.floor_char_boundary(diagnostic.span.start.offset());
        let at_end = rest.get(failed..).is_none_or(|rest| rest.trim().is_empty());
        let at = if at_end { after_last(&parsed, rest.len()) } else { failed };
        let Some(mut line) = line_to_blame(&rest, at) else { break };
        if !at_end && line.contains(&at) {
            line.start = at;
        }
        let blank: String = rest.get(line.clone()).unwrap_or_default().bytes().map(|_| ' ').collect();
        rest.replace_range(line, &blank);
        parsed = parse_once(&rest, depth);
    }
    (parsed, errors)
}

/// The text with as many plain letters in the place of other characters. They mean nothing to a shell's grammar, words
/// are read from the text itself, and shuck 0.2.8 splits such characters in some nested substitutions.
fn ascii(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            plain.push(c);
        } else {
            plain.extend(std::iter::repeat_n('x', c.len_utf8()));
        }
    }
    plain.into()
}

fn parse_once(text: &str, depth: usize) -> ParseResult {
    let fuel = text.len().max(100_000);
    let text = &ascii(text);
    Parser::with_limits_and_profile(text, depth, fuel, ShellProfile::native(ShellDialect::Bash)).parse()
}

/// Where the command begins that ran into the end of the text: behind the last one that did not.
fn after_last(parsed: &ParseResult, end: usize) -> usize {
    let Some(last) = parsed.file.body.last() else { return 0 };
    let heredocs = last.redirects.iter().filter_map(|redirect| redirect.heredoc());
    let bodies = heredocs.map(|heredoc| heredoc.body.span.end.offset());
    bodies.fold(last.span.end.offset(), usize::max).min(end)
}

/// The first line from `at` on that holds more than blanks and a comment.
fn line_to_blame(text: &str, at: usize) -> Option<std::ops::Range<usize>> {
    let mut at = text.floor_char_boundary(at);
    if text.get(at..).is_none_or(|rest| rest.trim().is_empty()) {
        at = text.trim_end().len();
        at = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    }
    let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
    let mut from = start;
    for line in text.get(start..)?.split_inclusive('\n') {
        let code = line.trim();
        let end = from + line.trim_end_matches('\n').len();
        if end > at && !code.is_empty() && !code.starts_with('#') {
            return Some(from..end);
        }
        from += line.len();
    }
    None
}

fn lowercase_first(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    first + characters.as_str()
}

/// The text without the option that makes the parser put the words of an alias in place of its name, which then
/// stand nowhere in the text.
fn without_aliases(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains("expand_aliases") {
        Cow::Owned(text.replace("expand_aliases", "keep___aliases"))
    } else {
        text
    }
}

/// The text without `${` nested so deeply that the time the parser takes grows with the cube of the depth.
fn without_depth(text: Cow<'_, str>) -> Cow<'_, str> {
    const DEEP: usize = 64;
    let mut deep = Vec::new();
    let mut depth: usize = 0;
    for (at, _) in text.match_indices(['$', '}']) {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with("${") {
            depth += 1;
            if depth > DEEP {
                deep.push(at..at + 2);
            }
        } else if rest.starts_with('}') {
            if depth > DEEP {
                deep.push(at..at + 1);
            }
            depth = depth.saturating_sub(1);
        }
    }
    if deep.is_empty() {
        return text;
    }
    let mut text = text.into_owned();
    for range in deep {
        let blank = "_".repeat(range.len());
        text.replace_range(range, &blank);
    }
    Cow::Owned(text)
}

/// The text with `\r\n` read as a newline.
fn unix_lines(layer: &Layer, outer: &[OuterExpansion]) -> (Layer, Vec<OuterExpansion>) {
    let text = layer.text();
    if !text.contains("\r\n") {
        return (layer.clone(), outer.to_vec());
    }
    let mut unix = LayerBuilder::new(layer, 0);
    let mut returns = Vec::new();
    let mut from = 0;
    for (at, ending) in text.match_indices("\r\n") {
        unix.verbatim(from..at);
        unix.decoded("\n", at..at + ending.len());
        from = at + ending.len();
        returns.push(at);
    }
    unix.verbatim(from..text.len());
    let moved = |at: usize| at - returns.partition_point(|&position| position < at);
    let outer = outer.iter().map(|expansion| OuterExpansion {
        range: moved(expansion.range.start)..moved(expansion.range.end),
        shells: expansion.shells,
    });
    (unix.finish(), outer.collect())
}
