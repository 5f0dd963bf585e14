//! Sections and entries.

use std::ops::Range;

use plimsoll_text::{Layer, LayerBuilder, Place, Spanned, SyntaxError};

use crate::scan::{byte, lines, text_of, trim};

/// An INI file.
#[derive(Clone, Debug, Default)]
pub struct Ini {
    /// The sections in order; the first one has no name and holds what stands before any section.
    pub sections: Vec<Section>,
    /// Comment lines (`#`, `;`).
    pub comments: Vec<Place>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// A section.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// The name in brackets.
    pub name: Option<Spanned<String>>,
    /// Its entries in order; keys may repeat.
    pub entries: Vec<Entry>,
}

/// `key = value` or `key: value`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// The value without blanks around it. Continuation lines (indented, or after a backslash as in systemd
    /// units) are joined with a newline or a blank.
    pub value: Layer,
    /// Key and value.
    pub place: Place,
}

impl Ini {
    /// The last entry of a key in the sections of a name.
    #[must_use]
    pub fn get(&self, section: &str, key: &str) -> Option<&Entry> {
        self.all(section, key).last()
    }

    /// All entries of a key in the sections of a name.
    pub fn all<'a, 'b>(&'a self, section: &'b str, key: &'b str) -> impl Iterator<Item = &'a Entry> {
        self.sections
            .iter()
            .filter(move |one| one.name.as_ref().map_or("", |name| name.value.as_str()) == section)
            .flat_map(|one| &one.entries)
            .filter(move |entry| entry.key.value == key)
    }
}

/// Reads an INI file. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> Ini {
    let text = layer.text();
    let mut out = Ini { sections: vec![Section::default()], ..Ini::default() };
    let mut open: Option<(Range<usize>, Vec<Range<usize>>)> = None;
    for line in lines(text) {
        let content = trim(text, line.clone());
        let first = byte(text_of(text, content.clone()), 0);
        if matches!(first, b'#' | b';') {
            out.comments.push(layer.place(content));
            continue;
        }
        let continued = open.as_ref().is_some_and(|(_, pieces)| {
            let last = pieces.last().map_or("", |last| text_of(text, last.clone()));
            last.ends_with('\\') || content.start > line.start
        });
        if let (true, Some((_, pieces))) = (continued && !content.is_empty(), open.as_mut()) {
            pieces.push(content);
            continue;
        }
        close(&mut out, layer, open.take());
        match first {
            0 => {}
            b'[' => match text_of(text, content.clone()).find(']') {
                Some(end) => {
                    let name = content.start + 1..content.start + end;
                    let name = Spanned::new(text_of(text, name.clone()).to_owned(), layer.place(name));
                    out.sections.push(Section { name: Some(name), entries: Vec::new() });
                }
                None => {
                    let message = "section without `]`".to_owned();
                    out.errors.push(SyntaxError { place: layer.place(content), message });
                }
            },
            _ => {
                let body = text_of(text, content.clone());
                let length = body.find(['=', ':']).unwrap_or(body.len());
                let key = trim(text, content.start..content.start + length);
                let value = trim(text, (content.start + length + 1).min(content.end)..content.end);
                open = Some((key, vec![value]));
            }
        }
    }
    close(&mut out, layer, open);
    out
}

fn close(out: &mut Ini, layer: &Layer, open: Option<(Range<usize>, Vec<Range<usize>>)>) {
    let Some((key, pieces)) = open else { return };
    let text = layer.text();
    let end = pieces.last().map_or(key.end, |last| last.end);
    let value = match pieces.as_slice() {
        [only] => layer.slice(only.clone()),
        _ => {
            let mut builder = LayerBuilder::new(layer, key.end);
            for piece in &pieces {
                let body = text_of(text, piece.clone());
                let body = body.strip_suffix('\\').unwrap_or(body);
                builder.verbatim(piece.start..piece.start + body.len());
                if piece.end != end {
                    let joint = if body.len() < piece.len() { " " } else { "\n" };
                    builder.decoded(joint, piece.start + body.len()..piece.end);
                }
            }
            builder.finish()
        }
    };
    let entry = Entry {
        key: Spanned::new(text_of(text, key.clone()).to_owned(), layer.place(key.clone())),
        value,
        place: layer.place(key.start..end.max(key.end)),
    };
    if let Some(section) = out.sections.last_mut() {
        section.entries.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::whole;
    use proptest::prelude::*;

    #[test]
    fn sections_keys_and_continuations_are_read() {
        let text = "[alembic]\n# why\nsqlalchemy.url = sqlite:///./x.db\n[Service]\nEnvironment=A=1\n\
            Environment=B=2\nExecStart=/bin/a \\\n  --b\nkeys =\n  root\n  sql\n\nlast: 1\n";
        let tree = parse(&whole(text));
        assert_eq!(tree.errors, []);
        let url = tree.get("alembic", "sqlalchemy.url").unwrap();
        assert_eq!(url.value.text(), "sqlite:///./x.db");
        assert_eq!(&text[url.value.full_place().span.range()], "sqlite:///./x.db");
        let all: Vec<&str> = tree.all("Service", "Environment").map(|entry| entry.value.text()).collect();
        assert_eq!(all, ["A=1", "B=2"]);
        assert_eq!(tree.get("Service", "ExecStart").unwrap().value.text(), "/bin/a  --b");
        assert_eq!(tree.get("Service", "keys").unwrap().value.text(), "\nroot\nsql");
        assert_eq!(tree.get("Service", "last").unwrap().value.text(), "1");
    }

    proptest! {
        #[test]
        fn any_text_gives_entries_inside_it(text in "([ -~é\t]|\n|a=|\\[|\\\\\n|;){0,60}") {
            for section in parse(&whole(&text)).sections {
                for entry in section.entries {
                    prop_assert!(text.get(entry.place.span.range()).is_some());
                }
            }
        }
    }
}
