//! A tree against the table of keys: every error that needs no second look.

use plimsoll_syntax::yaml::{Entry, Node};
use plimsoll_text::Span;

use crate::shape::{Form, Key, Need, Shape, Table};
use crate::similar::similar;

/// An error at its bytes.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// Errors beyond this many are not worth reading.
const MOST: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct Verifier {
    pub(crate) wrong: Vec<Wrong>,
}

/// The entries of a mapping with those of its merge keys; its own win.
pub(crate) fn entries(node: &Node) -> Vec<&Entry> {
    let mut found: Vec<&Entry> = Vec::new();
    for entry in node.entries() {
        if entry.key.as_str() != Some("<<") {
            found.push(entry);
        }
    }
    for merge in node.entries().iter().filter(|entry| entry.key.as_str() == Some("<<")) {
        let one = [merge.value.clone()];
        let sources = if merge.value.is_sequence() { merge.value.items() } else { &one };
        let names: Vec<String> = sources
            .iter()
            .flat_map(|s| s.entries())
            .filter_map(|e| e.key.as_str())
            .map(str::to_owned)
            .collect();
        for name in names {
            if !found.iter().any(|entry| entry.key.as_str() == Some(&name)) {
                found.extend(node.entry(&name));
            }
        }
    }
    found
}

impl Verifier {
    pub(crate) fn refuse(&mut self, span: Span, message: impl Into<String>) {
        self.push(span, message.into(), None);
    }

    pub(crate) fn refuse_with(&mut self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.push(span, message.into(), Some(hint.into()));
    }

    fn push(&mut self, span: Span, message: String, hint: Option<String>) {
        if self.wrong.len() < MOST {
            self.wrong.push(Wrong { span, message, hint });
        }
    }

    /// Checks what stands under a key.
    pub(crate) fn shape(&mut self, name: &str, node: &Node, shape: Shape) {
        if self.wrong.len() >= MOST {
            return;
        }
        match shape {
            Shape::Text(example) => {
                if node.as_str().is_none_or(|text| text.trim().is_empty()) || node.is_null() {
                    self.refuse(node.span, format!("`{name}` is text such as `{example}`"));
                }
            }
            Shape::Form(form) => self.form(name, node, form),
            Shape::Whole(least, most) => {
                let number =
                    node.as_str().filter(|text| !text.starts_with('+')).and_then(|text| text.parse().ok());
                if !number.is_some_and(|number: u64| (least..=most).contains(&number)) {
                    self.refuse(node.span, format!("`{name}` is a whole number from {least} to {most}"));
                }
            }
            Shape::Choice(words) => self.choice(name, node, words),
            Shape::List(item) => {
                if !node.is_sequence() {
                    self.refuse(node.span, format!("`{name}` is a list"));
                }
                for each in node.items() {
                    self.shape(name, each, *item);
                }
            }
            Shape::Some(item) if node.is_sequence() => {
                if node.items().is_empty() {
                    self.refuse(node.span, format!("`{name}` is empty"));
                }
                for each in node.items() {
                    self.shape(name, each, *item);
                }
            }
            Shape::Some(item) => self.shape(name, node, *item),
            Shape::Map(keys, value) => self.map(name, node, keys, *value),
            Shape::Table(table) => self.table(name, node, table),
            Shape::Short(_, table) if node.is_mapping() => self.table(name, node, table),
            Shape::Short(value, _) => self.shape(name, node, *value),
            Shape::Either(tables) => self.either(name, node, tables),
            Shape::Tagged(tag, tables) => self.tagged(name, node, tag, tables),
        }
    }

    fn form(&mut self, name: &str, node: &Node, form: Form) {
        let Some(text) = node.as_str().filter(|_| !node.is_null()) else {
            return self.refuse(node.span, format!("`{name}` is {}", form.what));
        };
        if (form.holds)(text) {
            return;
        }
        let message = format!("`{name}` is {}", form.what);
        match hint(text) {
            Some(hint) => self.refuse_with(node.span, message, hint),
            None => self.refuse(node.span, message),
        }
    }

    fn choice(&mut self, name: &str, node: &Node, words: &[&str]) {
        let text = node.as_str().unwrap_or_default();
        if words.contains(&text) {
            return;
        }
        let known = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let message = format!("`{name}` is one of {known}");
        match similar(text, words.iter().copied()) {
            Some(near) => self.refuse_with(node.span, message, format!("did you mean `{near}`?")),
            None => self.refuse(node.span, message),
        }
    }

    fn map(&mut self, name: &str, node: &Node, keys: Form, value: Shape) {
        if !node.is_mapping() {
            return self.refuse(node.span, format!("`{name}` is a mapping of names"));
        }
        for entry in entries(node) {
            match entry.key.as_str() {
                Some(key) if (keys.holds)(key) => self.shape(key, &entry.value, value),
                _ => self.refuse(entry.key.span, format!("a key of `{name}` is {}", keys.what)),
            }
        }
    }

    fn table(&mut self, name: &str, node: &Node, table: &Table) {
        if !node.is_mapping() {
            let keys = table.keys.iter().map(|key| format!("`{}`", key.name)).collect::<Vec<_>>().join(", ");
            return self.refuse(node.span, format!("`{name}` is a mapping of {keys}"));
        }
        for entry in entries(node) {
            let key = entry.key.as_str().unwrap_or_default();
            match table.keys.iter().find(|known| known.name == key) {
                Some(known) => self.shape(known.name, &entry.value, known.shape),
                None if table.name == crate::keys::FILE.name && key.starts_with("x-") => {}
                None => self.unknown(name, entry, table),
            }
        }
        for key in table.keys.iter().filter(|key| key.need == Need::Required) {
            if node.get(key.name).is_none() {
                self.refuse(head(node), format!("`{}` is missing in `{name}`", key.name));
            }
        }
    }

    fn unknown(&mut self, name: &str, entry: &Entry, table: &Table) {
        let key = entry.key.as_str().unwrap_or_default();
        let names = || table.keys.iter().map(|key: &Key| key.name);
        let hint = match similar(key, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "known are {}",
                names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            ),
        };
        self.refuse_with(entry.key.span, format!("unknown key `{}` in `{name}`", shown(key)), hint);
    }

    fn either(&mut self, name: &str, node: &Node, tables: &[&'static Table]) {
        let first = |table: &&&'static Table| table.keys.first().map_or("", |key| key.name);
        let found: Vec<&&Table> = tables.iter().filter(|table| node.get(first(table)).is_some()).collect();
        let names =
            || tables.iter().map(|table| format!("`{}`", first(&table))).collect::<Vec<_>>().join(", ");
        match found.as_slice() {
            [table] => self.table(name, node, table),
            _ if !node.is_mapping() => {
                self.refuse(node.span, format!("`{name}` is a mapping with one of {}", names()));
            }
            [] => {
                let wrong = entries(node).into_iter().find_map(|entry| {
                    let near = similar(entry.key.as_str()?, tables.iter().map(|table| first(&table)))?;
                    Some((entry.key.span, near))
                });
                let message = format!("`{name}` needs one of {}", names());
                match wrong {
                    Some((span, near)) => self.refuse_with(span, message, format!("did you mean `{near}`?")),
                    None => self.refuse(head(node), message),
                }
            }
            _ => self.refuse(head(node), format!("`{name}` has more than one of {}", names())),
        }
    }

    fn tagged(&mut self, name: &str, node: &Node, tag: &str, tables: &[(&str, &'static Table)]) {
        let word = node.get(tag).and_then(|node| node.as_str());
        let found = tables.iter().find(|(known, _)| Some(*known) == word);
        // A word that is none of them is refused by the table's own key.
        if let Some((_, table)) = found.or_else(|| tables.first()) {
            self.table(name, node, table);
        }
    }
}

/// The first line of a mapping's place, so that an error about something missing points at one line.
fn head(node: &Node) -> Span {
    let first = node.entries().first().map(|entry| entry.key.span);
    first.filter(|key| node.span.contains(*key)).unwrap_or(node.span)
}

fn shown(key: &str) -> String {
    let short: String = key.chars().take(60).collect();
    if short.len() < key.len() { format!("{short}…") } else { short }
}

fn hint(text: &str) -> Option<String> {
    if let Some(hole) = crate::Template::unknown(text)
        && text.contains("://")
    {
        return Some(format!("`{}` is not known, only `{{guest}}` is", shown(hole)));
    }
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let binary = match unit.trim() {
        "T" | "TB" | "t" => "TiB",
        "G" | "GB" | "g" | "gb" | "Gi" => "GiB",
        "M" | "MB" | "m" | "mb" | "Mi" => "MiB",
        "K" | "KB" | "k" | "kb" | "Ki" => "KiB",
        _ => return None,
    };
    (!number.is_empty()).then(|| format!("did you mean `{number}{binary}`?"))
}
