//! Reads words: quotes, escapes and the borders of expansions.

use std::ops::Range;

use plimsoll_text::{Layer, Place, SyntaxError};
use shuck_ast::StmtSeq;

use super::build::WordBuilder;
use super::holes::{Hole, HoleKind};
use super::{Comment, Quote, Word};

/// Expansions and commands nested deeper than this are kept as text.
pub(super) const MAX_DEPTH: usize = 100;

/// Turns the parsed statements of one text into our tree, reading the words itself.
///
/// All positions are bytes of `text`; `layer` turns them into spans of the file.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) layer: &'a Layer,
    pub(super) text: &'a str,
    pub(super) holes: &'a [Hole],
    /// How many shells further out the expansions read now are carried out.
    pub(super) outside: u8,
    pub(super) depth: usize,
    /// Bytes that may still be parsed again where the parser gave up on a nested script.
    pub(super) fuel: usize,
    pub(super) comments: Vec<Comment>,
    pub(super) errors: Vec<SyntaxError>,
}

/// An expansion whose borders the parser found.
#[derive(Debug)]
pub(super) struct Known<'s> {
    pub(super) range: Range<usize>,
    pub(super) kind: KnownKind<'s>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum KnownKind<'s> {
    Commands(&'s StmtSeq),
    Arithmetic,
    Parameter,
}

/// Which characters are special.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Outside quotes.
    Bare,
    /// Inside double quotes.
    Double,
    /// The body of a heredoc; tabs at the start of lines are dropped or not.
    Heredoc { strip: bool },
    /// Nothing is special.
    Fixed { strip: bool },
}

impl Mode {
    fn quote(self) -> Quote {
        match self {
            Self::Bare => Quote::None,
            Self::Double | Self::Heredoc { .. } => Quote::Double,
            Self::Fixed { .. } => Quote::Single,
        }
    }

    fn strips(self) -> bool {
        matches!(self, Self::Heredoc { strip: true } | Self::Fixed { strip: true })
    }

    fn is_special(self, byte: u8, stop: Option<u8>) -> bool {
        Some(byte) == stop
            || match self {
                Self::Bare => matches!(byte, b'\\' | b'\'' | b'"' | b'$' | b'`' | b'<' | b'>'),
                Self::Double => matches!(byte, b'\\' | b'"' | b'$' | b'`'),
                Self::Heredoc { .. } => matches!(byte, b'\\' | b'$' | b'`'),
                Self::Fixed { .. } => false,
            }
    }
}

impl Reader<'_> {
    /// Reads a range of the text as one word.
    pub(super) fn word(&mut self, range: Range<usize>, mode: Mode, known: &[Known<'_>]) -> Word {
        let mut builder = WordBuilder::default();
        self.parts(range.clone(), mode, None, known, &mut builder);
        let span = self.layer.span(range.clone());
        let (parts, decoded, outer) = builder.finish(self.layer, range.start);
        Word { span, parts, decoded, outer }
    }

    /// Reads parts up to the end of the range or to an unquoted `stop`; returns where it ended.
    pub(super) fn parts(
        &mut self,
        range: Range<usize>,
        mode: Mode,
        stop: Option<u8>,
        known: &[Known<'_>],
        out: &mut WordBuilder,
    ) -> usize {
        let end = range.end;
        let quote = mode.quote();
        let mut at = range.start;
        let mut template_end = at;
        let mut line_start = mode.strips();
        while at < end {
            if line_start {
                at += self.text.as_bytes().get(at..end).map_or(0, tabs);
                line_start = false;
                continue;
            }
            if let Some(hole) = self.hole_at(at)
                && hole.range.end <= end
                && at >= template_end
            {
                let hole = hole.clone();
                match hole.kind {
                    HoleKind::Outer(shells) => {
                        at = self.outer_expansion(&hole.range, shells, mode, out);
                        continue;
                    }
                    HoleKind::Template if matches!(mode, Mode::Bare | Mode::Fixed { .. }) => {
                        out.verbatim(self.layer, hole.range.clone(), quote);
                        at = hole.range.end;
                        continue;
                    }
                    HoleKind::Template => template_end = hole.range.end,
                }
            }
            let Some(&byte) = self.text.as_bytes().get(at) else { break };
            let in_template = at < template_end;
            if Some(byte) == stop && !in_template {
                return at;
            }
            let next = match byte {
                b'\\' if mode.is_special(byte, None) => Some(self.escape(at, end, mode, stop, out)),
                b'\'' if mode == Mode::Bare => Some(self.single_quoted(at, end, out)),
                b'"' if matches!(mode, Mode::Bare | Mode::Double) && !in_template => {
                    Some(self.double_quoted(at, end, known, out))
                }
                b'$' | b'`' | b'<' | b'>'
                    if mode.is_special(byte, None) && !(in_template && byte == b'`') =>
                {
                    self.expansion(at, end, mode, known, out)
                }
                _ => None,
            };
            if let Some(next) = next {
                at = next.max(at + 1);
                line_start = mode.strips() && self.text.as_bytes().get(at - 1) == Some(&b'\n');
                continue;
            }
            let run = self.literal_end(at, end, mode, stop);
            out.verbatim(self.layer, at..run, quote);
            line_start = mode.strips() && self.text.as_bytes().get(run - 1) == Some(&b'\n');
            at = run;
        }
        end.max(at)
    }

    /// Notes that something could not be read.
    pub(super) fn error(&mut self, range: Range<usize>, message: &str) {
        let place = Place::new(self.layer.file(), self.layer.span(range));
        self.errors.push(SyntaxError { place, message: message.to_owned() });
    }

    pub(super) fn hole_at(&self, at: usize) -> Option<&Hole> {
        self.holes
            .binary_search_by_key(&at, |hole| hole.range.start)
            .ok()
            .and_then(|index| self.holes.get(index))
    }

    fn literal_end(&self, at: usize, end: usize, mode: Mode, stop: Option<u8>) -> usize {
        let bytes = self.text.as_bytes();
        let next_hole = self.holes.partition_point(|hole| hole.range.start <= at);
        let limit = self.holes.get(next_hole).map_or(end, |hole| hole.range.start.min(end));
        let strips = mode.strips();
        let mut run = at + 1;
        while run < limit {
            if strips && bytes.get(run - 1) == Some(&b'\n') {
                break;
            }
            match bytes.get(run) {
                Some(&byte) if !mode.is_special(byte, stop) => run += 1,
                _ => break,
            }
        }
        run
    }

    fn escape(&self, at: usize, end: usize, mode: Mode, stop: Option<u8>, out: &mut WordBuilder) -> usize {
        let Some(next) = self.text.get(at + 1..end).and_then(|rest| rest.chars().next()) else {
            out.verbatim(self.layer, at..at + 1, mode.quote());
            return at + 1;
        };
        let after = at + 1 + next.len_utf8();
        let resolved = match mode {
            _ if next == '\n' => return after,
            Mode::Bare => true,
            Mode::Double => matches!(next, '$' | '`' | '"' | '\\') || stop == Some(b'}') && next == '}',
            _ => matches!(next, '$' | '`' | '\\'),
        };
        if resolved {
            let quote = if mode == Mode::Bare { Quote::Single } else { mode.quote() };
            let text = self.text.get(at + 1..after).unwrap_or_default();
            out.decoded(self.layer, text, at..after, quote);
        } else {
            out.verbatim(self.layer, at..after, mode.quote());
        }
        after
    }

    fn single_quoted(&mut self, at: usize, end: usize, out: &mut WordBuilder) -> usize {
        let opened = out.open_quote(self.layer);
        let close = self.parts(at + 1..end, Mode::Fixed { strip: false }, Some(b'\''), &[], out);
        out.close_quote(self.layer, opened, at + 1, Quote::Single);
        (close + 1).min(end)
    }

    fn double_quoted(&mut self, at: usize, end: usize, known: &[Known<'_>], out: &mut WordBuilder) -> usize {
        if !self.enter(at..end) {
            out.verbatim(self.layer, at..end, Quote::Double);
            return end;
        }
        let opened = out.open_quote(self.layer);
        let close = self.parts(at + 1..end, Mode::Double, Some(b'"'), known, out);
        out.close_quote(self.layer, opened, at + 1, Quote::Double);
        self.depth -= 1;
        (close + 1).min(end)
    }

    /// One level deeper, unless that is too deep.
    pub(super) fn enter(&mut self, range: Range<usize>) -> bool {
        if self.depth >= MAX_DEPTH {
            self.error(range, "nested too deeply");
            return false;
        }
        self.depth += 1;
        true
    }
}

fn tabs(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|&&byte| byte == b'\t').count()
}
