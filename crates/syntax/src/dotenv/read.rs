//! Text to entries.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder, SyntaxError};

use super::{Comment, Dotenv, Entry, Quote, Value};

/// Reads a dotenv file. A line that cannot be read is reported and skipped, where Compose refuses the whole file.
#[must_use]
pub fn parse(layer: &Layer) -> Dotenv {
    let at = if layer.text().starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader { layer, text: layer.text(), at, file: Dotenv::default() };
    while reader.statement() {}
    reader.file
}

/// Reads a file of the `raw` format: each line is a name, `=` and the value as it stands, quotes and dollar signs
/// included; lines that start with `#` are comments.
#[must_use]
pub fn parse_raw(layer: &Layer) -> Dotenv {
    let mut reader = Reader { layer, text: layer.text(), at: 0, file: Dotenv::default() };
    while !reader.rest().is_empty() {
        let rest = reader.rest();
        let start = reader.at + (rest.len() - rest.trim_start_matches(is_blank).len());
        let end = reader.line_end(start);
        let line = reader.text.get(start..end).unwrap_or_default().trim_end_matches('\r');
        if line.starts_with('#') {
            reader.comment(start);
        } else if !line.is_empty() {
            let (key, value) = line.split_once('=').map_or((line, None), |(key, value)| (key, Some(value)));
            let span = layer.span(start..start + line.len());
            let value = value.map(|value| {
                let range = start + line.len() - value.len()..start + line.len();
                Value { quote: Quote::Single, span: layer.span(range.clone()), layer: layer.slice(range) }
            });
            let key_span = layer.span(start..start + key.len());
            let key = key.to_owned();
            reader.file.entries.push(Entry { key, key_span, value, span, export: false, comment: None });
        }
        reader.at = end + 1;
    }
    reader.file
}

struct Reader<'a> {
    layer: &'a Layer,
    text: &'a str,
    at: usize,
    file: Dotenv,
}

/// A blank that does not end a line.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn line_end(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        from + rest.find('\n').unwrap_or(rest.len())
    }

    fn error(&mut self, range: Range<usize>, message: impl Into<String>) {
        self.file.errors.push(SyntaxError { place: self.layer.place(range), message: message.into() });
    }

    fn comment(&mut self, from: usize) -> Comment {
        let end = self.line_end(from);
        let written = self.text.get(from..end).unwrap_or_default().trim_end_matches('\r');
        let comment = Comment {
            span: self.layer.span(from..from + written.len()),
            text: written.strip_prefix('#').unwrap_or(written).to_owned(),
        };
        self.file.comments.push(comment.clone());
        self.at = end;
        comment
    }

    /// Reads the next comment or entry; false at the end.
    fn statement(&mut self) -> bool {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        match self.rest().chars().next() {
            None => false,
            Some('#') => {
                self.comment(self.at);
                true
            }
            Some(_) => {
                self.entry();
                true
            }
        }
    }

    fn entry(&mut self) {
        let start = self.at;
        let exported =
            self.rest().strip_prefix("export").filter(|rest| rest.starts_with(char::is_whitespace));
        let export = exported.is_some();
        if let Some(rest) = exported {
            self.at = self.text.len() - rest.trim_start_matches(is_blank).len();
        }
        let name_start = self.at;
        let mut separator = None;
        for (offset, c) in self.rest().char_indices() {
            match c {
                '=' | ':' | '\n' => {
                    separator = Some((name_start + offset, c));
                    break;
                }
                '_' | '.' | '-' | '[' | ']' => {}
                c if is_blank(c) || c.is_alphanumeric() => {}
                c => {
                    let at = name_start + offset;
                    self.error(at..at + c.len_utf8(), format!("unexpected `{c}` in the name of a variable"));
                    self.at = self.line_end(start);
                    return;
                }
            }
        }
        let (name_end, separator) = separator.unwrap_or((self.text.len(), '\n'));
        let name = self.text.get(name_start..name_end).unwrap_or_default().trim_end();
        let key_range = name_start..name_start + name.len();
        let key = name.to_owned();
        if key.contains(' ') {
            self.error(key_range, "the name of a variable has a blank in it");
            self.at = self.line_end(start);
            return;
        }
        let key_span = self.layer.span(key_range.clone());
        if separator == '\n' {
            self.at = name_end;
            let span = self.layer.span(start..key_range.end);
            self.file.entries.push(Entry { key, key_span, value: None, span, export, comment: None });
            return;
        }
        let after = self.text.get(name_end + 1..).unwrap_or_default();
        self.at = self.text.len() - after.trim_start_matches(is_blank).len();
        let quote = match self.rest().chars().next() {
            Some('\'') => Quote::Single,
            Some('"') => Quote::Double,
            _ => Quote::None,
        };
        let value = match quote {
            Quote::None => Some(self.unquoted()),
            quote => self.quoted(quote),
        };
        let Some((value, end, comment)) = value else { return };
        let span = self.layer.span(start..end);
        self.file.entries.push(Entry { key, key_span, value: Some(value), span, export, comment });
    }

    fn unquoted(&mut self) -> (Value, usize, Option<Comment>) {
        let start = self.at;
        let end = self.line_end(start);
        let line = self.text.get(start..end).unwrap_or_default();
        let cut = line.find(" #");
        let written = line.get(..cut.unwrap_or(line.len())).unwrap_or_default().trim_end();
        let range = start..start + written.len();
        let value = Value {
            quote: Quote::None,
            span: self.layer.span(range.clone()),
            layer: self.layer.slice(range.clone()),
        };
        let comment = cut.map(|cut| self.comment(start + cut + 1));
        self.at = end;
        (value, range.end, comment)
    }

    fn quoted(&mut self, quote: Quote) -> Option<(Value, usize, Option<Comment>)> {
        let start = self.at;
        let mark = if quote == Quote::Single { '\'' } else { '"' };
        let mut builder = LayerBuilder::new(self.layer, start + 1);
        let mut at = start + 1;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            let Some(c) = rest.chars().next() else {
                let end = self.line_end(start);
                self.error(start..end, "this quote is not closed");
                self.at = end;
                return None;
            };
            if c == mark {
                break;
            }
            let (decoded, length) = match c {
                '\\' => escape(rest, mark),
                c => (None, c.len_utf8()),
            };
            match decoded {
                Some(text) => builder.decoded(&text, at..at + length),
                None => builder.verbatim(at..at + length),
            }
            at += length;
        }
        let end = at + 1;
        self.at = end;
        let value = Value { quote, span: self.layer.span(start..end), layer: builder.finish() };
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
        let comment = rest.get(blanks..)?.starts_with('#').then(|| self.comment(end + blanks));
        Some((value, end, comment))
    }
}

/// What a backslash and the characters after it stand for, and their length; nothing when they stand for
/// themselves. In single quotes only the quote itself can be escaped.
fn escape(source: &str, mark: char) -> (Option<String>, usize) {
    let Some(letter) = source.get(1..).and_then(|rest| rest.chars().next()) else { return (None, 1) };
    let length = 1 + letter.len_utf8();
    if letter == mark {
        return (Some(mark.to_string()), length);
    }
    if mark == '\'' {
        return (None, length);
    }
    let plain = match letter {
        'a' => "\u{7}",
        'b' => "\u{8}",
        'f' => "\u{c}",
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        'v' => "\u{b}",
        '$' => "$$",
        '\\' => "\\",
        '0' => return octal(source),
        _ => return (None, length),
    };
    (Some(plain.to_owned()), length)
}

/// `\0` and up to three digits, read as Compose reads them: all three must be octal.
fn octal(source: &str) -> (Option<String>, usize) {
    let digits = source.get(2..).unwrap_or_default();
    let count = digits.bytes().take(3).take_while(u8::is_ascii_digit).count();
    let code = digits.get(..count).filter(|_| count == 3);
    let decoded = code.and_then(|code| u32::from_str_radix(code, 8).ok()).filter(|code| *code < 256);
    (decoded.and_then(char::from_u32).map(String::from), 2 + count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_text::Files;
    use proptest::prelude::*;

    fn read(text: &str) -> (Files, Dotenv) {
        let files = Files::new([(".env".into(), text.to_owned())]);
        let (id, file) = files.iter().next().unwrap();
        let parsed = parse(&Layer::whole(id, file));
        (files, parsed)
    }

    fn pairs(file: &Dotenv) -> Vec<(&str, Option<&str>)> {
        file.entries.iter().map(|e| (e.key.as_str(), e.value.as_ref().map(Value::text))).collect()
    }

    #[test]
    fn forms_of_entries() {
        let (_, file) = read(
            "# head\nA=1\nexport B = two words # note\nC: yaml\nD\nE=\nF='sin\\'gle\\n'\nG=\"a\\tb\\$c\nd\" # tail\nH=a#b\n",
        );
        assert_eq!(file.errors, []);
        assert_eq!(
            pairs(&file),
            [
                ("A", Some("1")),
                ("B", Some("two words")),
                ("C", Some("yaml")),
                ("D", None),
                ("E", Some("")),
                ("F", Some("sin'gle\\n")),
                ("G", Some("a\tb$$c\nd")),
                ("H", Some("a#b")),
            ]
        );
        let comments: Vec<_> = file.comments.iter().map(|c| c.text.as_str()).collect();
        assert_eq!(comments, [" head", " note", " tail"]);
        assert!(file.get("B").unwrap().export && file.get("B").unwrap().comment.is_some());
    }

    #[test]
    fn spans_hold_keys_values_and_text() {
        let (files, file) = read("  K = \"a\\\"b\"  # c\nL=x y \n");
        let id = files.iter().next().unwrap().0;
        let slice = |span| files.slice(plimsoll_text::Place::new(id, span)).to_owned();
        let k = &file.entries[0];
        assert_eq!((slice(k.key_span), slice(k.span)), ("K".into(), "K = \"a\\\"b\"".into()));
        let value = k.value.as_ref().unwrap();
        assert_eq!((slice(value.span), value.text()), ("\"a\\\"b\"".into(), "a\"b"));
        assert_eq!(slice(value.layer.span(1..2)), "\\\"");
        assert_eq!(slice(file.entries[1].value.as_ref().unwrap().span), "x y");
    }

    #[test]
    fn broken_lines_are_reported_and_skipped() {
        let (files, file) = read("A B=1\nC!=2\nD=3\nE=\"open\nF=4\n");
        let found: Vec<_> = file.errors.iter().map(|e| files.slice(e.place)).collect();
        assert_eq!(found, ["A B", "!", "\"open"]);
        assert_eq!(pairs(&file), [("D", Some("3")), ("F", Some("4"))]);
    }

    #[test]
    fn windows_line_ends_are_no_part_of_values() {
        let (_, file) = read("A=1\r\nB=\"2\"\r\nC\r\n# c\r\n");
        assert_eq!(pairs(&file), [("A", Some("1")), ("B", Some("2")), ("C", None)]);
        assert_eq!(file.comments[0].text, " c");
    }

    #[test]
    fn raw_files_are_taken_as_they_stand() {
        let files = Files::new([(".env".into(), "# c\nA='1' # no\n\n B=$A\r\nC\n".to_owned())]);
        let (id, file) = files.iter().next().unwrap();
        let parsed = parse_raw(&Layer::whole(id, file));
        assert_eq!(pairs(&parsed), [("A", Some("'1' # no")), ("B", Some("$A")), ("C", None)]);
        assert_eq!(parsed.comments.len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[-A-C ='\"\\\\#$:\\n\\r\\t!0-9é]{0,60}") {
            let (files, file) = read(&text);
            let length = files.iter().next().unwrap().1.text().len();
            for entry in file.entries {
                prop_assert!(entry.span.end as usize <= length);
            }
        }
    }
}
