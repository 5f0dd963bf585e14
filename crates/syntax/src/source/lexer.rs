//! Reads tokens.

use super::tokens::{Dialect, Token, TokenKind};
use crate::scan::{byte, char_len, start, text_of};

pub(super) struct Lexer<'a> {
    text: &'a str,
    dialect: Dialect,
    at: usize,
    depth: u16,
    out: Vec<Token>,
    /// For each open template interpolation the depth of its brace.
    templates: Vec<u16>,
    unclosed: Option<usize>,
}

fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Self {
        let out = Vec::with_capacity(text.len() / 6);
        Self { text, dialect, at: start(text), depth: 0, out, templates: Vec::new(), unclosed: None }
    }

    pub(super) fn run(mut self) -> (Vec<Token>, Option<usize>) {
        while self.at < self.text.len() {
            self.token();
        }
        (self.out, self.unclosed)
    }

    fn push(&mut self, kind: TokenKind, from: usize, to: usize) {
        self.out.push(Token { kind, start: narrow(from), end: narrow(to), depth: self.depth });
        self.at = to;
    }

    fn token(&mut self) {
        let at = self.at;
        let next = byte(self.text, at + 1);
        match byte(self.text, at) {
            b' ' | b'\t' | b'\r' | b'\n' | b'\x0c' => self.at += 1,
            b'/' if next == b'/' => self.at = self.find(at, "\n"),
            b'/' if next == b'*' => {
                let end = self.find(at + 2, "*/");
                if end == self.text.len() {
                    self.unclosed.get_or_insert(at);
                }
                self.at = (end + 2).min(self.text.len());
            }
            b'#' if at == 0 && next == b'!' => self.at = self.find(at, "\n"),
            b'/' if self.dialect == Dialect::JavaScript && self.regex_may_start() => self.regex(at),
            b'"' => self.string(at, at, b'"'),
            b'\'' if self.dialect == Dialect::Rust => self.character(at),
            b'\'' => self.string(at, at, b'\''),
            b'`' if self.dialect == Dialect::JavaScript => self.template(at + 1),
            b'`' => {
                let end = (self.find(at + 1, "`") + 1).min(self.text.len());
                self.push(TokenKind::String, at, end);
            }
            b'}' if self.templates.last() == Some(&self.depth.saturating_sub(1)) => {
                self.depth = self.depth.saturating_sub(1);
                self.templates.pop();
                self.push(TokenKind::Mark, at, at + 1);
                self.template(at + 1);
            }
            b'(' | b'[' | b'{' => {
                self.push(TokenKind::Mark, at, at + 1);
                self.depth = self.depth.saturating_add(1);
            }
            b')' | b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.push(TokenKind::Mark, at, at + 1);
            }
            first if first.is_ascii_digit() => {
                let mut end = at;
                while is_name(byte(self.text, end)) || byte(self.text, end) == b'.' {
                    end += 1;
                }
                self.push(TokenKind::Number, at, end);
            }
            first if is_name(first) => self.name(at),
            _ => self.push(TokenKind::Mark, at, at + char_len(self.text, at)),
        }
    }

    fn find(&self, from: usize, what: &str) -> usize {
        let rest = text_of(self.text, from..self.text.len());
        rest.find(what).map_or(self.text.len(), |offset| from + offset)
    }

    fn name(&mut self, at: usize) {
        let mut end = at;
        while end < self.text.len() && is_name(byte(self.text, end)) {
            end += 1;
        }
        if self.dialect == Dialect::Rust
            && end - at <= 2
            && matches!(text_of(self.text, at..end), "r" | "br" | "b" | "c")
        {
            let hashes = text_of(self.text, end..self.text.len()).bytes().take_while(|b| *b == b'#').count();
            if byte(self.text, end + hashes) == b'"' {
                return self.rust_string(at, end, hashes);
            }
        }
        self.push(TokenKind::Name, at, end);
    }

    fn rust_string(&mut self, at: usize, prefix_end: usize, hashes: usize) {
        let quote = prefix_end + hashes;
        if !text_of(self.text, at..prefix_end).contains('r') {
            return self.string(at, quote, b'"');
        }
        let close = format!("\"{}", "#".repeat(hashes.min(255)));
        let end = (self.find(quote + 1, &close) + close.len()).min(self.text.len());
        self.push(TokenKind::String, at, end);
    }

    /// A Rust character, or the quote of a lifetime.
    fn character(&mut self, at: usize) {
        let inner = at + 1;
        let end = if byte(self.text, inner) == b'\\' {
            let rest = text_of(self.text, inner + 2..self.text.len());
            rest.find('\'').filter(|length| *length < 10).map(|length| inner + 2 + length)
        } else {
            let end = inner + char_len(self.text, inner);
            (byte(self.text, end) == b'\'').then_some(end)
        };
        match end {
            Some(end) => self.push(TokenKind::Number, at, end + 1),
            None => self.push(TokenKind::Mark, at, inner),
        }
    }

    /// A string on one line; a quote without an end (as in the text of JSX) is a mark. Rust's go over lines.
    fn string(&mut self, start: usize, quote_at: usize, quote: u8) {
        let mut at = quote_at + 1;
        while at < self.text.len() {
            match byte(self.text, at) {
                b'\\' => at += 1 + char_len(self.text, at + 1),
                b'\n' if self.dialect != Dialect::Rust => break,
                b if b == quote => return self.push(TokenKind::String, start, at + 1),
                _ => at += 1,
            }
        }
        self.push(TokenKind::Mark, start, quote_at + 1);
    }

    /// The text of a template up to an interpolation or its end.
    fn template(&mut self, from: usize) {
        let mut at = from;
        while at < self.text.len() {
            match byte(self.text, at) {
                b'\\' => at += 1 + char_len(self.text, at + 1),
                b'`' => {
                    self.push(TokenKind::String, from, at);
                    self.at = at + 1;
                    return;
                }
                b'$' if byte(self.text, at + 1) == b'{' => {
                    self.push(TokenKind::String, from, at);
                    self.templates.push(self.depth);
                    self.push(TokenKind::Mark, at + 1, at + 2);
                    self.depth = self.depth.saturating_add(1);
                    return;
                }
                _ => at += 1,
            }
        }
        self.unclosed.get_or_insert(from.saturating_sub(1));
        self.push(TokenKind::String, from.min(self.text.len()), self.text.len());
    }

    /// A slash divides behind a value and starts a regular expression elsewhere.
    fn regex_may_start(&self) -> bool {
        let Some(last) = self.out.last() else { return true };
        let text = text_of(self.text, last.start as usize..last.end as usize);
        match last.kind {
            TokenKind::Name => matches!(text, "return" | "typeof" | "case" | "in" | "of" | "delete" | "void"),
            TokenKind::Number | TokenKind::String | TokenKind::Regex => false,
            TokenKind::Mark => !matches!(text, ")" | "]" | "}" | "<" | ">"),
        }
    }

    fn regex(&mut self, start: usize) {
        let (mut at, mut class) = (start + 1, false);
        while at < self.text.len() {
            match byte(self.text, at) {
                b'\\' => at += 1 + char_len(self.text, at + 1),
                b'\n' => break,
                b'/' if !class => {
                    let mut end = at + 1;
                    while byte(self.text, end).is_ascii_alphabetic() {
                        end += 1;
                    }
                    return self.push(TokenKind::Regex, start, end);
                }
                b => {
                    class = b == b'[' || class && b != b']';
                    at += 1;
                }
            }
        }
        self.push(TokenKind::Mark, start, start + 1);
    }
}
