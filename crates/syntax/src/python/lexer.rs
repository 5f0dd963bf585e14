//! Tokens, read one at a time.

use crate::scan::{byte, char_len, start, text_of};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Name,
    /// A number.
    Number,
    /// A string with prefix and quotes.
    String,
    /// An operator or bracket.
    Operator,
    /// The end of a logical line.
    Newline,
    /// The end of the text.
    End,
}

/// A token and its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Reads tokens; newlines inside brackets are blanks.
pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    at: usize,
    depth: usize,
    /// Where a string or bracket without an end starts.
    pub(super) unclosed: Vec<usize>,
    line_start: usize,
    until: usize,
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: start(text),
            depth: 0,
            unclosed: Vec::new(),
            line_start: start(text),
            until: text.len(),
        }
    }

    /// Reads one expression inside a string, as if in brackets.
    pub(super) fn within(text: &'a str, start: usize, end: usize) -> Self {
        Self { text, at: start, depth: 1, unclosed: Vec::new(), line_start: start, until: end }
    }

    /// The column of a token on its line.
    pub(super) fn column(&self, token: Token) -> usize {
        token.start.saturating_sub(self.line_start)
    }

    /// Ends all brackets: used to go on at the next line after a mistake.
    pub(super) fn reset_brackets(&mut self) {
        self.depth = 0;
    }

    pub(super) fn token(&mut self) -> Token {
        loop {
            let at = self.at;
            if at >= self.until {
                return Token { kind: Kind::End, start: self.until, end: self.until };
            }
            match byte(self.text, at) {
                b' ' | b'\t' | b'\r' | b'\x0c' => self.at += 1,
                b'#' => {
                    let rest = text_of(self.text, at..self.until);
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                b'\\' if matches!(byte(self.text, at + 1), b'\n' | b'\r') => {
                    self.at += if byte(self.text, at + 1) == b'\r' { 3 } else { 2 };
                }
                b'\n' => {
                    self.at += 1;
                    if self.depth == 0 {
                        self.line_start = self.at;
                        return Token { kind: Kind::Newline, start: at, end: at + 1 };
                    }
                }
                b'"' | b'\'' => return self.string(at, at),
                first
                    if first.is_ascii_digit()
                        || first == b'.' && byte(self.text, at + 1).is_ascii_digit() =>
                {
                    return self.number(at);
                }
                first if is_name(first) => return self.name(at),
                _ => return self.operator(at),
            }
        }
    }

    fn name(&mut self, start: usize) -> Token {
        let mut end = start;
        while end < self.until && is_name(byte(self.text, end)) {
            end += 1;
        }
        if matches!(byte(self.text, end), b'"' | b'\'') && end - start <= 2 && end < self.until {
            let prefix = text_of(self.text, start..end);
            if prefix
                .bytes()
                .all(|byte| matches!(byte.to_ascii_lowercase(), b'r' | b'b' | b'f' | b'u' | b't'))
            {
                return self.string(start, end);
            }
        }
        self.at = end;
        Token { kind: Kind::Name, start, end }
    }

    fn number(&mut self, start: usize) -> Token {
        let mut end = start;
        while end < self.until && (is_name(byte(self.text, end)) || byte(self.text, end) == b'.') {
            end += 1;
        }
        self.at = end;
        Token { kind: Kind::Number, start, end }
    }

    fn operator(&mut self, start: usize) -> Token {
        let two = text_of(self.text, start..start + 2);
        let length = match two {
            "->" | ":=" | "==" | "!=" | "<=" | ">=" | "+=" | "-=" | "*=" | "/=" | "%=" | "&=" | "|="
            | "^=" | "@=" => 2,
            "**" | "//" | "<<" | ">>" => 2 + usize::from(byte(self.text, start + 2) == b'='),
            _ => char_len(self.text, start),
        };
        match byte(self.text, start) {
            b'(' | b'[' | b'{' => self.depth += 1,
            b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.at = (start + length).min(self.until);
        Token { kind: Kind::Operator, start, end: self.at }
    }

    fn string(&mut self, start: usize, quote_at: usize) -> Token {
        let quote = byte(self.text, quote_at);
        let long = byte(self.text, quote_at + 1) == quote && byte(self.text, quote_at + 2) == quote;
        let formatted = text_of(self.text, start..quote_at).contains(['f', 'F', 't', 'T']);
        let mark = if long { 3 } else { 1 };
        let mut at = quote_at + mark;
        let mut braces = 0usize;
        while at < self.until {
            match byte(self.text, at) {
                b'\\' => at += 1 + char_len(self.text, at + 1),
                b'\n' if !long => break,
                b'{' if formatted && braces == 0 && byte(self.text, at + 1) == b'{' => at += 2,
                b'{' if formatted => {
                    braces += 1;
                    at += 1;
                }
                b'}' if braces > 0 => {
                    braces -= 1;
                    at += 1;
                }
                // Since Python 3.12 the same quote may stand inside an interpolation.
                b if b == quote && !long && braces > 0 && self.reopens(at, quote) => {
                    at = self.skip_inner(at, quote);
                }
                b if b == quote && (!long || self.ends_long(at, quote)) => {
                    self.at = at + mark;
                    return Token { kind: Kind::String, start, end: self.at };
                }
                _ => at += 1,
            }
        }
        self.unclosed.push(start);
        self.at = at.min(self.until);
        Token { kind: Kind::String, start, end: self.at }
    }

    fn ends_long(&self, at: usize, quote: u8) -> bool {
        byte(self.text, at + 1) == quote && byte(self.text, at + 2) == quote
    }

    /// Whether a closing brace follows the next same quote on this line.
    fn reopens(&self, at: usize, quote: u8) -> bool {
        let close = self.skip_inner(at, quote);
        let rest = text_of(self.text, close..self.until);
        let line = text_of(rest, 0..rest.find('\n').unwrap_or(rest.len()));
        line.find('}').is_some_and(|brace| line.find(char::from(quote)).is_some_and(|next| next > brace))
    }

    fn skip_inner(&self, at: usize, quote: u8) -> usize {
        let mut inner = at + 1;
        while inner < self.until && !matches!(byte(self.text, inner), b'\n') {
            inner += 1;
            if byte(self.text, inner - 1) == quote {
                break;
            }
        }
        inner
    }
}
