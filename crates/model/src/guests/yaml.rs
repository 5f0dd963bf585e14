//! Guests made by Ansible (`community.general.proxmox*`, `community.proxmox.*`).

use plimsoll_syntax::yaml::{Node, Stream};
use plimsoll_text::{FileId, Place};

use super::{Guest, GuestKind, Guests, Maker, Setting};
use crate::commands::Value;

const DEPTH: usize = 20;

/// Reads plays and task lists for guest modules.
pub(crate) fn from_ansible(file: FileId, stream: &Stream, guests: &mut Guests) {
    for document in &stream.documents {
        for item in document.items() {
            task(file, item, guests, 0);
        }
    }
}

/// Reads variable files for mappings that describe a guest in the module's own keys.
pub(crate) fn from_variables(file: FileId, stream: &Stream, guests: &mut Guests) {
    for document in &stream.documents {
        described(file, document, guests, 0);
    }
}

fn described(file: FileId, node: &Node, guests: &mut Guests, depth: usize) {
    if depth > 3 {
        return;
    }
    for entry in node.entries() {
        let value = &entry.value;
        let has = |key: &str| value.get(key).is_some();
        if has("vmid") && (has("netif") || has("ostemplate")) {
            let settings: Vec<Setting> =
                value.entries().iter().flat_map(|option| settings(file, option)).collect();
            let id = settings.iter().find(|s| s.key == "vmid").map(|s| s.value.clone());
            guests.add(Guest {
                kind: GuestKind::Lxc,
                id,
                place: Place::new(file, entry.key.span),
                maker: Maker::Ansible,
                created: true,
                settings,
            });
        } else if value.is_mapping() {
            described(file, value, guests, depth + 1);
        }
    }
}

fn task(file: FileId, node: &Node, guests: &mut Guests, depth: usize) {
    if depth > DEPTH {
        return;
    }
    for key in ["tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"] {
        for inner in node.get(key).map(|list| list.items()).unwrap_or_default() {
            task(file, inner, guests, depth + 1);
        }
    }
    for entry in node.entries() {
        let Some(kind) = entry.key.as_str().and_then(module_kind) else { continue };
        let settings: Vec<Setting> =
            entry.value.entries().iter().flat_map(|option| settings(file, option)).collect();
        let removes = entry
            .value
            .get("state")
            .and_then(|s| s.as_str())
            .is_some_and(|s| s == "absent" || s == "stopped");
        if removes {
            continue;
        }
        let id = settings.iter().find(|s| s.key == "vmid").map(|s| s.value.clone());
        let created = settings
            .iter()
            .any(|s| matches!(s.key.as_str(), "ostemplate" | "clone" | "net0" | "rootfs" | "disk"));
        guests.add(Guest {
            kind,
            id,
            place: Place::new(file, entry.key.span),
            maker: Maker::Ansible,
            created,
            settings,
        });
    }
}

fn module_kind(name: &str) -> Option<GuestKind> {
    match name.rsplit('.').next()? {
        "proxmox" => Some(GuestKind::Lxc),
        "proxmox_kvm" => Some(GuestKind::Vm),
        _ => None,
    }
}

/// An option of a module as settings in Proxmox's own keys: `netif`, `mounts` and `net` are dictionaries of them.
fn settings(file: FileId, option: &plimsoll_syntax::yaml::Entry) -> Vec<Setting> {
    let Some(key) = option.key.as_str() else { return Vec::new() };
    let place = Place::new(file, option.key.span.cover(option.value.span));
    let make = |key: &str, text: String, place| Setting {
        key: key.to_owned(),
        value: Value::literal(text),
        place,
        maker: Maker::Ansible,
    };
    match key {
        "netif" | "mounts" | "net" | "scsi" | "ide" | "virtio" | "ipconfig" if option.value.is_mapping() => {
            option
                .value
                .entries()
                .iter()
                .filter_map(|entry| {
                    let place = Place::new(file, entry.key.span.cover(entry.value.span));
                    Some(make(entry.key.as_str()?, entry.value.as_str()?.to_owned(), place))
                })
                .collect()
        }
        "unprivileged" | "onboot" => {
            let text = match option.value.as_bool() {
                Some(true) => "1".to_owned(),
                Some(false) => "0".to_owned(),
                None => option.value.as_str().unwrap_or_default().to_owned(),
            };
            vec![make(key, text, place)]
        }
        _ => {
            let text = match option.value.as_str() {
                Some(text) => text.to_owned(),
                None => {
                    option.value.items().iter().filter_map(|item| item.as_str()).collect::<Vec<_>>().join(",")
                }
            };
            vec![make(key, text, place)]
        }
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use plimsoll_text::Files;

    use crate::{Facts, Inventory};

    fn facts(path: &str, text: &str) -> Facts {
        let path = Utf8PathBuf::from(path);
        Facts::new(Files::new([(path.clone(), text.to_owned())]), Inventory::new([path]))
    }

    #[test]
    fn a_mapping_of_variables_describes_a_guest() {
        let text = "media:\n  vmid: 303\n  memory: 2048\n  netif:\n    net0: \"name=eth0,bridge=vmbr0\"\nother:\n  vmid: 1\n";
        let facts = facts("inventory/host_vars/media.yml", text);
        let guests: Vec<_> = facts.guests.real().collect();
        assert_eq!(guests.len(), 1);
        assert_eq!(guests[0].memory_mib(), Some(2048));
        assert_eq!(guests[0].numbered("net").count(), 1);
    }

    #[test]
    fn a_community_script_says_how_large_its_guest_is() {
        let text =
            "var_ram=\"${var_ram:-4096}\"\nvar_disk=\"20\"\nvar_unprivileged=\"0\"\nstart\nbuild_container\n";
        let facts = facts("ct/app.sh", text);
        let guest = facts.guests.real().next().unwrap();
        assert_eq!((guest.memory_mib(), guest.disk_gib()), (Some(4096), Some(20)));
        assert!(guest.privileged().is_some());
    }
}
