//! Bodies and expressions.

use std::ops::Range;

use plimsoll_text::{Layer, Spanned, SyntaxError};

use super::ast::{Attribute, Block, Body, Expression, ExpressionKind, Hcl};
use super::template::{dedented, interpolation_end, quoted, starts_interpolation};
use crate::scan::{byte, char_len, start, text_of};

/// Anything nested deeper than this is kept as text.
const MAX_DEPTH: usize = 64;

/// Reads an HCL file. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> Hcl {
    let mut parser =
        Parser { layer, text: layer.text(), at: start(layer.text()), depth: 0, out: Hcl::default() };
    let mut body = Body::default();
    while parser.body(&mut body) {
        parser.error(parser.at.saturating_sub(1)..parser.at, "`}` without a block");
    }
    parser.out.body = body;
    parser.out
}

struct Parser<'a> {
    layer: &'a Layer,
    text: &'a str,
    at: usize,
    depth: usize,
    out: Hcl,
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

impl Parser<'_> {
    fn peek(&self) -> u8 {
        byte(self.text, self.at)
    }

    fn done(&self) -> bool {
        self.at >= self.text.len()
    }

    fn error(&mut self, range: Range<usize>, message: &str) {
        let place = self.layer.place(range);
        self.out.errors.push(SyntaxError { place, message: message.to_owned() });
    }

    fn spanned(&self, range: Range<usize>) -> Spanned<String> {
        Spanned::new(text_of(self.text, range.clone()).to_owned(), self.layer.place(range))
    }

    /// Skips blanks and comments; newlines too when asked.
    fn blanks(&mut self, newlines: bool) {
        while !self.done() {
            let rest = text_of(self.text, self.at..self.text.len());
            match self.peek() {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' if newlines => self.at += 1,
                b'#' => self.comment(1, rest.find('\n').unwrap_or(rest.len()), 0),
                b'/' if rest.starts_with("//") => self.comment(2, rest.find('\n').unwrap_or(rest.len()), 0),
                b'/' if rest.starts_with("/*") => {
                    let end = rest.get(2..).and_then(|inner| inner.find("*/"));
                    match end {
                        Some(end) => self.comment(2, end + 4, 2),
                        None => {
                            self.error(self.at..self.at + 2, "comment without an end");
                            self.comment(2, rest.len(), 0);
                        }
                    }
                }
                _ => return,
            }
        }
    }

    fn comment(&mut self, mark: usize, length: usize, close: usize) {
        let inner = self.at + mark..self.at + length - close;
        let comment = self.spanned(inner).map(|text| text.trim_end().to_owned());
        self.out.comments.push(comment);
        self.at += length;
    }

    fn name(&mut self) -> Range<usize> {
        let start = self.at;
        while is_name_start(self.peek()) || self.peek().is_ascii_digit() || self.peek() == b'-' {
            if self.done() {
                break;
            }
            self.at += 1;
        }
        start..self.at
    }

    fn skip_line(&mut self) {
        let rest = text_of(self.text, self.at..self.text.len());
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    /// Reads up to the end (false) or a closing brace (true, consumed).
    fn body(&mut self, body: &mut Body) -> bool {
        loop {
            self.blanks(true);
            if self.done() {
                return false;
            }
            if self.peek() == b'}' {
                self.at += 1;
                return true;
            }
            let start = self.at;
            let quoted_name = self.peek() == b'"';
            if !is_name_start(self.peek()) && !quoted_name {
                self.skip_line();
                self.error(start..self.at, "expected a name");
                continue;
            }
            let name = if quoted_name { self.label() } else { Some(self.name()) };
            let name = self.spanned(name.unwrap_or(start..self.at));
            self.structure(body, name, start);
        }
    }

    fn structure(&mut self, body: &mut Body, name: Spanned<String>, start: usize) {
        self.blanks(false);
        if matches!(self.peek(), b'=' | b':') && byte(self.text, self.at + 1) != b'=' {
            self.at += 1;
            self.blanks(false);
            let value = self.expression(false);
            let place = self.layer.place(start..self.at);
            body.attributes.push(Attribute { name, value, place });
            self.end_of_line();
            return;
        }
        let mut labels = Vec::new();
        loop {
            self.blanks(false);
            match self.peek() {
                b'"' => match self.label() {
                    Some(label) => labels.push(self.spanned(label)),
                    None => return,
                },
                b'{' => break,
                first if is_name_start(first) && !self.done() => {
                    let label = self.name();
                    labels.push(self.spanned(label));
                }
                _ => {
                    self.skip_line();
                    self.error(start..self.at, "expected `=` or `{`");
                    return;
                }
            }
        }
        let open = self.at;
        self.at += 1;
        let mut inner = Body::default();
        if self.depth >= MAX_DEPTH {
            self.at = open;
            self.skip_balanced();
        } else {
            self.depth += 1;
            if !self.body(&mut inner) {
                self.error(open..open + 1, "block without `}`");
            }
            self.depth -= 1;
        }
        let place = self.layer.place(start..self.at);
        body.blocks.push(Block { kind: name, labels, body: inner, place });
    }

    fn end_of_line(&mut self) {
        self.blanks(false);
        if !self.done() && !matches!(self.peek(), b'\n' | b'}' | b',') {
            let start = self.at;
            self.skip_line();
            self.error(start..self.at, "expected the end of the line");
        }
        if self.peek() == b',' {
            self.at += 1;
        }
    }

    /// A quoted label or key on one line; its range without quotes.
    fn label(&mut self) -> Option<Range<usize>> {
        let start = self.at + 1;
        let end = self.string_end(start);
        self.at = (end + 1).min(self.text.len());
        if byte(self.text, end) != b'"' {
            self.error(start - 1..end, "string without an end");
            return None;
        }
        Some(start..end)
    }

    /// Where the closing quote of a string stands, or the end of its line.
    fn string_end(&self, mut at: usize) -> usize {
        while at < self.text.len() {
            match byte(self.text, at) {
                b'"' | b'\n' => return at,
                b'\\' => at += 1 + char_len(self.text, at + 1),
                b'$' | b'%' if byte(self.text, at) == byte(self.text, at + 1) => at += 2,
                _ if starts_interpolation(self.text, at) => {
                    at = interpolation_end(self.text, at, self.text.len());
                }
                _ => at += 1,
            }
        }
        self.text.len()
    }

    /// Skips a bracketed part with everything in it.
    fn skip_balanced(&mut self) {
        let mut depth = 0usize;
        while !self.done() {
            match self.peek() {
                b'{' | b'[' | b'(' => depth += 1,
                b'}' | b']' | b')' => depth = depth.saturating_sub(1),
                b'"' => self.at = self.string_end(self.at + 1).min(self.text.len()),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
    }

    /// An expression; inside parentheses and brackets newlines do not end it.
    fn expression(&mut self, multiline: bool) -> Expression {
        let start = self.at;
        let mut parts = Vec::new();
        let mut end = self.at;
        let mut operators = 0;
        loop {
            let before = self.at;
            if let Some(part) = self.primary() {
                parts.push(part);
                end = self.at;
            }
            self.blanks(multiline);
            let length = self.operator(operators > 0);
            if length > 0 {
                operators += 1;
                self.at += length;
                end = self.at;
                // The operand may follow on the next line.
                self.blanks(true);
            } else if self.done() || matches!(self.peek(), b'\n' | b',' | b'}' | b']' | b')' | b'=' | b':') {
                break;
            } else if self.at == before {
                // Nothing that an expression can hold: pass over it.
                self.at += char_len(self.text, self.at);
                operators += 1;
            } else if multiline {
                // Words that follow each other, as in `for name in …`.
                operators += 1;
            } else {
                break;
            }
        }
        self.finish(parts, operators, start..end)
    }

    /// Length of the operator that stands here; `:` is one only behind a `?` or in a `for`.
    fn operator(&self, inside: bool) -> usize {
        let rest = text_of(self.text, self.at..self.text.len());
        let two = text_of(rest, 0..2);
        match self.peek() {
            _ if matches!(two, "==" | "!=" | "<=" | ">=" | "&&" | "||" | "=>") => 2,
            b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'<' | b'>' | b'?' => 1,
            b':' if inside => 1,
            _ => 0,
        }
    }

    fn finish(&mut self, mut parts: Vec<Expression>, operators: usize, range: Range<usize>) -> Expression {
        if operators == 0
            && parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return only;
        }
        if parts.is_empty() {
            self.error(range.clone(), "expected an expression");
        }
        Expression { kind: ExpressionKind::Other(parts), place: self.layer.place(range) }
    }

    fn primary(&mut self) -> Option<Expression> {
        let start = self.at;
        let kind = match self.peek() {
            _ if self.done() => return None,
            b'"' => {
                let end = self.string_end(self.at + 1);
                self.at = (end + 1).min(self.text.len());
                if byte(self.text, end) != b'"' {
                    self.error(start..end, "string without an end");
                    self.at = end;
                }
                quoted(self.layer, start + 1..end)
            }
            b'<' if text_of(self.text, self.at..self.text.len()).starts_with("<<") => self.heredoc()?,
            b'[' | b'{' | b'(' if self.depth >= MAX_DEPTH => {
                self.skip_balanced();
                ExpressionKind::Other(Vec::new())
            }
            b'[' => {
                let items = self.nested(b']');
                ExpressionKind::List(items)
            }
            b'(' => {
                let mut items = self.nested(b')');
                match (items.pop(), items.is_empty()) {
                    (Some(only), true) => only.kind,
                    (last, _) => ExpressionKind::Other(items.into_iter().chain(last).collect()),
                }
            }
            b'{' => self.object(),
            b'-' | b'0'..=b'9' if self.number() => {
                ExpressionKind::Number(text_of(self.text, start..self.at).to_owned())
            }
            first if is_name_start(first) => self.named(),
            _ => return None,
        };
        self.traversal();
        let range = start..self.at;
        let place = self.layer.place(range.clone());
        let kind = match kind {
            ExpressionKind::Reference(_) => ExpressionKind::Reference(text_of(self.text, range).to_owned()),
            kind => kind,
        };
        Some(Expression { kind, place })
    }

    fn number(&mut self) -> bool {
        let digits = self.at + usize::from(self.peek() == b'-');
        if !byte(self.text, digits).is_ascii_digit() {
            return false;
        }
        self.at = digits;
        while self.peek().is_ascii_alphanumeric() || self.peek() == b'.' {
            self.at += 1;
        }
        true
    }

    fn named(&mut self) -> ExpressionKind {
        let name = self.name();
        match text_of(self.text, name.clone()) {
            "true" => return ExpressionKind::Bool(true),
            "false" => return ExpressionKind::Bool(false),
            "null" => return ExpressionKind::Null,
            _ => {}
        }
        // Provider functions are named `provider::name::function`.
        while text_of(self.text, self.at..self.text.len()).starts_with("::") {
            self.at += 2;
            self.name();
        }
        if self.peek() == b'(' && self.depth < MAX_DEPTH {
            let name = self.spanned(name.start..self.at);
            return ExpressionKind::Call { name, arguments: self.nested(b')') };
        }
        ExpressionKind::Reference(String::new())
    }

    /// `.name`, `.0`, `.*` and `[index]` behind a value.
    fn traversal(&mut self) {
        loop {
            match self.peek() {
                b'.' if is_name_start(byte(self.text, self.at + 1))
                    || matches!(byte(self.text, self.at + 1), b'0'..=b'9' | b'*') =>
                {
                    self.at += 1;
                    if self.peek() == b'*' {
                        self.at += 1;
                    } else {
                        self.name();
                    }
                }
                b'[' => self.skip_balanced(),
                _ => return,
            }
        }
    }

    /// Expressions between brackets, separated by commas.
    fn nested(&mut self, close: u8) -> Vec<Expression> {
        let open = self.at;
        self.at += 1;
        self.depth += 1;
        let mut out = Vec::new();
        loop {
            self.blanks(true);
            if self.done() {
                self.error(open..open + 1, "bracket without an end");
                break;
            }
            if self.peek() == close {
                self.at += 1;
                break;
            }
            let before = self.at;
            if matches!(self.peek(), b',' | b'}' | b']' | b')') {
                self.at += 1;
                continue;
            }
            out.push(self.expression(true));
            if text_of(self.text, self.at..self.text.len()).starts_with("...") {
                self.at += 3;
            }
            if self.at == before {
                self.at += char_len(self.text, self.at);
            }
        }
        self.depth -= 1;
        out
    }

    fn object(&mut self) -> ExpressionKind {
        let open = self.at;
        self.at += 1;
        self.blanks(true);
        let rest = text_of(self.text, self.at..self.text.len());
        if rest.starts_with("for ") {
            self.at = open;
            let parts = self.nested(b'}');
            return ExpressionKind::Other(parts);
        }
        self.depth += 1;
        let mut entries = Vec::new();
        loop {
            self.blanks(true);
            if self.done() {
                self.error(open..open + 1, "bracket without an end");
                break;
            }
            match self.peek() {
                b'}' => {
                    self.at += 1;
                    break;
                }
                b',' | b']' | b')' => {
                    self.at += 1;
                    continue;
                }
                _ => {}
            }
            let before = self.at;
            let key = self.expression(false);
            self.blanks(false);
            if matches!(self.peek(), b'=' | b':') {
                self.at += 1;
                self.blanks(true);
                let value = self.expression(false);
                entries.push((key, value));
            } else {
                self.error(before..self.at, "expected `=` after a key");
            }
            if self.at == before {
                self.at += char_len(self.text, self.at);
            }
        }
        self.depth -= 1;
        ExpressionKind::Object(entries)
    }

    fn heredoc(&mut self) -> Option<ExpressionKind> {
        let start = self.at;
        let strip = byte(self.text, self.at + 2) == b'-';
        self.at += 2 + usize::from(strip);
        let name = self.name();
        let name = text_of(self.text, name).to_owned();
        if name.is_empty() {
            self.at = start;
            return None;
        }
        self.skip_line();
        let body = (self.at + 1).min(self.text.len());
        let mut at = body;
        loop {
            let rest = text_of(self.text, at..self.text.len());
            let length = rest.find('\n').unwrap_or(rest.len());
            if text_of(rest, 0..length).trim() == name {
                self.at = at + text_of(rest, 0..length).trim_end().len();
                break;
            }
            at += length + 1;
            if at >= self.text.len() {
                at = self.text.len();
                self.at = at;
                self.error(start..start + 2, "here document without an end");
                break;
            }
        }
        let range = body..at.max(body);
        let layer = if strip { dedented(self.layer, range) } else { self.layer.slice(range) };
        Some(ExpressionKind::Heredoc(layer))
    }
}
