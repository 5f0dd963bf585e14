//! What packages the files install by name.

use plimsoll_model::commands::{Machine, UnitId};
use plimsoll_model::{Facts, Kind};
use plimsoll_syntax::yaml::Node;
use plimsoll_text::{FileId, Place};

/// A package of the distribution that something installs.
#[derive(Clone, Debug)]
pub(super) struct Install {
    /// Its name as written, without version.
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) file: FileId,
    pub(super) machine: Machine,
    /// The program that installs it, when a command does.
    pub(super) unit: Option<UnitId>,
    /// The release that it is installed on, with the place that tells.
    pub(super) release: Option<(&'static super::releases::Release, Place)>,
    /// Whether it is Debian's or Ubuntu's package manager.
    pub(super) apt: bool,
}

/// All of them, documentation left out, in the order of files.
pub(super) fn installs(facts: &Facts) -> Vec<Install> {
    let mut out = Vec::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let apt = matches!(command.program.as_str(), "apt" | "apt-get" | "aptitude");
        let other = matches!(command.program.as_str(), "apk" | "dnf" | "yum" | "microdnf" | "zypper");
        if facts.commands.is_only_read(command.unit) || !(apt || other) {
            continue;
        }
        let mut words = command.operands().skip_while(|arg| matches!(arg.value.text.as_str(), "-y" | "-qq"));
        if !words.next().is_some_and(|verb| matches!(verb.value.text.as_str(), "install" | "add")) {
            continue;
        }
        let release = super::releases::of_command(facts, command);
        for arg in words {
            for name in arg.value.text.split_whitespace() {
                out.push(Install {
                    name: name.split('=').next().unwrap_or(name).to_owned(),
                    place: arg.place,
                    file: unit.file,
                    machine: command.machine,
                    unit: Some(command.unit),
                    release,
                    apt,
                });
            }
        }
    }
    for (file, stream) in facts.trees.yaml_of(Kind::Ansible) {
        for document in &stream.documents {
            modules(facts, file, document, 0, &mut out);
        }
    }
    for (file, stream) in facts.trees.yaml_of(Kind::CloudInit) {
        for node in stream.documents.iter().filter_map(|document| document.get("packages")) {
            names(facts, file, node, &mut out);
        }
    }
    out
}

/// `apt: name: […]` and its relatives, at any depth.
fn modules(facts: &Facts, file: FileId, node: &Node, depth: usize, out: &mut Vec<Install>) {
    if depth > 20 {
        return;
    }
    for entry in node.entries() {
        let module = entry.key.as_str().unwrap_or_default().rsplit('.').next().unwrap_or_default();
        if matches!(module, "apt" | "package" | "apk" | "dnf" | "yum") {
            for key in ["name", "pkg", "package", "deb"] {
                if let Some(list) = entry.value.get(key) {
                    names(facts, file, list, out);
                }
            }
        } else if matches!(module, "packages" | "loop" | "with_items") || module.ends_with("_packages") {
            names(facts, file, &entry.value, out);
        }
        modules(facts, file, &entry.value, depth + 1, out);
    }
    for item in node.items() {
        modules(facts, file, item, depth + 1, out);
    }
}

fn names(facts: &Facts, file: FileId, node: &Node, out: &mut Vec<Install>) {
    let single = std::iter::once(node).filter(|node| node.scalar().is_some());
    for item in single.chain(node.items().iter().map(AsRef::as_ref)) {
        let Some(text) = item.as_str() else { continue };
        for name in text.split([',', ' ']).filter(|name| !name.is_empty()) {
            out.push(Install {
                name: name.split('=').next().unwrap_or(name).to_owned(),
                place: Place::new(file, item.span),
                file,
                machine: Machine::Guest,
                unit: None,
                release: super::releases::of_guests(facts, file),
                apt: true,
            });
        }
    }
}
