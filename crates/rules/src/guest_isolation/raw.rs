//! Raw `lxc.*` lines, wherever files write them.

use std::sync::LazyLock;

use plimsoll_model::guests::{Guest, Maker};
use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::yaml::{Node, NodeKind};
use plimsoll_text::{Layer, Phrases, Place};

/// A line such as `lxc.apparmor.profile: unconfined`.
pub(super) struct RawLine<'a> {
    /// The key, `lxc.` included.
    pub key: String,
    /// The value, without quotes.
    pub value: String,
    /// Where it is written.
    pub place: Place,
    /// The guest that it belongs to, where that is known.
    pub guest: Option<&'a Guest>,
    /// Whether documentation shows it.
    pub documented: bool,
}

impl RawLine<'_> {
    /// Where the guest is made privileged: its own file or command says so, or the only guest's does.
    pub(super) fn privileged(&self, facts: &Facts) -> Option<Place> {
        match self.guest {
            Some(guest) if guest.setting("unprivileged").is_some() => guest.privileged(),
            Some(guest) if guest.maker == Maker::Config => guest.privileged(),
            _ => facts.guests.privileged().map(|(_, place)| place),
        }
    }

    /// Whether another line is about the same guest, as far as files tell.
    pub(super) fn is_beside(&self, other: &RawLine<'_>) -> bool {
        match (self.guest, other.guest) {
            (Some(a), Some(b)) => std::ptr::eq(a, b),
            _ => self.place.file == other.place.file,
        }
    }
}

static LXC: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(&["lxc."]));

/// All raw lines: of guest configurations, of commands that write them, of Ansible and of Python texts.
pub(super) fn lines(facts: &Facts) -> Vec<RawLine<'_>> {
    let mut out = Vec::new();
    for guest in facts.guests.iter() {
        for setting in guest.raw() {
            out.push(RawLine {
                key: setting.key.clone(),
                value: clean(&setting.value.text),
                place: setting.place,
                guest: Some(guest),
                documented: matches!(setting.maker, Maker::Documentation(_)),
            });
        }
    }
    let known = out.len();
    for (file, stream) in &facts.trees.yaml {
        if LXC.are_in(facts.files.get(*file))
            && matches!(facts.trees.kind(*file), Kind::Ansible | Kind::Yaml | Kind::CloudInit)
        {
            for document in &stream.documents {
                of_node(document, &mut out);
            }
        }
    }
    for command in facts.commands.iter() {
        let documented = facts.commands.unit(command.unit).origin.is_documentation();
        let mut found = Vec::new();
        if let Some(heredoc) =
            command.heredoc.as_ref().filter(|_| matches!(command.program.as_str(), "cat" | "tee"))
        {
            of_layer(&heredoc.body, &mut found);
        }
        if matches!(command.program.as_str(), "echo" | "printf" | "sed") {
            for arg in command.args.iter().filter(|arg| arg.value.text.contains("lxc.")) {
                let text = arg.value.text.trim_start_matches(['$', 'a', 'i', '\\', ' ']);
                for line in text.split("\\n").flat_map(str::lines) {
                    if let Some((key, value)) = key_value(line) {
                        found.push(plain(key, value, arg.place));
                    }
                }
            }
        }
        out.extend(found.into_iter().map(|line| RawLine { documented, ..line }));
    }
    let programs = facts.trees.of_kind(Kind::Python).filter(|file| !facts.is_development(*file));
    for file in programs.filter(|file| LXC.are_in(facts.files.get(*file))) {
        of_quoted(&Layer::whole(file, facts.files.get(file)), &mut out);
    }
    let mut kept: Vec<RawLine<'_>> = Vec::new();
    for (index, line) in out.into_iter().enumerate() {
        let same = kept.iter().any(|other| {
            other.place.file == line.place.file
                && (other.place.span.contains(line.place.span) || line.place.span.contains(other.place.span))
        });
        if index < known || !same {
            kept.push(line);
        }
    }
    kept.sort_by_key(|line| line.place);
    kept
}

fn of_node(node: &Node, out: &mut Vec<RawLine<'_>>) {
    if let NodeKind::Scalar(scalar) = &node.kind
        && scalar.value.contains("lxc.")
    {
        of_layer(&scalar.layer, out);
    }
    for entry in node.entries() {
        of_node(&entry.value, out);
    }
    for item in node.items() {
        of_node(item, out);
    }
}

fn of_layer(layer: &Layer, out: &mut Vec<RawLine<'_>>) {
    let mut start = 0;
    for line in layer.text().split_inclusive('\n') {
        if let Some((key, value)) = key_value(line) {
            let indent = line.len() - line.trim_start().len();
            out.push(plain(key, value, layer.place(start + indent..start + line.trim_end().len())));
        }
        start += line.len();
    }
}

/// Lines in string literals: `"lxc.cap.drop:\n"`.
fn of_quoted(layer: &Layer, out: &mut Vec<RawLine<'_>>) {
    let text = layer.text();
    for (at, _) in text.match_indices("lxc.") {
        let before = text.get(..at).unwrap_or_default();
        if !(before.ends_with(['"', '\'', '\n']) || before.ends_with("\\n")) {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.find(['"', '\'', '\n', '\\']).unwrap_or(rest.len());
        if let Some((key, value)) = rest.get(..end).and_then(key_value) {
            out.push(plain(key, value, layer.place(at..at + end)));
        }
    }
}

fn plain<'a>(key: &str, value: &str, place: Place) -> RawLine<'a> {
    RawLine { key: key.to_owned(), value: clean(value), place, guest: None, documented: false }
}

fn clean(value: &str) -> String {
    let value = value.split(" #").next().unwrap_or_default();
    value.trim().trim_matches(['"', '\'']).trim().to_owned()
}

/// `lxc.key: value` or `lxc.key = value`.
fn key_value(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (key, value) = line.split_at(line.find([':', '='])?);
    let key = key.trim();
    let is_key = key.starts_with("lxc.")
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    is_key.then(|| (key, value.get(1..).unwrap_or_default().trim()))
}
