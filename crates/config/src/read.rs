//! Text to a [`Config`].

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use camino::Utf8Path;
use plimsoll_syntax::yaml::{self, Node};
use plimsoll_text::{Files, Layer, Span};

use crate::shape::Shape;
use crate::types::{
    Address, Adopted, Alphabet, Backup, Build, Check, CloneKind, Config, Generate, Guest, Hook, Keep,
    Network, NewGuest, OnFailure, Origin, Proxmox, Rotate, Rotation, SecretSpec, Target,
};
use crate::verify::{Verifier, Wrong, entries};
use crate::{Bytes, ConfigError, Errors, Template, keys, parse_duration};

/// Reads the text of a `plimsoll.yaml`; the path is only for messages.
///
/// # Errors
///
/// Everything that is wrong, in the order of the file.
pub fn parse(path: &Utf8Path, text: &str) -> Result<Config, Errors> {
    let files = Files::new([(path.to_owned(), text.to_owned())]);
    let Some((id, file)) = files.iter().next() else { return Err(Errors(Vec::new())) };
    let stream = yaml::parse(&Layer::whole(id, file));
    let mut verifier = Verifier::default();
    for error in &stream.errors {
        verifier.refuse(error.place.span, error.message.clone());
    }
    let start = Span::new(0, 0);
    let root = stream.documents.first().filter(|root| !root.is_null());
    match root {
        None if verifier.wrong.is_empty() => {
            verifier.refuse_with(start, "the file says nothing", "`plimsoll init` writes one");
        }
        Some(root) => verifier.shape("plimsoll.yaml", root, Shape::Table(&keys::FILE)),
        None => {}
    }
    if let Some(second) = stream.documents.get(1) {
        verifier.refuse(second.span, "a second document; the file is one document");
    }
    let mut config = None;
    if let Some(root) = root
        && verifier.wrong.is_empty()
    {
        config = Reading { verifier: &mut verifier }.config(root);
    }
    match config {
        Some(config) if verifier.wrong.is_empty() => Ok(config),
        _ => {
            let mut wrong: Vec<Wrong> = verifier.wrong;
            if wrong.is_empty() {
                wrong.push(Wrong { span: start, message: "the file cannot be read".to_owned(), hint: None });
            }
            wrong.sort_by_key(|wrong| wrong.span);
            let error = |wrong: Wrong| ConfigError {
                path: path.to_owned(),
                at: file.line_column(wrong.span.start),
                message: wrong.message,
                hint: wrong.hint,
            };
            Err(Errors(wrong.into_iter().map(error).collect()))
        }
    }
}

/// Reads `dhcp` or `192.168.1.50/24`.
pub(crate) fn address(text: &str) -> Option<Address> {
    if text == "dhcp" {
        return Some(Address::Dhcp);
    }
    let (ip, prefix) = text.split_once('/')?;
    let (ip, prefix): (IpAddr, u8) = (ip.parse().ok()?, prefix.parse().ok()?);
    let most = if ip.is_ipv4() { 32 } else { 128 };
    (1..=most).contains(&prefix).then_some(Address::Fixed { ip, prefix })
}

/// What a verified tree says. A value that the table does not allow cannot come here; it would read as nothing.
struct Reading<'a> {
    verifier: &'a mut Verifier,
}

fn text(node: &Node, key: &str) -> Option<String> {
    node.get(key).and_then(|value| value.as_str()).map(str::to_owned)
}

fn number<T: std::str::FromStr>(node: &Node, key: &str) -> Option<T> {
    node.get(key)?.as_str()?.parse().ok()
}

fn time(node: &Node, key: &str, default: Duration) -> Duration {
    node.get(key).and_then(|value| parse_duration(value.as_str()?)).unwrap_or(default)
}

fn list(node: &Node, key: &str) -> Vec<String> {
    let Some(value) = node.get(key) else { return Vec::new() };
    match value.as_str() {
        Some(one) => vec![one.to_owned()],
        None => value.items().iter().filter_map(|item| item.as_str()).map(str::to_owned).collect(),
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Reading<'_> {
    fn config(&mut self, root: &Node) -> Option<Config> {
        let mut targets = BTreeMap::new();
        let under = root.get("targets")?;
        if entries(under).is_empty() {
            self.verifier.refuse(under.span, "`targets` needs at least one target");
        }
        for entry in entries(under) {
            let name = entry.key.as_str()?.to_owned();
            targets.insert(name.clone(), self.target(name, &entry.value)?);
        }
        let mut secrets = BTreeMap::new();
        for entry in root.get("secrets").map(|secrets| entries(secrets)).unwrap_or_default() {
            let name = entry.key.as_str()?;
            secrets.insert(name.to_owned(), self.secret(name, &entry.value)?);
        }
        let compose = if root.get("compose").is_some() {
            list(root, "compose")
        } else {
            vec!["docker-compose.yml".to_owned()]
        };
        Some(Config {
            app: text(root, "app")?,
            compose: compose.into_iter().map(Into::into).collect(),
            targets,
            secrets,
            recipients: list(root, "recipients"),
        })
    }

    fn target(&mut self, name: String, node: &Node) -> Option<Target> {
        let proxmox = node.get("proxmox").and_then(|node| {
            let url = text(node, "url")?;
            Some(Proxmox {
                url: url.strip_suffix('/').unwrap_or(&url).to_owned(),
                node: text(node, "node")?,
                pool: text(node, "pool"),
                fingerprint: text(node, "fingerprint").map(|pin| pin.to_ascii_uppercase()),
            })
        });
        let guest_node = node.get("guest")?;
        let guest = self.guest(guest_node)?;
        let at = guest_node.span;
        match &guest {
            Guest::Adopt(adopted) if adopted.id.is_some() && proxmox.is_none() => {
                let span = guest_node.get("id").map_or(at, |id| id.span);
                self.verifier.refuse(span, format!("`id` needs `proxmox` in target `{name}`"));
            }
            Guest::Adopt(_) => {}
            _ if proxmox.is_none() => {
                let span = guest_node.entries().first().map_or(at, |entry| entry.key.span);
                self.verifier.refuse_with(
                    span,
                    format!("a guest of kind `{}` needs `proxmox` in target `{name}`", guest.kind()),
                    "only `kind: adopt` does without a node",
                );
            }
            _ => {}
        }
        let backup = node.get("backup");
        if let (Some(backup), None) = (backup, &proxmox) {
            self.verifier.refuse(backup.span, format!("`backup` needs `proxmox` in target `{name}`"));
        }
        let backup = backup.and_then(|node| {
            let keep = node.get("keep");
            let kept = |key: &str| keep.and_then(|keep| number(keep, key)).unwrap_or(0);
            Some(Backup {
                storage: text(node, "storage")?,
                schedule: text(node, "schedule"),
                keep: Keep {
                    last: kept("last"),
                    daily: kept("daily"),
                    weekly: kept("weekly"),
                    monthly: kept("monthly"),
                    yearly: kept("yearly"),
                },
            })
        });
        let items = |key: &str| node.get(key).map(|node| node.items()).unwrap_or_default();
        let hook = |node: &Node| {
            Some(Hook {
                service: text(node, "service")?,
                run: text(node, "run")?,
                deadline: time(node, "deadline", seconds(600)),
            })
        };
        Some(Target {
            proxmox,
            guest,
            checks: items("checks").iter().filter_map(|node| check(node)).collect(),
            before_release: items("before_release").iter().filter_map(|node| hook(node)).collect(),
            backup,
            build: match text(node, "build").as_deref() {
                Some("guest") => Build::Guest,
                _ => Build::Local,
            },
            watch: time(node, "watch", seconds(30)),
            deadline: time(node, "deadline", seconds(300)),
            keep: number(node, "keep").unwrap_or(5),
            on_failure: match text(node, "on_failure").as_deref() {
                Some("restore_data") => OnFailure::RestoreData,
                Some("keep") => OnFailure::Keep,
                _ => OnFailure::Restore,
            },
            name,
        })
    }

    fn guest(&mut self, node: &Node) -> Option<Guest> {
        let kind = text(node, "kind");
        let user = text(node, "user").unwrap_or_else(|| "plimsoll".to_owned());
        if kind.as_deref() == Some("adopt") {
            return Some(Guest::Adopt(Adopted {
                address: text(node, "address")?,
                user,
                port: number(node, "port").unwrap_or(22),
                host_key: text(node, "host_key"),
                id: number(node, "id"),
            }));
        }
        if let (Some(image), None) = (node.get("image"), node.get("checksum"))
            && text(node, "image").is_some_and(|image| image.starts_with("https://"))
        {
            self.verifier.refuse(image.span, "an `image` from a URL needs its `checksum`");
        }
        if let (Some(clone), true) = (node.get("clone"), kind.as_deref() == Some("oci")) {
            self.verifier.refuse_with(
                clone.span,
                "a native container is no clone: it is made from its image",
                "leave `clone` out, or set `kind: vm` or `kind: lxc`",
            );
        }
        let guest = NewGuest {
            id: number(node, "id"),
            name: text(node, "name"),
            cores: number(node, "cores").unwrap_or(2),
            memory: Bytes::parse(&text(node, "memory")?)?,
            disk: Bytes::parse(&text(node, "disk")?)?,
            storage: text(node, "storage")?,
            network: self.network(node.get("network")?)?,
            image: text(node, "image"),
            checksum: text(node, "checksum"),
            clone: match text(node, "clone").as_deref() {
                Some("linked") => Some(CloneKind::Linked),
                Some("full") => Some(CloneKind::Full),
                _ => None,
            },
            user,
            ssh_keys: list(node, "ssh_keys"),
        };
        Some(match kind.as_deref() {
            Some("lxc") => Guest::Lxc(guest),
            Some("oci") => Guest::Oci(guest),
            _ => Guest::Vm(guest),
        })
    }

    fn network(&mut self, node: &Node) -> Option<Network> {
        let address = text(node, "address").map_or(Some(Address::Dhcp), |text| address(&text))?;
        let gateway: Option<IpAddr> = number(node, "gateway");
        match (address, gateway) {
            (Address::Fixed { ip, .. }, Some(gateway)) if ip.is_ipv4() != gateway.is_ipv4() => {
                let span = node.get("gateway")?.span;
                self.verifier.refuse(span, "`gateway` is not of the family of `address`");
            }
            (Address::Fixed { .. }, None) => {
                let span = node.get("address")?.span;
                self.verifier.refuse(span, "a fixed `address` needs a `gateway`");
            }
            (Address::Dhcp, Some(_)) => {
                let span = node.get("gateway")?.span;
                self.verifier.refuse_with(
                    span,
                    "`gateway` comes from the network with `address: dhcp`",
                    "remove it",
                );
            }
            _ => {}
        }
        Some(Network {
            bridge: text(node, "bridge").unwrap_or_else(|| "vmbr0".to_owned()),
            vlan: number(node, "vlan"),
            address,
            gateway,
            dns: list(node, "dns").iter().filter_map(|ip| ip.parse().ok()).collect(),
        })
    }

    fn secret(&mut self, name: &str, node: &Node) -> Option<SecretSpec> {
        let rotate = node.get("rotate").and_then(|node| rotation(node));
        if let Some(generate) = node.get("generate") {
            let alphabet = text(generate, "alphabet");
            let alphabet = Alphabet::ALL.into_iter().find(|known| Some(known.name()) == alphabet.as_deref());
            let origin = Origin::Generate(Generate {
                length: number(generate, "length").unwrap_or(32),
                alphabet: alphabet.unwrap_or(Alphabet::UrlSafe),
            });
            return Some(SecretSpec { origin, rotate });
        }
        let from = node.get("from")?;
        let word = from.as_str()?.to_owned();
        let own = match word.as_str() {
            "env" => "name",
            "file" => "path",
            "command" => "run",
            _ => "",
        };
        for key in ["name", "path", "run"].into_iter().filter(|key| *key != own) {
            if let Some(entry) = node.entry(key) {
                self.verifier.refuse(entry.key.span, format!("`{key}` means nothing with `from: {word}`"));
            }
        }
        if matches!(own, "path" | "run") && node.get(own).is_none() {
            self.verifier.refuse(from.span, format!("`from: {word}` needs `{own}`"));
            return None;
        }
        let origin = match word.as_str() {
            "env" => Origin::Env(text(node, "name").unwrap_or_else(|| name.to_owned())),
            "file" => Origin::File(text(node, "path")?.into()),
            "command" => Origin::Command(text(node, "run")?),
            _ => Origin::Store,
        };
        Some(SecretSpec { origin, rotate })
    }
}

/// The word alone, or a mapping that names service and user, too.
fn rotation(node: &Node) -> Option<Rotation> {
    let kind = if node.is_mapping() { text(node, "kind") } else { node.as_str().map(ToOwned::to_owned) };
    let server = Rotate::ALL.into_iter().find(|server| Some(server.word()) == kind.as_deref())?;
    Some(Rotation { server, service: text(node, "service"), user: text(node, "user") })
}

fn check(node: &Node) -> Option<Check> {
    if let Some(url) = text(node, "http") {
        return Some(Check::Http {
            url: Template::new(&url),
            expect: number(node, "expect").unwrap_or(200),
            contains: text(node, "contains"),
            timeout: time(node, "timeout", seconds(5)),
        });
    }
    if let Some(address) = text(node, "tcp") {
        return Some(Check::Tcp {
            address: Template::new(&address),
            timeout: time(node, "timeout", seconds(5)),
        });
    }
    let run = Template::new(&text(node, "command")?);
    Some(Check::Command { run, timeout: time(node, "timeout", seconds(30)) })
}
