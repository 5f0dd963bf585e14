//! Ansible plays and task lists: `command`, `shell`, `raw` and `script` tasks.

use plimsoll_syntax::yaml::{Node, Stream};
use plimsoll_text::FileId;

use super::unit;
use crate::commands::{Machine, Origin, Strict, Unit};

/// Nesting of blocks beyond which nothing is read.
const DEPTH: usize = 20;

/// The commands of a play or task list.
pub(crate) fn ansible(file: FileId, stream: &Stream) -> Vec<Unit> {
    let mut units = Vec::new();
    for document in &stream.documents {
        for item in document.items() {
            let machine = play_machine(item);
            tasks(file, item, machine, &mut units, 0);
        }
    }
    units
}

/// The machine that a play's hosts are, by their name.
pub(crate) fn play_machine(play: &Node) -> Machine {
    let hosts = play.get("hosts").and_then(|hosts| hosts.as_str()).unwrap_or_default();
    host_machine(hosts).unwrap_or(Machine::Guest)
}

fn host_machine(hosts: &str) -> Option<Machine> {
    let hosts = hosts.to_ascii_lowercase();
    if matches!(hosts.as_str(), "localhost" | "127.0.0.1") {
        Some(Machine::Workstation)
    } else if ["proxmox", "pve", "hypervisor"].iter().any(|word| hosts.contains(word)) {
        Some(Machine::Node)
    } else {
        None
    }
}

fn tasks(file: FileId, node: &Node, machine: Machine, units: &mut Vec<Unit>, depth: usize) {
    if depth > DEPTH {
        return;
    }
    for key in ["tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"] {
        for task in node.get(key).map(|list| list.items()).unwrap_or_default() {
            let machine = match task.get("delegate_to").and_then(|host| host.as_str()) {
                Some(host) => host_machine(host).unwrap_or(machine),
                None => machine,
            };
            tasks(file, task, machine, units, depth + 1);
        }
    }
    let name = node.get("name").and_then(|name| name.as_str()).unwrap_or_default().to_owned();
    for module in ["shell", "command", "raw"] {
        for key in
            [module.to_owned(), format!("ansible.builtin.{module}"), format!("ansible.legacy.{module}")]
        {
            let Some(value) = node.get(&key) else { continue };
            let text = value
                .scalar()
                .or_else(|| ["cmd", "_raw_params"].iter().find_map(|key| value.get(key)?.scalar()));
            if let Some(text) = text {
                let mut unit = unit(file, Origin::AnsibleTask { name: name.clone() }, &text.layer, machine);
                // A failed task stops the play for its host unless the task says otherwise.
                let ignores = node.get("ignore_errors").and_then(|v| v.as_bool()) == Some(true)
                    || node.get("failed_when").and_then(|v| v.as_bool()) == Some(false);
                unit.strict = Strict { errexit: !ignores, ..Strict::default() };
                units.push(unit);
            }
        }
    }
}
