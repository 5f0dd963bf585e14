//! Reads expansions: `$x`, `${…}`, `$(…)`, backticks, `$((…))`, `<(…)` and `$'…'`.

use std::ops::Range;

use plimsoll_text::LayerBuilder;

use super::build::WordBuilder;
use super::parse::parse_text;
use super::scan::{closing_backtick, closing_paren};
use super::word::{Known, KnownKind, Mode, Reader};
use super::{OuterExpansion, Parameter, ParameterOp, PartKind, Quote, Script, Word};

/// An expansion and the position behind it.
type Read = (PartKind, usize);

impl Reader<'_> {
    /// Reads what starts with `$`, a backtick, `<` or `>`; nothing when it is fixed text.
    pub(super) fn expansion(
        &mut self,
        at: usize,
        end: usize,
        mode: Mode,
        known: &[Known<'_>],
        out: &mut WordBuilder,
    ) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let (first, second) = (*bytes.get(at)?, bytes.get(at + 1).copied().filter(|_| at + 1 < end));
        if first == b'$' && mode == Mode::Bare {
            match second {
                Some(b'\'') => return Some(self.ansi_quoted(at, end, out)),
                // The string that a translation may replace: the quotes count, the `$` does not.
                Some(b'"') => return Some(at + 1),
                _ => {}
            }
        }
        if !self.enter(at..end) {
            out.verbatim(self.layer, at..end, Quote::Double);
            return Some(end);
        }
        let found = known
            .binary_search_by_key(&at, |known| known.range.start)
            .ok()
            .and_then(|index| known.get(index))
            .filter(|known| known.range.end <= end);
        let read = match (first, second) {
            (b'`', _) => self.backticks(at, end, mode, found),
            (b'<' | b'>', Some(b'(')) if mode == Mode::Bare => self
                .commands(at, end, found)
                .map(|(script, after)| (PartKind::Process(Box::new(script)), after)),
            (b'<' | b'>', _) => None,
            (_, Some(b'(')) => self.substitution(at, end, found),
            (_, Some(b'[')) => self.old_arithmetic(at, found),
            (_, Some(b'{')) => Some(self.braced(at, end, mode, known, found)),
            (_, Some(_)) => self.plain(at, end),
            (_, None) => None,
        };
        self.depth -= 1;
        let (kind, after) = read?;
        let quote = if mode == Mode::Bare { Quote::None } else { Quote::Double };
        out.expansion(self.layer, kind, at..after, quote, self.outside);
        Some(after)
    }

    /// Reads an expansion that an outer shell carried out; quotes around it are no obstacle.
    pub(super) fn outer_expansion(
        &mut self,
        range: &Range<usize>,
        shells: u8,
        mode: Mode,
        out: &mut WordBuilder,
    ) -> usize {
        let inside = std::mem::replace(&mut self.outside, shells);
        let reading = if mode == Mode::Bare { Mode::Bare } else { Mode::Double };
        let after = self.expansion(range.start, range.end, reading, &[], out);
        self.outside = inside;
        let after = after.unwrap_or(range.start);
        let quote = if mode == Mode::Bare { Quote::None } else { Quote::Double };
        out.verbatim(self.layer, after..range.end, quote);
        range.end
    }

    fn substitution(&mut self, at: usize, end: usize, found: Option<&Known<'_>>) -> Option<Read> {
        let arithmetic = |reader: &Self, after: usize| {
            let inside = reader.text.get(at + 3..after - 2).unwrap_or_default();
            (PartKind::Arithmetic(inside.to_owned()), after)
        };
        match found.map(|known| known.kind) {
            Some(KnownKind::Arithmetic) => {
                return found.map(|known| arithmetic(self, known.range.end));
            }
            None if self.text.get(at..end).is_some_and(|text| text.starts_with("$((")) => {
                let close = closing_paren(self.text, at + 2, end)?;
                if close > at + 3 && self.text.as_bytes().get(close - 1) == Some(&b')') {
                    return Some(arithmetic(self, close + 1));
                }
            }
            _ => {}
        }
        self.commands(at, end, found).map(|(script, after)| (PartKind::Command(Box::new(script)), after))
    }

    fn old_arithmetic(&self, at: usize, found: Option<&Known<'_>>) -> Option<Read> {
        let after = found.filter(|known| matches!(known.kind, KnownKind::Arithmetic))?.range.end;
        let inside = self.text.get(at + 2..after - 1)?;
        Some((PartKind::Arithmetic(inside.to_owned()), after))
    }

    /// `$(…)`, `<(…)` or `>(…)`: an introducing character, then commands in parentheses.
    fn commands(&mut self, at: usize, end: usize, found: Option<&Known<'_>>) -> Option<(Script, usize)> {
        if let Some(Known { range, kind: KnownKind::Commands(sequence) }) = found {
            let inside = at + 2..range.end - 1;
            return Some((self.nested(inside, Some(sequence)), range.end));
        }
        let close = closing_paren(self.text, at + 2, end)?;
        Some((self.nested(at + 2..close, None), close + 1))
    }

    fn backticks(&mut self, at: usize, end: usize, mode: Mode, found: Option<&Known<'_>>) -> Option<Read> {
        let close = closing_backtick(self.text, at + 1, end)?;
        let inside = self.text.get(at + 1..close)?;
        if !inside.contains('\\') {
            let sequence = match found.map(|known| (known.kind, known.range.end)) {
                Some((KnownKind::Commands(sequence), after)) if after == close + 1 => Some(sequence),
                _ => None,
            };
            return Some((PartKind::Command(Box::new(self.nested(at + 1..close, sequence))), close + 1));
        }
        let mut decoded = LayerBuilder::new(self.layer, at + 1);
        let mut from = at + 1;
        for (offset, _) in inside.match_indices('\\') {
            let backslash = at + 1 + offset;
            let next = self.text.as_bytes().get(backslash + 1);
            let escapes =
                matches!(next, Some(b'\\' | b'`' | b'$')) || mode == Mode::Double && next == Some(&b'"');
            if backslash >= from && escapes && backslash + 1 < close {
                decoded.verbatim(from..backslash);
                let text = self.text.get(backslash + 1..backslash + 2).unwrap_or_default();
                decoded.decoded(text, backslash..backslash + 2);
                from = backslash + 2;
            }
        }
        decoded.verbatim(from..close);
        let script = parse_text(&decoded.finish(), &[], self.outside, self.depth, &mut self.fuel);
        self.merge(&script);
        Some((PartKind::Command(Box::new(script)), close + 1))
    }

    /// The script in a substitution, from the parser's statements or, where it gave up, by reading it again.
    fn nested(&mut self, inside: Range<usize>, sequence: Option<&shuck_ast::StmtSeq>) -> Script {
        let parsed = sequence.filter(|sequence| {
            let comments = sequence.leading_comments.len() + sequence.trailing_comments.len();
            !sequence.stmts.is_empty() || comments > 0
        });
        let script = match parsed {
            Some(sequence) => {
                let comments = std::mem::take(&mut self.comments);
                let errors = std::mem::take(&mut self.errors);
                let (body, _) = self.sequence(sequence);
                let script = Script {
                    body,
                    comments: std::mem::replace(&mut self.comments, comments),
                    errors: std::mem::replace(&mut self.errors, errors),
                };
                script.sorted()
            }
            None if self.text.get(inside.clone()).is_none_or(|text| text.trim().is_empty()) => {
                return Script::default();
            }
            None => {
                let outer: Vec<_> = self.outer_within(&inside).collect();
                parse_text(&self.layer.slice(inside), &outer, self.outside, self.depth, &mut self.fuel)
            }
        };
        self.merge(&script);
        script
    }

    fn merge(&mut self, script: &Script) {
        self.comments.extend(script.comments.iter().cloned());
        self.errors.extend(script.errors.iter().cloned());
    }

    fn outer_within(&self, range: &Range<usize>) -> impl Iterator<Item = OuterExpansion> {
        let first = self.holes.partition_point(|hole| hole.range.start < range.start);
        let start = range.start;
        self.holes.iter().skip(first).take_while(|hole| hole.range.end <= range.end).filter_map(move |hole| {
            match hole.kind {
                super::holes::HoleKind::Outer(shells) => {
                    Some(OuterExpansion { range: hole.range.start - start..hole.range.end - start, shells })
                }
                super::holes::HoleKind::Template => None,
            }
        })
    }

    fn plain(&self, at: usize, end: usize) -> Option<Read> {
        let length = name_length(self.text.get(at + 1..end)?, false)?;
        let after = at + 1 + length;
        Some((self.parameter(at + 1..after, ParameterOp::None), after))
    }

    fn braced(
        &mut self,
        at: usize,
        end: usize,
        mode: Mode,
        known: &[Known<'_>],
        found: Option<&Known<'_>>,
    ) -> Read {
        let inside = at + 2;
        let close =
            found.filter(|known| matches!(known.kind, KnownKind::Parameter)).map(|known| known.range.end - 1);
        let limit = close.unwrap_or(end);
        let body = self.text.get(inside..limit).unwrap_or_default();
        let marked =
            body.starts_with(['!', '#']) && name_length(body.get(1..).unwrap_or_default(), true).is_some();
        let start = inside + usize::from(marked);
        let length = name_length(self.text.get(start..limit).unwrap_or_default(), true).unwrap_or(0);
        let name = start..start + length;
        let rest = self.text.get(name.end..limit).unwrap_or_default();
        let operator_at = usize::from(rest.starts_with(':'));
        let operator = rest.as_bytes().get(operator_at).filter(|_| !marked && length > 0);
        if let Some(operator @ (b'-' | b'=' | b'?' | b'+')) = operator {
            let (word, close) = self.operand(name.end + operator_at + 1, close, end, mode, known);
            let word = Box::new(word);
            let operation = match operator {
                b'-' => ParameterOp::Default(word),
                b'=' => ParameterOp::Assign(word),
                b'?' => ParameterOp::Error(word),
                _ => ParameterOp::Alternate(word),
            };
            return (self.parameter(name, operation), (close + 1).min(end));
        }
        let (_, close) = self.operand(name.end, close, end, mode, known);
        let operation = match self.text.get(name.end..close).unwrap_or_default() {
            "" if !marked && length > 0 => ParameterOp::None,
            "@Q" | "@K" | "@A" if !marked => ParameterOp::Quoted,
            _ => ParameterOp::Other(self.text.get(inside..close).unwrap_or_default().to_owned()),
        };
        (self.parameter(name, operation), (close + 1).min(end))
    }

    /// The word of an operation and the position of the brace that ends it.
    fn operand(
        &mut self,
        from: usize,
        close: Option<usize>,
        end: usize,
        mode: Mode,
        known: &[Known<'_>],
    ) -> (Word, usize) {
        let reading = if mode == Mode::Bare { Mode::Bare } else { Mode::Double };
        let mut builder = WordBuilder::default();
        let (limit, stop) = close.map_or((end, Some(b'}')), |close| (close, None));
        let close = self.parts(from..limit, reading, stop, known, &mut builder);
        let (parts, decoded, outer) = builder.finish(self.layer, from);
        (Word { span: self.layer.span(from..close), parts, decoded, outer }, close)
    }

    fn parameter(&self, name: Range<usize>, operation: ParameterOp) -> PartKind {
        let name = self.text.get(name).unwrap_or_default().to_owned();
        PartKind::Parameter(Parameter { name, operation, expanded_outside: self.outside })
    }

    fn ansi_quoted(&mut self, at: usize, end: usize, out: &mut WordBuilder) -> usize {
        let opened = out.open_quote(self.layer);
        let mut from = at + 2;
        loop {
            let rest = self.text.get(from..end).unwrap_or_default();
            let run = rest.find(['\'', '\\']).unwrap_or(rest.len());
            out.verbatim(self.layer, from..from + run, Quote::Single);
            from += run;
            match rest.as_bytes().get(run) {
                Some(b'\\') => {
                    let (text, length) = ansi_escape(rest.get(run + 1..).unwrap_or_default());
                    out.decoded(self.layer, &text, from..from + 1 + length, Quote::Single);
                    from += 1 + length;
                }
                _ => break,
            }
        }
        out.close_quote(self.layer, opened, at + 2, Quote::Single);
        (from + 1).min(end)
    }
}

/// Bytes of the parameter name at the start of the text. Only braces allow numbers of several digits.
fn name_length(text: &str, braced: bool) -> Option<usize> {
    let first = *text.as_bytes().first()?;
    let while_in = |wanted: fn(&u8) -> bool| text.bytes().take_while(wanted).count();
    match first {
        b'0'..=b'9' if braced => Some(while_in(u8::is_ascii_digit)),
        b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-' => Some(1),
        b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
            Some(while_in(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'))
        }
        _ => None,
    }
}

/// What the escape after a backslash in `$'…'` stands for and how many bytes it takes.
fn ansi_escape(text: &str) -> (String, usize) {
    let Some(first) = text.chars().next() else { return ("\\".to_owned(), 0) };
    let number = |from: usize, most: usize, radix: u32| {
        let digits: String = text
            .get(from..)
            .unwrap_or_default()
            .chars()
            .take(most)
            .take_while(|digit| digit.is_digit(radix))
            .collect();
        let value = u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32);
        value.map(|value| (value.to_string(), from + digits.len()))
    };
    let simple = |text: &str| Some((text.to_owned(), 1));
    match first {
        'n' => simple("\n"),
        't' => simple("\t"),
        'r' => simple("\r"),
        'a' => simple("\u{7}"),
        'b' => simple("\u{8}"),
        'f' => simple("\u{c}"),
        'v' => simple("\u{b}"),
        'e' | 'E' => simple("\u{1b}"),
        '\\' | '\'' | '"' | '?' => Some((first.to_string(), 1)),
        'x' => number(1, 2, 16),
        'u' => number(1, 4, 16),
        'U' => number(1, 8, 16),
        '0'..='7' => number(0, 3, 8),
        _ => None,
    }
    .unwrap_or_else(|| (format!("\\{first}"), first.len_utf8()))
}
