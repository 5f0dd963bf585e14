//! Sections and entries.

use std::ops::Range;

use plimsoll_text::{Layer, Place, Spanned, SyntaxError};

use super::property::{PropertyString, boolean};
use crate::scan::{byte, lines, text_of, trim};

/// A guest configuration.
#[derive(Clone, Debug, Default)]
pub struct GuestConfig {
    /// The current configuration first, then snapshots and pending changes.
    pub sections: Vec<Section>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// The current configuration or a snapshot of it.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// The name in brackets; nothing for the current configuration.
    pub name: Option<Spanned<String>>,
    /// Its entries in order.
    pub entries: Vec<Entry>,
    /// Its comment lines, which Proxmox VE shows as the description.
    pub comments: Vec<Comment>,
}

/// A comment line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub place: Place,
    /// The text after `#`.
    pub text: String,
}

/// `key: value` or `lxc.key = value`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// The value without blanks around it.
    pub value: Layer,
    /// Key and value.
    pub place: Place,
}

impl Entry {
    /// Whether it is a raw LXC setting that Proxmox VE passes on unchecked.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.key.value.starts_with("lxc.")
    }

    /// The value's text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.value.text()
    }

    /// The value as a property string.
    #[must_use]
    pub fn properties(&self) -> PropertyString {
        PropertyString::parse(&self.value)
    }

    /// The value as a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        boolean(self.text())
    }
}

impl Section {
    /// The entry with a key; the last one wins.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.key.value == key)
    }

    /// All entries with a key, in order (raw LXC keys may repeat).
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| entry.key.value == key)
    }

    /// The entries whose key is a prefix and a number, such as `net0` and `mp3`.
    pub fn numbered<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |entry| {
            let number = entry.key.value.strip_prefix(prefix);
            number.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
        })
    }
}

impl GuestConfig {
    /// The current configuration.
    #[must_use]
    pub fn current(&self) -> Option<&Section> {
        self.sections.first()
    }
}

/// Reads a guest configuration. Anything gives a tree; what could not be read is in `errors`.
#[must_use]
pub fn parse(layer: &Layer) -> GuestConfig {
    let text = layer.text();
    let mut out = GuestConfig { sections: vec![Section::default()], errors: Vec::new() };
    for line in lines(text) {
        let line = trim(text, line);
        match byte(text_of(text, line.clone()), 0) {
            0 => {}
            b'#' => {
                let comment = Comment {
                    place: layer.place(line.clone()),
                    text: text_of(text, line.start + 1..line.end).to_owned(),
                };
                if let Some(section) = out.sections.last_mut() {
                    section.comments.push(comment);
                }
            }
            b'[' => {
                let inner = trim(text, line.start + 1..line.end.saturating_sub(1).max(line.start + 1));
                if !text_of(text, line.clone()).ends_with(']') {
                    error(&mut out, layer, line, "section without `]`");
                    continue;
                }
                let name = Spanned::new(text_of(text, inner.clone()).to_owned(), layer.place(inner));
                out.sections.push(Section { name: Some(name), ..Section::default() });
            }
            _ => match entry(layer, line.clone()) {
                Some(entry) => {
                    if let Some(section) = out.sections.last_mut() {
                        section.entries.push(entry);
                    }
                }
                None => error(&mut out, layer, line, "expected `key: value`"),
            },
        }
    }
    out
}

fn error(out: &mut GuestConfig, layer: &Layer, range: Range<usize>, message: &str) {
    out.errors.push(SyntaxError { place: layer.place(range), message: message.to_owned() });
}

fn entry(layer: &Layer, line: Range<usize>) -> Option<Entry> {
    let text = layer.text();
    let content = text_of(text, line.clone());
    let length = content
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'+'))
        .count();
    let after = trim(text, line.start + length..line.end);
    let raw = content.starts_with("lxc.");
    let separator = byte(text, after.start);
    if length == 0 || after.is_empty() || !(separator == b':' || raw && separator == b'=') {
        return None;
    }
    let key = line.start..line.start + length;
    let value = trim(text, after.start + 1..line.end);
    Some(Entry {
        key: Spanned::new(text_of(text, key.clone()).to_owned(), layer.place(key)),
        value: layer.slice(value.clone()),
        place: layer.place(line.start..value.end.max(after.start + 1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::whole;
    use proptest::prelude::*;

    const CONF: &str = "#web guest\narch: amd64\nnet0: name=eth0,bridge=vmbr0,ip=dhcp,firewall=1,type=veth\n\
        rootfs: local-lvm:vm-101-disk-0,size=8G\nunprivileged: 1\nlxc.cap.drop:\nlxc.apparmor.profile = unconfined\n\
        \n[before]\nnet0: name=eth0\n";

    #[test]
    fn entries_properties_and_snapshots_are_told_apart() {
        let tree = parse(&whole(CONF));
        assert_eq!(tree.errors, []);
        let [current, snapshot] = tree.sections.as_slice() else { panic!() };
        assert_eq!(current.comments[0].text, "web guest");
        let net = current.get("net0").unwrap().properties();
        let bridge = net.get("bridge").unwrap();
        assert_eq!(&CONF[bridge.place.span.range()], "vmbr0");
        assert_eq!((net.flag("firewall"), net.flag("link_down")), (Some(true), None));
        let root = current.get("rootfs").unwrap().properties();
        assert_eq!(root.default_value().unwrap().value, "local-lvm:vm-101-disk-0");
        assert_eq!(current.get("unprivileged").unwrap().as_bool(), Some(true));
        assert_eq!(current.get("lxc.cap.drop").unwrap().text(), "");
        let profile = current.get("lxc.apparmor.profile").unwrap();
        assert!(profile.is_raw() && profile.text() == "unconfined");
        assert_eq!(snapshot.name.as_ref().unwrap().value, "before");
        assert_eq!(current.numbered("net").count(), 1);
    }

    #[test]
    fn a_line_without_a_key_is_an_error_and_reading_goes_on() {
        let tree = parse(&whole("arch = amd64\nmemory: 512\n[x\n"));
        assert_eq!(tree.errors.len(), 2);
        assert_eq!(tree.current().unwrap().get("memory").unwrap().text(), "512");
    }

    proptest! {
        #[test]
        fn any_text_gives_entries_inside_it(text in "([ -~é\t]|\n|key: |lxc\\.|=|\\[|,){0,60}") {
            for section in parse(&whole(&text)).sections {
                for entry in section.entries {
                    prop_assert!(text.get(entry.place.span.range()).is_some());
                    for part in entry.properties().parts {
                        prop_assert!(text.get(part.place.span.range()).is_some());
                    }
                }
            }
        }
    }
}
