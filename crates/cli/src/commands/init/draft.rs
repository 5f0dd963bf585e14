//! What a `plimsoll.yaml` should say, from facts.

use std::collections::BTreeSet;

use clap::ValueEnum;
use plimsoll_model::commands::{Command, HopKind};
use plimsoll_model::compose::{HealthTest, Service, VariableSource};
use plimsoll_model::guests::{Guest, GuestKind, Properties};
use plimsoll_model::{Facts, Role, Stack};
use plimsoll_text::{FileId, Place};

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    pub(super) app: Option<String>,
    pub(super) target: String,
    pub(super) adopt: Option<String>,
    pub(super) url: Option<String>,
    pub(super) node: Option<String>,
    pub(super) storage: Option<String>,
    pub(super) address: Option<String>,
    pub(super) gateway: Option<String>,
    pub(super) backup: Option<String>,
    pub(super) kind: Option<NewKind>,
}

/// The kind of a guest that is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum NewKind {
    /// A virtual machine: a kernel of its own
    #[default]
    Vm,
    /// An unprivileged container: lighter, with the node's kernel
    Lxc,
}

/// A secret and who knows its value.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) name: String,
    /// Whether somebody else gave it out (an API key): nobody can make it.
    pub(super) foreign: bool,
    pub(super) why: String,
}

/// A value with the reason for it.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) why: String,
}

/// The draft.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) given: Given,
    pub(super) app: String,
    pub(super) compose: Vec<String>,
    pub(super) today: Option<String>,
    pub(super) cores: Choice,
    pub(super) memory: Choice,
    pub(super) disk: Choice,
    pub(super) url: Choice,
    pub(super) storage: Choice,
    /// That of today's guest.
    pub(super) gateway: Option<Choice>,
    pub(super) bridge: Choice,
    pub(super) checks: Vec<Choice>,
    pub(super) hooks: Vec<(String, Choice)>,
    pub(super) secrets: Vec<Secret>,
    /// Keys whose values nothing says.
    pub(super) assumed: Vec<&'static str>,
}

impl Draft {
    /// The draft for the stack that is deployed, or may be; nothing without one.
    pub(super) fn new(facts: &Facts, given: Given, folder: &str) -> Option<Self> {
        // A project can also stand inside a script, which Compose cannot be pointed at.
        let own = |stack: &&Stack| {
            let named = |file: &FileId| matches!(facts.path(*file).extension(), Some("yml" | "yaml"));
            !stack.files.is_empty() && stack.files.iter().all(named)
        };
        let stacks: Vec<&Stack> = facts.stacks.iter().filter(own).collect();
        let of = |role: Role| stacks.iter().find(|stack| stack.role == role).copied();
        let stack = of(Role::Production).or_else(|| of(Role::Unknown)).or_else(|| stacks.first().copied())?;
        let guest = facts.guests.real().find(|guest| guest.created).or_else(|| facts.guests.real().next());
        let mut assumed = Vec::new();
        if given.adopt.is_none() {
            let missing = [
                ("proxmox.url", given.url.is_none()),
                ("proxmox.node", given.node.is_none()),
                ("backup", given.backup.is_none()),
            ];
            assumed.extend(missing.into_iter().filter(|(_, missing)| *missing).map(|(key, _)| key));
        }
        let from = |place: Place| at(facts, place);
        let rootfs = guest.and_then(|guest| {
            let disk = ["rootfs", "scsi0", "virtio0"].into_iter().find_map(|key| guest.setting(key))?;
            let storage = disk.value.text.split(':').next().filter(|name| plain(name))?;
            Some(Choice { value: storage.to_owned(), why: from(disk.place) })
        });
        let storage = match (&given.storage, rootfs) {
            (Some(storage), _) => Choice { value: storage.clone(), why: "as given".to_owned() },
            (None, Some(found)) => found,
            (None, None) => {
                if given.adopt.is_none() {
                    assumed.push("guest.storage");
                }
                Choice {
                    value: "local-lvm".to_owned(),
                    why: "the usual one; not said by the files".to_owned(),
                }
            }
        };
        let size = |key: &str, found: Option<u64>, unit: &str, least: u64, default: &str| {
            let place = guest.and_then(|guest| guest.setting(key)).map(|setting| setting.place);
            match (found.filter(|size| (least..1 << 20).contains(size)), place) {
                (Some(size), Some(place)) => Choice { value: format!("{size}{unit}"), why: from(place) },
                _ => Choice {
                    value: default.to_owned(),
                    why: "a usual size; not said by the files".to_owned(),
                },
            }
        };
        let cores = guest.and_then(|guest| guest.setting("cores")?.value.text.parse().ok());
        let disk_key =
            if guest.is_some_and(|guest| guest.setting("scsi0").is_some()) { "scsi0" } else { "rootfs" };
        Some(Self {
            app: name(given.app.as_deref().unwrap_or(&stack.compose.name))
                .or_else(|| name(folder))
                .unwrap_or_else(|| "app".to_owned()),
            compose: stack.files.iter().map(|file| facts.path(*file).to_string()).collect(),
            today: guest.map(|guest| today(facts, guest)),
            cores: size("cores", cores.filter(|cores| *cores <= 512), "", 1, "2"),
            memory: size("memory", guest.and_then(Guest::memory_mib), "MiB", 256, "2GiB"),
            disk: size(disk_key, guest.and_then(Guest::disk_gib), "GiB", 4, "20GiB"),
            url: url(facts),
            gateway: gateway(facts, guest),
            storage,
            bridge: bridge(facts, guest),
            checks: checks(facts, stack),
            hooks: hooks(facts, stack),
            secrets: secrets(facts, stack),
            assumed,
            given,
        })
    }
}

/// Where something is written, for a comment.
fn at(facts: &Facts, place: Place) -> String {
    let file = facts.files.get(place.file);
    format!("{}:{}", file.path(), file.line_column(place.span.start).line)
}

fn plain(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(known)
}

fn name(text: &str) -> Option<String> {
    let mapped = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let short: String = mapped.collect::<String>().trim_matches('-').chars().take(63).collect();
    let name = short.trim_matches('-').to_owned();
    (!name.is_empty()).then_some(name)
}

fn today(facts: &Facts, guest: &Guest) -> String {
    let kind = match guest.kind {
        GuestKind::Lxc => "LXC container",
        GuestKind::Vm => "VM",
    };
    let id = guest.id.as_ref().map(|id| id.text.as_str()).filter(|id| plain(id)).map(|id| format!(" {id}"));
    format!("{kind}{} ({})", id.unwrap_or_default(), at(facts, guest.place))
}

fn bridge(facts: &Facts, guest: Option<&Guest>) -> Choice {
    let found = guest.and_then(|guest| {
        let net = guest.setting("net0")?;
        let properties = Properties::parse(&net.value.text);
        let bridge = properties.get("bridge").filter(|name| plain(name))?;
        Some(Choice { value: bridge.to_owned(), why: at(facts, net.place) })
    });
    found.unwrap_or_else(|| Choice { value: "vmbr0".to_owned(), why: "the usual one".to_owned() })
}

/// The machine that scripts log in to for the node's own commands.
fn url(facts: &Facts) -> Choice {
    let is_told = |command: &&Command| facts.path(command.place.file).extension() == Some("md");
    let (told, done): (Vec<&Command>, Vec<&Command>) = facts.commands.iter().partition(is_told);
    // What a document tells counts less than what a script does.
    let found = done.into_iter().chain(told).find_map(|command| {
        let is_node_s = matches!(command.program.as_str(), "pct" | "qm" | "pvesh" | "pveam" | "pvesm");
        let target = command.hops.iter().find_map(|hop| match &hop.kind {
            HopKind::Ssh { target, .. } if is_node_s => Some(target.text.as_str()),
            _ => None,
        })?;
        let host = target.rsplit_once('@').map_or(target, |(_, host)| host);
        let why = format!("{} logs in to this host for the node's commands", at(facts, command.place));
        plain(host).then(|| Choice { value: format!("https://{host}:8006"), why })
    });
    found.unwrap_or_else(|| Choice {
        value: "https://pve.lan:8006".to_owned(),
        why: "the address of the node's web interface".to_owned(),
    })
}

fn gateway(facts: &Facts, guest: Option<&Guest>) -> Option<Choice> {
    let net = guest?.setting("net0")?;
    let properties = Properties::parse(&net.value.text);
    let gateway = properties.get("gw").filter(|text| text.parse::<std::net::IpAddr>().is_ok())?;
    Some(Choice { value: gateway.to_owned(), why: at(facts, net.place) })
}

/// One check for each service that publishes a port to more than the guest itself and speaks HTTP in its health
/// check; ports of databases are no entrance of the app.
fn checks(facts: &Facts, stack: &Stack) -> Vec<Choice> {
    let mut found = Vec::new();
    for service in stack.compose.services.values() {
        let Some((scheme, path)) = health_url(service) else { continue };
        let open = service.ports.iter().find(|port| {
            let local = port.host_ip.as_deref().is_some_and(|ip| ip.starts_with("127.") || ip == "::1");
            !local
                && port.protocol == "tcp"
                && port.published.as_deref().is_some_and(|at| at.parse::<u16>().is_ok())
        });
        let Some(port) = open else { continue };
        let number = port.published.as_deref().unwrap_or_default();
        found.push(Choice {
            value: format!("{{http: {}}}", quoted(&format!("{scheme}://{{guest}}:{number}{path}"))),
            why: format!("service {}, {}", service.name, at(facts, port.place)),
        });
    }
    found
}

/// Scheme and path of the URL that a health check asks.
fn health_url(service: &Service) -> Option<(&'static str, String)> {
    let text = match &service.healthcheck.as_ref()?.test.as_ref()?.value {
        HealthTest::Exec(words) | HealthTest::Other(words) => words.join(" "),
        HealthTest::Shell(text) => text.clone(),
        HealthTest::None => return None,
    };
    let (scheme, at) = ["http", "https"].into_iter().find_map(|scheme| {
        let start = format!("{scheme}://");
        Some((scheme, text.find(&start)? + start.len()))
    })?;
    let end = |c: char| c.is_whitespace() || "'\"|;&)<>{}\\$`".contains(c);
    let rest = text.get(at..)?.split(end).next()?;
    Some((scheme, rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/").to_owned()))
}

/// Migrations that a script runs in a service's container today.
fn hooks(facts: &Facts, stack: &Stack) -> Vec<(String, Choice)> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for command in facts.commands.iter().filter(|command| command.migrates()) {
        let Some(service) = service_of(command, stack) else { continue };
        let words: Vec<&str> = std::iter::once(command.program.as_str()).chain(command.arg_texts()).collect();
        let simple = |word: &&str| {
            !word.is_empty() && !word.contains(|c: char| c.is_control() || "$`\"'\\|;&<>() *?#".contains(c))
        };
        if !words.iter().all(simple) || !seen.insert((service.to_owned(), words.join(" "))) {
            continue;
        }
        found.push((service.to_owned(), Choice { value: words.join(" "), why: at(facts, command.place) }));
    }
    found
}

fn service_of<'a>(command: &Command, stack: &'a Stack) -> Option<&'a str> {
    let name = command.hops.iter().rev().find_map(|hop| match &hop.kind {
        HopKind::Container { name } => Some(name.text.as_str()),
        _ => None,
    })?;
    let is = |service: &&Service| {
        service.name == name
            || service.container_name.as_ref().is_some_and(|container| container.value == name)
    };
    stack.compose.services.values().find(is).map(|service| service.name.as_str())
}

/// Variables of the Compose files that hold secrets by their names.
fn secrets(facts: &Facts, stack: &Stack) -> Vec<Secret> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for variable in &stack.compose.variables {
        if matches!(variable.source, VariableSource::Compose) {
            continue;
        }
        let name = variable.name.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let foreign = has(&[
            "API_KEY",
            "APIKEY",
            "TOKEN",
            "ACCESS_KEY",
            "LICENSE",
            "LICENCE",
            "CLIENT_SECRET",
            "SMTP",
            "MAIL",
        ]);
        let own =
            has(&["PASSWORD", "PASSWD", "SECRET", "SIGNING_KEY", "ENCRYPTION_KEY", "SESSION_KEY", "APP_KEY"]);
        let id = name.ends_with("_FILE") || name.contains("EXPIRE") || name.contains("ALGORITHM");
        if (foreign || own) && !id && seen.insert(variable.name.clone()) {
            let why = at(facts, variable.place);
            found.push(Secret { name: variable.name.clone(), foreign, why });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Text in double quotes, as YAML reads it.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
