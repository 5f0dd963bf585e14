//! What is known about one guest.

use plimsoll_text::Place;

use super::Properties;
use crate::commands::{CommandId, Value};

/// The kinds of guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuestKind {
    /// An LXC container.
    Lxc,
    /// A VM.
    Vm,
}

/// What sets a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// `pct`, `qm`, `pvesh` or text written to `/etc/pve`.
    Command(CommandId),
    /// A guest configuration file.
    Config,
    /// A Terraform resource.
    Terraform,
    /// An Ansible task.
    Ansible,
    /// A call of the Proxmox API in a program.
    Api,
    /// A documentation code block.
    Documentation(CommandId),
}

/// One property of a guest, in Proxmox's own key and value.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The key as in the guest's configuration: `unprivileged`, `features`, `net0`, `lxc.apparmor.profile` …
    pub key: String,
    /// The value, variables followed.
    pub value: Value,
    /// Where it is set (key and value).
    pub place: Place,
    /// What sets it.
    pub maker: Maker,
}

/// A guest that the files create, change or describe.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Its kind.
    pub kind: GuestKind,
    /// Its id, when it is named.
    pub id: Option<Value>,
    /// Where it is made or first described.
    pub place: Place,
    /// What makes it.
    pub maker: Maker,
    /// Whether the files create it (else they only change or describe it).
    pub created: bool,
    /// Its properties in reading order.
    pub settings: Vec<Setting>,
}

impl Guest {
    /// The last setting of a key.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().rev().find(|setting| setting.key == key)
    }

    /// All settings of a key.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Setting> {
        self.settings.iter().filter(move |setting| setting.key == key)
    }

    /// Settings whose key is the prefix and a number (`net0`, `mp1`).
    pub fn numbered<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Setting> {
        self.settings.iter().filter(move |setting| {
            setting
                .key
                .strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
        })
    }

    /// Raw `lxc.*` settings.
    pub fn raw(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter().filter(|setting| setting.key.starts_with("lxc."))
    }

    /// Whether an LXC guest is unprivileged, where the files say so themselves.
    #[must_use]
    pub fn unprivileged(&self) -> Option<(bool, &Setting)> {
        let setting = self.setting("unprivileged")?;
        match setting.value.text.as_str() {
            "1" | "true" | "yes" | "True" => Some((true, setting)),
            "0" | "false" | "no" | "False" | "" => Some((false, setting)),
            _ => None,
        }
    }

    /// Whether root of this guest is root of the node, with the place that says so.
    ///
    /// A guest configuration without `unprivileged: 1` is privileged (`PVE::LXC::Config`, default 0). For a creation
    /// without the option the default depends on the version (`PVE::API2::LXC::create_vm`: 1 from pve-container
    /// 6.0.6 on, 0 before), so nothing is said.
    #[must_use]
    pub fn privileged(&self) -> Option<Place> {
        if self.kind != GuestKind::Lxc {
            return None;
        }
        match self.unprivileged() {
            Some((false, setting)) => Some(setting.place),
            Some((true, _)) => None,
            None if self.setting("unprivileged").is_some() => None,
            None if self.maker == Maker::Config && self.setting("rootfs").is_some() => Some(self.place),
            None => None,
        }
    }

    /// The features, with their setting.
    #[must_use]
    pub fn features(&self) -> Option<(Properties, &Setting)> {
        let setting = self.setting("features")?;
        Some((Properties::parse(&setting.value.text), setting))
    }

    /// Memory in MiB.
    #[must_use]
    pub fn memory_mib(&self) -> Option<u64> {
        self.setting("memory")?.value.text.trim().parse().ok()
    }

    /// Root disk in GiB: of `rootfs` as `storage:SIZE` at creation or `size=20G` in a configuration.
    #[must_use]
    pub fn disk_gib(&self) -> Option<u64> {
        let properties =
            Properties::parse(&self.setting("rootfs").or_else(|| self.setting("scsi0"))?.value.text);
        if let Some(size) = properties.get("size") {
            return size.trim_end_matches(['G', 'g']).parse().ok();
        }
        properties.default()?.rsplit_once(':')?.1.parse().ok()
    }
}

/// All guests of an evaluation.
#[derive(Clone, Debug, Default)]
pub struct Guests {
    list: Vec<Guest>,
}

impl Guests {
    /// All guests in reading order.
    pub fn iter(&self) -> impl Iterator<Item = &Guest> {
        self.list.iter()
    }

    /// Whether no file speaks of a guest.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds a guest, or what it says to the guest of the same kind and id. Documentation never changes a guest that
    /// other files make: its claims are compared, not believed.
    pub(crate) fn add(&mut self, guest: Guest) {
        let is_doc = |maker: Maker| matches!(maker, Maker::Documentation(_));
        let same = self.list.iter_mut().find(|known| {
            known.kind == guest.kind
                && is_doc(known.maker) == is_doc(guest.maker)
                && !(known.created && guest.created && known.place.file != guest.place.file)
                && !(known.created && guest.created && !same_id(known, &guest))
                && (same_id(known, &guest) || guest.id.is_none() && known.place.file == guest.place.file)
        });
        match same {
            Some(known) => {
                if guest.created && !known.created {
                    known.place = guest.place;
                    known.maker = guest.maker;
                    known.created = true;
                }
                known.settings.extend(guest.settings);
            }
            None => self.list.push(guest),
        }
    }

    /// Guests that files make or describe for real, documentation left out.
    pub fn real(&self) -> impl Iterator<Item = &Guest> {
        self.list.iter().filter(|guest| !matches!(guest.maker, Maker::Documentation(_)))
    }

    /// Guests as documentation describes them.
    pub fn documented(&self) -> impl Iterator<Item = &Guest> {
        self.list.iter().filter(|guest| matches!(guest.maker, Maker::Documentation(_)))
    }

    /// The guest that a file is about, else the only one, else one that hosts containers.
    #[must_use]
    pub fn privileged(&self) -> Option<(&Guest, Place)> {
        self.real().find_map(|guest| guest.privileged().map(|place| (guest, place)))
    }
}

fn same_id(a: &Guest, b: &Guest) -> bool {
    match (&a.id, &b.id) {
        (Some(a), Some(b)) => a.text == b.text,
        _ => false,
    }
}
