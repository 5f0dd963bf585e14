//! Guests made by Terraform: the Telmate and bpg providers, in Proxmox's own keys.

use plimsoll_syntax::hcl::{Block, Body, Expression, ExpressionKind};
use plimsoll_text::Place;

use super::{Guest, GuestKind, Guests, Maker, Setting};
use crate::commands::{Source, Value};
use crate::{Kind, Trees};

/// Reads `resource` blocks of both providers.
pub(crate) fn from_terraform(trees: &Trees, guests: &mut Guests) {
    for file in trees.of_kind(Kind::Terraform) {
        let Some(tree) = trees.terraform.get(&file) else { continue };
        for block in tree.body.blocks("resource") {
            let Some(kind) = block.label(0).and_then(resource_kind) else { continue };
            let mut settings = Vec::new();
            collect(&block.body, "", trees, &mut settings);
            if block.label(0).is_some_and(|label| label == "proxmox_lxc")
                && !settings.iter().any(|setting| setting.key == "unprivileged")
            {
                // Telmate's documentation of proxmox_lxc: `unprivileged` defaults to false.
                settings.push(Setting {
                    key: "unprivileged".to_owned(),
                    value: Value::literal("0"),
                    place: head(block),
                    maker: Maker::Terraform,
                });
            }
            let id = settings
                .iter()
                .find(|setting| matches!(setting.key.as_str(), "vmid" | "vm_id"))
                .map(|setting| setting.value.clone());
            guests.add(Guest {
                kind,
                id,
                place: head(block),
                maker: Maker::Terraform,
                created: true,
                settings,
            });
        }
    }
}

fn resource_kind(label: &str) -> Option<GuestKind> {
    match label {
        "proxmox_lxc" | "proxmox_virtual_environment_container" => Some(GuestKind::Lxc),
        "proxmox_vm_qemu" | "proxmox_virtual_environment_vm" => Some(GuestKind::Vm),
        _ => None,
    }
}

fn head(block: &Block) -> Place {
    let span = block.labels.iter().fold(block.kind.place.span, |span, label| span.cover(label.place.span));
    Place::new(block.place.file, span)
}

/// Attributes in Proxmox's own keys; attributes of nested blocks become `block.attribute`, and what both providers
/// write as blocks (`network`, `features`, `rootfs`) becomes a property string.
fn collect(body: &Body, prefix: &str, trees: &Trees, settings: &mut Vec<Setting>) {
    for attribute in &body.attributes {
        let key = rename(&format!("{prefix}{}", attribute.name.value));
        let value = value(&attribute.value, trees, 0);
        let value = match (key.as_str(), value.text.as_str()) {
            ("unprivileged" | "onboot" | "start_on_boot", "true") => Value::literal("1"),
            ("unprivileged" | "onboot" | "start_on_boot", "false") => Value::literal("0"),
            _ => value,
        };
        settings.push(Setting { key, value, place: attribute.place, maker: Maker::Terraform });
    }
    let mut networks = 0;
    for block in &body.blocks {
        let name = block.kind.value.as_str();
        if matches!(
            name,
            "network"
                | "network_interface"
                | "network_device"
                | "features"
                | "rootfs"
                | "disk"
                | "mountpoint"
                | "mount_point"
        ) {
            let mut property = Value::default();
            for attribute in &block.body.attributes {
                let inner = value(&attribute.value, trees, 0);
                let text = match inner.text.as_str() {
                    "true" => "1",
                    "false" => "0",
                    other => other,
                };
                let separator = if property.text.is_empty() { "" } else { "," };
                property.text.push_str(&format!("{separator}{}={text}", attribute.name.value));
                property.sources.extend(inner.sources);
            }
            let key = match name {
                "network" | "network_interface" | "network_device" => {
                    networks += 1;
                    format!("net{}", networks - 1)
                }
                "mountpoint" | "mount_point" => "mp0".to_owned(),
                "disk" => "rootfs".to_owned(),
                other => other.to_owned(),
            };
            settings.push(Setting { key, value: property, place: block.place, maker: Maker::Terraform });
        } else if name != "provisioner" && name != "connection" && prefix.len() < 60 {
            collect(&block.body, &format!("{prefix}{name}."), trees, settings);
        }
    }
}

fn rename(key: &str) -> String {
    match key {
        "initialization.ip_config.ipv4.address" => "ipconfig0".to_owned(),
        "initialization.hostname" => "hostname".to_owned(),
        "initialization.user_account.password" | "cipassword" => "password".to_owned(),
        "memory.dedicated" => "memory".to_owned(),
        "cpu.cores" => "cores".to_owned(),
        "started" => "start".to_owned(),
        other => other.to_owned(),
    }
}

/// The text of an expression, variables followed to what a module is given or to their defaults.
#[must_use]
pub fn terraform_value(expression: &Expression, trees: &Trees) -> Value {
    value(expression, trees, 0)
}

/// The text of an expression, `var.NAME` and `local.NAME` followed to their defaults.
pub(crate) fn value(expression: &Expression, trees: &Trees, depth: u8) -> Value {
    match &expression.kind {
        ExpressionKind::String(layer) | ExpressionKind::Template(layer) | ExpressionKind::Heredoc(layer) => {
            Value::literal(layer.text())
        }
        ExpressionKind::Number(text) => Value::literal(text.as_str()),
        ExpressionKind::Bool(value) => Value::literal(if *value { "true" } else { "false" }),
        ExpressionKind::List(items) => {
            let texts: Vec<String> = items.iter().map(|item| value(item, trees, depth + 1).text).collect();
            Value::literal(texts.join(","))
        }
        ExpressionKind::Reference(name) if depth < 8 => {
            let found = name
                .strip_prefix("var.")
                .and_then(|name| trees.terraform_variable(name, expression.place.file));
            match found {
                Some(default) => {
                    let mut inner = value(default, trees, depth + 1);
                    inner.sources.insert(0, Source::Default { name: name.clone(), place: default.place });
                    inner
                }
                None => Value {
                    text: format!("${{{name}}}"),
                    sources: vec![Source::Environment { name: name.clone() }],
                },
            }
        }
        _ => Value::literal("${…}"),
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use plimsoll_text::Files;

    use crate::commands::Source;
    use crate::{Facts, Inventory};

    #[test]
    fn what_a_module_is_given_wins_over_its_own_default() {
        let texts = [
            ("main.tf", "module \"app\" {\n  source = \"./modules/app\"\n  ip = var.app_ip\n}\n"),
            ("variables.tf", "variable \"app_ip\" {\n  default = \"dhcp\"\n}\n"),
            (
                "modules/app/main.tf",
                "variable \"ip\" {}\nresource \"proxmox_lxc\" \"a\" {\n  network {\n    ip = var.ip\n  }\n}\n",
            ),
        ];
        let files = texts.map(|(path, text)| (Utf8PathBuf::from(path), text.to_owned()));
        let inventory = Inventory::new(files.iter().map(|(path, _)| path.clone()));
        let facts = Facts::new(Files::new(files), inventory);
        let guest = facts.guests.real().next().unwrap();
        let net = guest.numbered("net").next().unwrap();
        assert_eq!(net.value.text, "ip=dhcp");
        let set_in = |source: &Source| match source {
            Source::Default { place, .. } => Some(facts.path(place.file).to_string()),
            _ => None,
        };
        assert!(net.value.sources.iter().filter_map(set_in).any(|path| path == "variables.tf"));
    }
}
