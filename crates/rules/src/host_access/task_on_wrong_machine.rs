//! A task for the node runs somewhere else.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Origin, is_node_tool};
use plimsoll_syntax::yaml::Node;
use plimsoll_text::{FileId, Place, Span};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-014",
    name: "task-on-wrong-machine",
    title: "A task for the node runs on another machine",
    theme: Theme::HostAccess,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Ansible documentation, Controlling where tasks run: delegation and local actions",
        url: "https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_delegation.html",
    }],
    doc: include_str!("task_on_wrong_machine.md"),
    check,
};

/// Words in the names of hosts and groups that say that they are Proxmox nodes.
const NODES: &[&str] = &["proxmox", "pve", "node", "hypervisor", "localhost", "127.0.0.1"];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    plays(facts, findings);
    provisioners(facts, findings);
}

/// Plays whose hosts are guests and whose tasks call Proxmox tools.
fn plays(facts: &Facts, findings: &mut Findings<'_>) {
    for (file, stream) in facts.trees.yaml_of(plimsoll_model::Kind::Ansible) {
        for play in stream.documents.iter().flat_map(|document| document.items()) {
            let Some(hosts) = play.get("hosts") else { continue };
            let text = hosts.as_str().unwrap_or_default().to_lowercase();
            let local = play.get("connection").and_then(|node| node.as_str()) == Some("local");
            if text.is_empty()
                || text == "all"
                || text.contains("{{")
                || local
                || NODES.iter().any(|word| text.contains(word))
            {
                continue;
            }
            let mut tasks = Vec::new();
            for task in facts.commands.iter() {
                let unit = facts.commands.unit(task.unit);
                if !matches!(unit.origin, Origin::AnsibleTask { .. }) || !is_node_tool(&task.program) {
                    continue;
                }
                let inside = unit.file == file && play.span.contains(task.place.span);
                let of_role = roles(play).any(|role| is_task_of(facts, unit.file, role));
                let hopped = task
                    .hops
                    .iter()
                    .any(|hop| matches!(hop.kind, plimsoll_model::commands::HopKind::Ssh { .. }));
                if (inside || of_role) && !hopped && !is_delegated(facts, unit.file, task.place.span) {
                    tasks.push((task.program.clone(), task.place));
                }
            }
            let Some(((program, place), rest)) = tasks.split_first() else { continue };
            let finding = findings.add(
                *place,
                format!("`{program}` runs on the hosts of this play, `{text}`, which are no Proxmox nodes"),
            );
            finding
                .label("only the node has this program")
                .related(Place::new(file, hosts.span), "the hosts of the play");
            for (_, place) in rest.iter().take(20) {
                finding.related(*place, "so does this");
            }
            finding.help("add `delegate_to` with the node to these tasks, or run them in a play of the node");
        }
    }
}

fn roles(play: &Node) -> impl Iterator<Item = &str> {
    let items = play.get("roles").map(|roles| roles.items()).unwrap_or_default();
    items.iter().filter_map(|role| {
        let named = role.get("role").or_else(|| role.get("name"));
        role.as_str().or_else(|| named.and_then(|name| name.as_str()))
    })
}

fn is_task_of(facts: &Facts, file: FileId, role: &str) -> bool {
    let path = facts.path(file).as_str();
    let folder = format!("roles/{role}/");
    path.starts_with(&folder) || path.contains(&format!("/{folder}"))
}

/// Whether the task, or a block around it, is sent to another machine.
fn is_delegated(facts: &Facts, file: FileId, span: Span) -> bool {
    fn around(node: &Node, span: Span) -> bool {
        if !node.span.contains(span) {
            return false;
        }
        node.get("delegate_to").is_some()
            || node.get("local_action").is_some()
            || node.entries().iter().any(|entry| around(&entry.value, span))
            || node.items().iter().any(|item| around(item, span))
    }
    facts
        .trees
        .yaml
        .get(&file)
        .is_some_and(|stream| stream.documents.iter().any(|document| around(document, span)))
}

/// `local-exec` with Proxmox tools: it runs where Terraform runs.
fn provisioners(facts: &Facts, findings: &mut Findings<'_>) {
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        let is_local = matches!(unit.origin, Origin::Provisioner { local: true });
        if !is_local || !is_node_tool(&command.program) || !command.hops.is_empty() {
            continue;
        }
        findings
            .add(command.place, format!("`{}` runs where Terraform runs, not on the node", command.program))
            .label("`local-exec` stays on this machine")
            .help("use the provider's resources, or `remote-exec` with a connection to the node");
    }
}
