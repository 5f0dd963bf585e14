//! Credential of the hypervisor is handed to a guest.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Machine, Source};

use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-012",
    name: "node-credential-in-guest",
    title: "Credential of the hypervisor is handed to a guest",
    theme: Theme::Secrets,
    severity: Severity::Critical,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[],
    doc: include_str!("node_credential_in_guest.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for command in facts.commands.iter() {
        let goes_in = command.machine == Machine::Guest || command.is("pct", &["push"]);
        if !goes_in || facts.commands.unit(command.unit).machine == Machine::Guest {
            continue;
        }
        for arg in &command.args {
            let named = arg.value.sources.iter().find_map(|source| match source {
                Source::Assigned { name, .. }
                | Source::Default { name, .. }
                | Source::Environment { name }
                | Source::Input { name } => is_node_credential(name).then(|| name.clone()),
                Source::Argument { .. } | Source::Output { .. } => None,
            });
            if let Some(name) =
                named.filter(|name| seen.insert((facts.commands.outermost(command).id, name.clone())))
            {
                findings
                    .add(arg.place, format!("`{name}` opens the hypervisor and is handed to a guest"))
                    .label("goes into the guest")
                    .note("who takes the guest has the node")
                    .help("keep it on the machine that deploys; give the guest a token of its own with the least role");
                break;
            }
        }
    }
}

fn is_node_credential(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let node = ["PROXMOX", "PVE_", "PM_API", "HYPERVISOR"].iter().any(|part| name.contains(part));
    let credential = ["TOKEN", "PASS", "SECRET", "API_KEY"].iter().any(|part| name.contains(part));
    node && credential && !name.contains("TOKEN_ID")
}
