//! Property strings such as `name=eth0,bridge=vmbr0,firewall=1`.

use plimsoll_text::{Layer, Place, Spanned};

use crate::scan::{text_of, trim};

/// A property string: comma-separated `key=value` pairs and values without a key.
#[derive(Clone, Debug, Default)]
pub struct PropertyString {
    /// The parts in order.
    pub parts: Vec<Property>,
}

/// One part of a property string.
#[derive(Clone, Debug)]
pub struct Property {
    /// The key; nothing for the value of the option's default key (`volume` of `rootfs`, `model` of a disk).
    pub key: Option<Spanned<String>>,
    /// The value.
    pub value: Spanned<String>,
    /// Key and value.
    pub place: Place,
}

impl PropertyString {
    /// Reads a property string. It also serves for the arguments of `pct` and `qm` (`--net0 name=eth0,…`).
    #[must_use]
    pub fn parse(layer: &Layer) -> Self {
        let text = layer.text();
        let mut parts = Vec::new();
        let mut start = 0;
        while start <= text.len() {
            // A list inside a part is separated by `;`, so a comma always ends the part.
            let rest = text.get(start..).unwrap_or_default();
            let end = start + rest.find(',').unwrap_or(rest.len());
            let part = trim(text, start..end);
            if !part.is_empty() {
                parts.push(property(layer, part));
            }
            start = end + 1;
        }
        Self { parts }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Spanned<String>> {
        self.property(key).map(|part| &part.value)
    }

    /// The part with a key.
    #[must_use]
    pub fn property(&self, key: &str) -> Option<&Property> {
        self.parts.iter().find(|part| part.key.as_ref().is_some_and(|name| name.value == key))
    }

    /// The value of the default key: the first part without a key.
    #[must_use]
    pub fn default_value(&self) -> Option<&Spanned<String>> {
        self.parts.iter().find(|part| part.key.is_none()).map(|part| &part.value)
    }

    /// Whether a boolean key is on (`1`, `yes`, `true`, `on`); nothing when it is absent or something else.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        boolean(&self.get(key)?.value)
    }
}

/// A boolean as Proxmox VE writes and accepts it.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Some(true),
        "0" | "off" | "no" | "false" => Some(false),
        _ => None,
    }
}

fn property(layer: &Layer, range: std::ops::Range<usize>) -> Property {
    let text = layer.text();
    let spanned = |range: std::ops::Range<usize>| {
        Spanned::new(text_of(text, range.clone()).to_owned(), layer.place(range))
    };
    let place = layer.place(range.clone());
    match text_of(text, range.clone()).find('=') {
        Some(equals) => Property {
            key: Some(spanned(range.start..range.start + equals)),
            value: spanned(range.start + equals + 1..range.end),
            place,
        },
        None => Property { key: None, value: spanned(range), place },
    }
}
