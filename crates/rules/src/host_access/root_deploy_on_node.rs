//! A deployment logs in as root on the hypervisor.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, HopKind, Machine, Source, Value};
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HST-001",
    name: "root-deploy-on-node",
    title: "The deployment logs in as root on the hypervisor",
    theme: Theme::HostAccess,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("root_deploy_on_node.md"),
    check,
};

struct Login {
    place: Place,
    target: String,
    deploys: bool,
    calls: usize,
    /// Where the variables of the target are set.
    parts: Vec<Place>,
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut scripts = logins(facts, false);
    for login in provider_logins(facts).into_iter().chain(workflow_logins(facts)) {
        scripts.entry(login.place.file).or_insert(login);
    }
    let all = if scripts.is_empty() { logins(facts, true) } else { scripts };
    let first = all.values().find(|login| login.deploys).or_else(|| all.values().next());
    let Some(first) = first else { return };
    let calls: usize = all.values().map(|login| login.calls).sum();
    let finding = findings
        .add(first.place, format!("the deployment works as root on the hypervisor: `{}`", first.target));
    finding.label("the whole node is in the hands of whoever holds this login");
    for login in all.values() {
        if login.place != first.place {
            finding.related(login.place, "the same login");
        }
        for place in login.parts.iter().filter(|place| **place != login.place) {
            finding.related(*place, "a part of the login");
        }
    }
    finding
        .note(format!("{calls} commands run on the node this way"))
        .help("use an API token with a role for this guest alone, or SSH into the guest instead of the node");
}

fn logins(facts: &Facts, documents: bool) -> BTreeMap<FileId, Login> {
    let mut logins = BTreeMap::<FileId, Login>::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if unit.origin.is_documentation() != documents || (documents && !command.starts_services()) {
            continue;
        }
        let Some((target, hop)) = through_node(command) else { continue };
        let login = logins.entry(unit.file).or_insert_with(|| Login {
            place: written(target, unit.file).unwrap_or(hop),
            target: target.text.clone(),
            deploys: false,
            calls: 0,
            parts: assigned(target).collect(),
        });
        login.deploys |= command.starts_services();
        login.calls += usize::from(command.machine == Machine::Node);
    }
    logins
}

/// The root login to a node that a command goes through.
fn through_node(command: &Command) -> Option<(&Value, Place)> {
    let (index, target, place) =
        command.hops.iter().enumerate().find_map(|(index, hop)| match &hop.kind {
            HopKind::Ssh { target, .. } if target.text.starts_with("root@") => {
                Some((index, target, hop.place))
            }
            _ => None,
        })?;
    let into_guest = command
        .hops
        .iter()
        .skip(index + 1)
        .any(|hop| matches!(hop.kind, HopKind::Lxc { .. } | HopKind::GuestAgent { .. }));
    (command.machine == Machine::Node || into_guest).then_some((target, place))
}

fn written(target: &Value, file: FileId) -> Option<Place> {
    assigned(target).find(|place| place.file == file)
}

fn assigned(target: &Value) -> impl Iterator<Item = Place> {
    target.sources.iter().filter_map(|source| match source {
        Source::Assigned { place, .. } | Source::Default { place, .. } => Some(*place),
        _ => None,
    })
}

/// Terraform providers that log in to the node as root: `ssh { username = "root" }`, `username = "root@pam"`, and
/// variables that are made for such a login.
fn provider_logins(facts: &Facts) -> Vec<Login> {
    let mut found = Vec::new();
    for tree in facts.trees.terraform.values() {
        let of_provider = tree.body.blocks("provider").filter(|block| block.label(0) == Some("proxmox"));
        for block in of_provider {
            let inner = block.body.blocks("ssh").flat_map(|ssh| &ssh.body.attributes);
            for attribute in block.body.attributes.iter().chain(inner) {
                if !matches!(attribute.name.value.as_str(), "username" | "pm_user") {
                    continue;
                }
                let value = plimsoll_model::guests::terraform_value(&attribute.value, &facts.trees);
                if matches!(value.text.as_str(), "root" | "root@pam") {
                    let parts = assigned(&value).collect();
                    found.push(Login {
                        place: attribute.place,
                        target: value.text,
                        deploys: true,
                        calls: 0,
                        parts,
                    });
                }
            }
        }
        for block in tree.body.blocks("variable") {
            let name = block.label(0).unwrap_or_default().to_ascii_lowercase();
            let of_node = ["proxmox", "pve", "pm_"].iter().any(|word| name.contains(word));
            if of_node
                && name.contains("ssh_user")
                && let Some(default) = block.body.attribute("default")
                && default.value.as_str() == Some("root")
            {
                let parts = vec![default.place];
                let target = "root".to_owned();
                found.push(Login { place: block.kind.place, target, deploys: false, calls: 0, parts });
            }
        }
    }
    found
}

/// Workflow steps that hold a key for the node.
fn workflow_logins(facts: &Facts) -> Vec<Login> {
    let steps = facts.commands.units().filter(|(_, unit)| {
        unit.machine == Machine::Node
            && matches!(unit.origin, plimsoll_model::commands::Origin::WorkflowStep { .. })
    });
    steps
        .filter_map(|(id, unit)| {
            let commands = facts.commands.of_unit(id);
            let first = commands.first()?;
            let deploys = commands.iter().any(Command::starts_services);
            let key = facts.trees.yaml.get(&unit.file)?;
            let place = key.documents.iter().find_map(|document| {
                let jobs = document.get("jobs")?.entries();
                let mut steps = jobs
                    .iter()
                    .flat_map(|job| job.value.get("steps").map(|steps| steps.items()).unwrap_or_default());
                steps.find_map(|step| {
                    let with = step.get("with")?;
                    let holds =
                        with.span.start <= first.place.span.start && first.place.span.end <= with.span.end;
                    let host = with.get("host").filter(|_| holds)?;
                    Some(Place::new(unit.file, host.span))
                })
            })?;
            let target = facts.text(place).to_owned();
            Some(Login { place, target, deploys, calls: commands.len(), parts: Vec::new() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edits::testing::facts;

    #[test]
    fn a_provider_that_logs_in_as_root_is_a_login() {
        let root = "variable \"user\" {\n  default = \"root\"\n}\nprovider \"proxmox\" {\n  ssh {\n    username = var.user\n  }\n}\n";
        let logins = provider_logins(&facts(&[("main.tf", root)]));
        assert_eq!(logins.len(), 1);
        assert_eq!(logins[0].parts.len(), 1);
        let other = "provider \"proxmox\" {\n  ssh {\n    username = \"terraform\"\n  }\n}\n";
        assert!(provider_logins(&facts(&[("main.tf", other)])).is_empty());
    }
}
