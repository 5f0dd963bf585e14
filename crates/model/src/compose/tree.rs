//! YAML nodes to values: scalars by YAML's rules, merge keys applied, variables put in.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use plimsoll_syntax::yaml::{Node, NodeKind, Scalar, ScalarStyle};
use plimsoll_text::{FileId, Place, Span};

use super::cast;
use super::interpolate::{Lookup, interpolate};
use super::load::Report;
use super::path::Path;
use super::{Item, Kind, Map, ProblemKind, Value};

/// Reads one document.
pub(super) struct Reader<'a> {
    pub(super) file: FileId,
    /// The directory to which the document's paths are relative.
    pub(super) directory: Arc<Utf8Path>,
    pub(super) lookup: Lookup<'a>,
    pub(super) report: &'a mut Report,
    /// Where `!reset` and `!override` stand.
    pub(super) resets: Vec<Path>,
}

impl Reader<'_> {
    /// The value of a node at a path; nothing when it is reset.
    pub(super) fn value(&mut self, node: &Node, path: &mut Path) -> Option<Value> {
        match node.tag.as_deref() {
            Some("!reset") => {
                self.resets.push(path.clone());
                return None;
            }
            Some("!override") => self.resets.push(path.clone()),
            _ => {}
        }
        let place = self.place(node.span);
        let mut value = Value::new(Kind::Null, place, self.directory.clone());
        match &node.kind {
            NodeKind::Scalar(scalar) => return Some(self.scalar(node, scalar, path, value)),
            NodeKind::Sequence { items, .. } => {
                path.push("[]");
                value.kind = Kind::List(items.iter().filter_map(|item| self.value(item, path)).collect());
                path.pop();
            }
            NodeKind::Mapping { .. } => value.kind = Kind::Map(self.mapping(node, path)),
        }
        Some(value)
    }

    fn place(&self, span: Span) -> Place {
        Place::new(self.file, span)
    }

    fn mapping(&mut self, node: &Node, path: &mut Path) -> Map {
        let mut map = BTreeMap::new();
        for entry in node.entries() {
            let key_place = self.place(entry.key.span);
            let Some(key) = entry.key.as_str() else {
                self.report.error(ProblemKind::Schema, key_place, "a key must be a text");
                continue;
            };
            if is_merge(&entry.key) {
                continue;
            }
            path.push(key);
            if let Some(value) = self.value(&entry.value, path) {
                map.entry(key.to_owned()).or_insert(Item { key: key_place, value });
            }
            path.pop();
        }
        for entry in node.entries().iter().filter(|entry| is_merge(&entry.key)) {
            let merged: Vec<&Node> = match &entry.value.kind {
                NodeKind::Mapping { .. } => vec![&entry.value],
                NodeKind::Sequence { items, .. } if items.iter().all(|item| item.is_mapping()) => {
                    items.iter().map(|item| &**item).collect()
                }
                _ => {
                    let place = self.place(entry.value.span);
                    self.report.error(ProblemKind::Schema, place, "`<<` merges mappings only");
                    continue;
                }
            };
            for base in merged {
                for (key, item) in self.mapping(base, path) {
                    map.entry(key).or_insert(item);
                }
            }
        }
        map
    }

    fn scalar(&mut self, node: &Node, scalar: &Scalar, path: &Path, mut value: Value) -> Value {
        let tag = node.tag.as_deref().filter(|tag| tag.starts_with("!!"));
        let kind = match (tag, scalar.style) {
            (Some("!!str"), _) => Kind::Text(scalar.value.clone()),
            (Some("!!null"), _) => Kind::Null,
            (Some("!!int" | "!!float" | "!!bool"), _) | (None, ScalarStyle::Plain) => plain(&scalar.value),
            _ => Kind::Text(scalar.value.clone()),
        };
        if !matches!(kind, Kind::Text(_)) {
            value.kind = kind;
            return value;
        }
        let done = interpolate(&scalar.layer, self.lookup);
        self.report.mistakes(done.mistakes);
        self.report.variables.extend(done.variables.iter().cloned());
        let text = done.layer.text().to_owned();
        value.kind = match cast::wanted(path) {
            Some(wanted) => cast::cast(&text, wanted).unwrap_or_else(|message| {
                self.report.error(ProblemKind::Schema, value.place, format!("{path} {message}"));
                Kind::Text(text)
            }),
            None => Kind::Text(text),
        };
        value.variables = done.variables;
        value.layer = Some(done.layer);
        value
    }
}

fn is_merge(key: &Node) -> bool {
    key.scalar().is_some_and(|key| key.style == ScalarStyle::Plain && key.value == "<<")
}

/// The value of a plain scalar as Compose's YAML library reads it.
fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Bool(true),
        "false" | "False" | "FALSE" => return Kind::Bool(false),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Kind::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Kind::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Kind::Float(f64::NAN),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Kind::Text(text.to_owned());
    }
    integer(text)
        .map(Kind::Integer)
        .or_else(|| float(text).map(Kind::Float))
        .unwrap_or(Kind::Text(text.to_owned()))
}

/// Decimal, hexadecimal, binary and octal numbers (`0o17` and the older `017`), underscores allowed.
fn integer(text: &str) -> Option<i64> {
    let clean = text.replace('_', "");
    let (negative, digits) = match clean.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, clean.strip_prefix('+').unwrap_or(&clean)),
    };
    let number = if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16)
    } else if let Some(bits) = digits.strip_prefix("0b").or(digits.strip_prefix("0B")) {
        i64::from_str_radix(bits, 2)
    } else if let Some(octal) = digits.strip_prefix("0o").or(digits.strip_prefix("0O")) {
        i64::from_str_radix(octal, 8)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    number.ok().map(|number| if negative { -number } else { number })
}

fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let is_number = mantissa.chars().all(|c| c.is_ascii_digit() || c == '.')
        && mantissa.chars().any(|c| c.is_ascii_digit())
        && mantissa.matches('.').count() <= 1;
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_library_of_compose() {
        for (text, kind) in [
            ("80", Kind::Integer(80)),
            ("0440", Kind::Integer(288)),
            ("0o440", Kind::Integer(288)),
            ("089", Kind::Float(89.0)),
            ("1_000", Kind::Integer(1000)),
            ("-0x1F", Kind::Integer(-31)),
            ("22:22", Kind::Text("22:22".into())),
            ("1.5", Kind::Float(1.5)),
            (".5", Kind::Float(0.5)),
            ("1e3", Kind::Float(1000.0)),
            ("1.2.3", Kind::Text("1.2.3".into())),
            ("yes", Kind::Text("yes".into())),
            ("True", Kind::Bool(true)),
            ("~", Kind::Null),
            ("-", Kind::Text("-".into())),
            (".", Kind::Text(".".into())),
        ] {
            assert_eq!(plain(text), kind, "{text}");
        }
    }
}
