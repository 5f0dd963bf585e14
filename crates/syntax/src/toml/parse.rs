//! Tables and values.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder, Place, Spanned, SyntaxError};

use crate::scan::{byte, char_len, start, text_of, trim};

/// Values nested deeper than this are not read.
const MAX_DEPTH: usize = 64;

/// A TOML file.
#[derive(Clone, Debug, Default)]
pub struct Toml {
    /// The tables in order; the first one has an empty path and holds what stands before any header.
    pub tables: Vec<Table>,
    /// Comments with their text after `#`.
    pub comments: Vec<Spanned<String>>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// A table with its header.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The parts of `[a.b]`.
    pub path: Vec<Spanned<String>>,
    /// Whether it is `[[a.b]]`.
    pub array: bool,
    /// Its entries in order.
    pub entries: Vec<Entry>,
}

/// `key = value`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The parts of a dotted key.
    pub key: Vec<Spanned<String>>,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// All of it, quotes included.
    pub place: Place,
}

/// The kinds of values.
#[derive(Clone, Debug)]
pub enum ValueKind {
    /// A string, decoded.
    String(Layer),
    /// A number, boolean or date as written.
    Bare(String),
    /// `[…]`.
    Array(Vec<Value>),
    /// `{…}`.
    Table(Vec<Entry>),
}

impl Value {
    /// The text of a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::String(layer) => Some(layer.text()),
            _ => None,
        }
    }

    /// The items of an array; none for other kinds.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        match &self.kind {
            ValueKind::Array(items) => items,
            _ => &[],
        }
    }

    /// The value under a key of an inline table.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let ValueKind::Table(entries) = &self.kind else { return None };
        let found = entries.iter().find(|entry| entry.is(&[key]))?;
        Some(&found.value)
    }

    /// A string as a value with its place.
    #[must_use]
    pub fn spanned(&self) -> Option<Spanned<String>> {
        Some(Spanned::new(self.as_str()?.to_owned(), self.place))
    }
}

impl Entry {
    fn is(&self, path: &[&str]) -> bool {
        self.key.len() == path.len() && self.key.iter().zip(path).all(|(part, wanted)| part.value == *wanted)
    }
}

impl Toml {
    /// The value at a path, however tables and dotted keys split it.
    #[must_use]
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        self.tables.iter().find_map(|table| {
            let rest = table.rest(path)?;
            table.entries.iter().find_map(|entry| {
                if entry.is(rest) {
                    return Some(&entry.value);
                }
                let (last, before) = rest.split_last()?;
                if entry.is(before) { entry.value.get(last) } else { None }
            })
        })
    }

    /// The entries of the tables at a path.
    pub fn entries<'a>(&'a self, path: &'a [&'a str]) -> impl Iterator<Item = &'a Entry> {
        self.tables
            .iter()
            .filter(move |table| table.rest(path).is_some_and(<[&str]>::is_empty))
            .flat_map(|table| &table.entries)
    }
}

impl Table {
    /// What remains of a path behind this table's own.
    fn rest<'a, 'b>(&self, path: &'a [&'b str]) -> Option<&'a [&'b str]> {
        let own = path.get(..self.path.len())?;
        let same = self.path.iter().zip(own).all(|(part, wanted)| part.value == *wanted);
        if same { path.get(self.path.len()..) } else { None }
    }
}

/// Reads a TOML file. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> Toml {
    let text = layer.text();
    let mut parser = Parser { layer, text, at: start(text), depth: 0, out: Toml::default() };
    parser.out.tables.push(Table::default());
    loop {
        parser.blanks(true);
        if parser.at >= text.len() {
            return parser.out;
        }
        let start = parser.at;
        if parser.peek() == b'[' {
            parser.header();
        } else if let Some(entry) = parser.entry()
            && let Some(table) = parser.out.tables.last_mut()
        {
            table.entries.push(entry);
        }
        parser.blanks(false);
        if parser.at < text.len() && parser.peek() != b'\n' {
            let rest = text_of(text, parser.at..text.len());
            let end = parser.at + rest.find('\n').unwrap_or(rest.len());
            let line = trim(text, start..end);
            parser.error(line, "expected `key = value`");
            parser.at = end;
        }
    }
}

struct Parser<'a> {
    layer: &'a Layer,
    text: &'a str,
    at: usize,
    depth: usize,
    out: Toml,
}

impl Parser<'_> {
    fn peek(&self) -> u8 {
        byte(self.text, self.at)
    }

    fn error(&mut self, range: Range<usize>, message: &str) {
        let place = self.layer.place(range);
        self.out.errors.push(SyntaxError { place, message: message.to_owned() });
    }

    fn blanks(&mut self, newlines: bool) {
        loop {
            match self.peek() {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' if newlines => self.at += 1,
                b'#' => {
                    let rest = text_of(self.text, self.at..self.text.len());
                    let end = self.at + rest.find('\n').unwrap_or(rest.len());
                    let comment = text_of(self.text, self.at + 1..end).trim_end().to_owned();
                    self.out.comments.push(Spanned::new(comment, self.layer.place(self.at..end)));
                    self.at = end;
                }
                _ => return,
            }
        }
    }

    fn header(&mut self) {
        let array = byte(self.text, self.at + 1) == b'[';
        self.at += 1 + usize::from(array);
        let path = self.key();
        self.blanks(false);
        if self.peek() == b']' {
            self.at += 1 + usize::from(array && byte(self.text, self.at + 1) == b']');
        }
        self.out.tables.push(Table { path, array, entries: Vec::new() });
    }

    /// A dotted key.
    fn key(&mut self) -> Vec<Spanned<String>> {
        let mut out = Vec::new();
        loop {
            self.blanks(false);
            let start = self.at;
            if matches!(self.peek(), b'"' | b'\'') {
                let layer = self.string();
                out.push(Spanned::new(layer.text().to_owned(), self.layer.place(start..self.at)));
            } else {
                while self.peek().is_ascii_alphanumeric() || matches!(self.peek(), b'_' | b'-' | 0x80..) {
                    self.at += 1;
                }
                if self.at > start {
                    let part = text_of(self.text, start..self.at).to_owned();
                    out.push(Spanned::new(part, self.layer.place(start..self.at)));
                }
            }
            self.blanks(false);
            if self.peek() != b'.' {
                return out;
            }
            self.at += 1;
        }
    }

    fn entry(&mut self) -> Option<Entry> {
        let key = self.key();
        if key.is_empty() || self.peek() != b'=' {
            return None;
        }
        self.at += 1;
        self.blanks(false);
        Some(Entry { key, value: self.value() })
    }

    fn value(&mut self) -> Value {
        let start = self.at;
        let nested = self.depth < MAX_DEPTH;
        let kind = match self.peek() {
            b'"' | b'\'' => ValueKind::String(self.string()),
            b'[' if nested => ValueKind::Array(self.nested(b']', |parser| Some(parser.value()))),
            b'{' if nested => ValueKind::Table(self.nested(b'}', Self::entry)),
            _ => {
                let rest = text_of(self.text, self.at..self.text.len());
                self.at += rest.find([',', ']', '}', '\n', '\r', '#']).unwrap_or(rest.len());
                let bare = text_of(self.text, start..self.at).trim_end();
                self.at = start + bare.len();
                let bare = bare.to_owned();
                if bare.is_empty() {
                    self.error(start..self.at, "expected a value");
                }
                ValueKind::Bare(bare)
            }
        };
        Value { kind, place: self.layer.place(start..self.at) }
    }

    fn nested<T>(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Option<T>) -> Vec<T> {
        let open = self.at;
        self.at += 1;
        self.depth += 1;
        let mut out = Vec::new();
        loop {
            self.blanks(true);
            if self.at >= self.text.len() {
                self.error(open..open + 1, "bracket without an end");
                break;
            }
            if self.peek() == close {
                self.at += 1;
                break;
            }
            let before = self.at;
            if self.peek() == b',' {
                self.at += 1;
                continue;
            }
            out.extend(item(self));
            if self.at == before {
                self.at += char_len(self.text, self.at);
            }
        }
        self.depth -= 1;
        out
    }

    /// A string in any of the four forms.
    fn string(&mut self) -> Layer {
        let start = self.at;
        let quote = self.peek();
        let rest = text_of(self.text, start..self.text.len());
        let long = matches!(rest.as_bytes(), [a, b, c, ..] if *a == quote && *b == quote && *c == quote);
        let mark = if long { 3 } else { 1 };
        let mut body = start + mark;
        if long {
            body += usize::from(byte(self.text, body) == b'\r');
            body += usize::from(byte(self.text, body) == b'\n');
        }
        let mut end = body;
        while end < self.text.len() {
            match byte(self.text, end) {
                b'\\' if quote == b'"' => end += char_len(self.text, end + 1),
                b'\n' if !long => break,
                b if b == quote
                    && (!long
                        || byte(self.text, end + 1) == quote
                            && byte(self.text, end + 2) == quote
                            && byte(self.text, end + 3) != quote) =>
                {
                    break;
                }
                _ => {}
            }
            end += 1;
        }
        let end = end.min(self.text.len());
        if byte(self.text, end) == quote {
            self.at = (end + mark).min(self.text.len());
        } else {
            self.at = end;
            self.error(start..end, "string without an end");
        }
        if quote == b'"' && text_of(self.text, body..end).contains('\\') {
            self.decoded(body..end)
        } else {
            self.layer.slice(body.min(end)..end)
        }
    }

    fn decoded(&self, range: Range<usize>) -> Layer {
        let mut builder = LayerBuilder::new(self.layer, range.start);
        let mut at = range.start;
        while at < range.end {
            let body = text_of(self.text, at..range.end);
            let Some(slash) = body.find('\\') else { break };
            builder.verbatim(at..at + slash);
            let from = at + slash;
            let next = (from + 1 + char_len(self.text, from + 1)).min(range.end);
            let digits = match byte(self.text, from + 1) {
                b'u' => 4,
                b'U' => 8,
                _ => 0,
            };
            let code = text_of(self.text, from + 2..from + 2 + digits);
            if let (true, Ok(code)) = (digits > 0, u32::from_str_radix(code, 16)) {
                let decoded = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                builder.decoded(decoded.encode_utf8(&mut [0; 4]), from..from + 2 + digits);
                at = from + 2 + digits;
                continue;
            }
            at = next;
            match byte(self.text, from + 1) {
                b'n' => builder.decoded("\n", from..next),
                b't' => builder.decoded("\t", from..next),
                b'r' => builder.decoded("\r", from..next),
                b'\n' | b'\r' | b' ' => {
                    // A backslash at the end of a line joins it with the next text.
                    while at < range.end && byte(self.text, at).is_ascii_whitespace() {
                        at += 1;
                    }
                }
                _ => builder.decoded(text_of(self.text, from + 1..next), from..next),
            }
        }
        builder.verbatim(at..range.end);
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::whole;
    use proptest::prelude::*;

    const TEXT: &str = "title = \"a\\tb\" # c\n[project]\nname = 'x'\ndependencies = [\n  \"fastapi>=1\", # why\n  \
        \"uvicorn\",\n]\nlicense = { file = \"LICENSE\" }\n[project.optional-dependencies]\ndev = [\"pytest\"]\n\
        [tool.poetry]\nscripts.run = \"\"\"\na:b\"\"\"\n[[bin]]\nname = \"y\"\nn = 1_000\n";

    #[test]
    fn values_are_found_however_they_are_nested() {
        let tree = parse(&whole(TEXT));
        assert_eq!(tree.errors, []);
        let text = |path: &[&str]| tree.get(path).and_then(Value::as_str).map(str::to_owned);
        assert_eq!(text(&["title"]).as_deref(), Some("a\tb"));
        assert_eq!(text(&["project", "name"]).as_deref(), Some("x"));
        assert_eq!(text(&["project", "license", "file"]).as_deref(), Some("LICENSE"));
        assert_eq!(text(&["tool", "poetry", "scripts", "run"]).as_deref(), Some("a:b"));
        let dependencies = tree.get(&["project", "dependencies"]).unwrap().items();
        assert_eq!(dependencies.len(), 2);
        assert_eq!(&TEXT[dependencies[0].place.span.range()], "\"fastapi>=1\"");
        assert_eq!(tree.entries(&["project", "optional-dependencies"]).count(), 1);
        assert!(matches!(&tree.get(&["bin", "n"]).unwrap().kind, ValueKind::Bare(text) if text == "1_000"));
        assert_eq!(tree.comments.len(), 2);
    }

    #[test]
    fn mistakes_are_reported_and_reading_goes_on() {
        let tree = parse(&whole("a = \nb\n= c\nd = \"x\ne = 2\n[[[["));
        assert!(tree.errors.len() >= 4);
        assert!(tree.get(&["e"]).is_some());
        assert!(!parse(&whole(&format!("a = {}", "[".repeat(100_000)))).errors.is_empty());
    }

    proptest! {
        #[test]
        fn any_text_gives_values_inside_it(text in "([ -~é\t]|\n|a = |\\[|\\{|\"|'''|\\\\|\\}){0,60}") {
            for table in parse(&whole(&text)).tables {
                for entry in table.entries {
                    prop_assert!(text.get(entry.value.place.span.range()).is_some());
                }
            }
        }
    }
}
