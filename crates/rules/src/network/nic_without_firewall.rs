//! No firewall rule of the node can apply to the guest.

use plimsoll_model::Facts;
use plimsoll_text::{Edit, Place};

use super::nic;
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-005",
    name: "nic-without-firewall",
    title: "Guest's network interface is outside the Proxmox firewall",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Proxmox VE, Firewall",
        url: "https://pve.proxmox.com/pve-docs/chapter-pve-firewall.html",
    }],
    doc: include_str!("nic_without_firewall.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    described(facts, findings);
    let outside = nic::nics(facts).filter(|(_, nic)| {
        let value = nic.get("firewall");
        !nic.is_on("firewall") && !value.is_some_and(|value| value.contains(['$', '{']))
    });
    let places = outside
        .map(|(setting, nic)| {
            let label = match nic.get("firewall") {
                Some(_) => "the firewall is switched off here",
                None => "no `firewall=1` here",
            };
            (setting, label.to_owned())
        })
        .collect();
    nic::by_file(places, findings, "no rule of the Proxmox firewall applies to this interface", |finding| {
        let places = std::iter::once(finding.primary.place).chain(finding.related.iter().map(|l| l.place));
        let edits: Vec<_> = places.filter_map(|place| switch_on(facts, place)).collect();
        let all = edits.len() == 1 + finding.related.len();
        finding.fix(
            all.then_some(edits)
                .and_then(|edits| edits::safe("let the Proxmox firewall filter the interface", Some(edits))),
        );
        finding
            .note("rules of the datacenter, the node and the guest are ignored for it, also those added in an emergency")
            .help("add `firewall=1` to the interface and give the guest rules that let in what it serves");
    });
}

/// Interfaces in variables of Ansible, which reach no module by a way that can be followed.
fn described(facts: &Facts, findings: &mut Findings<'_>) {
    for (file, stream) in &facts.trees.yaml {
        let path = facts.path(*file).as_str();
        let is_ansible = ["host_vars", "group_vars", "defaults/", "vars/", "playbooks", "ansible"]
            .iter()
            .any(|part| path.contains(part));
        let known = facts.guests.iter().any(|guest| {
            guest.numbered("net").any(|nic| nic.place.file == *file && nic.value.text.contains("bridge="))
        });
        if !is_ansible || known {
            continue;
        }
        let mut found = Vec::new();
        for document in &stream.documents {
            interfaces(document, 0, &mut found);
        }
        let mut rest = found.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings
            .add(Place::new(*file, first), "no rule of the Proxmox firewall applies to this interface");
        finding.label("no `firewall=1` here");
        for other in rest {
            finding.related(Place::new(*file, other), "nor here");
        }
        finding.help("add `firewall=1` to the interface and give the guest rules that let in what it serves");
    }
}

/// Values that read like an interface without the flag.
fn interfaces(node: &plimsoll_syntax::yaml::Node, depth: usize, found: &mut Vec<plimsoll_text::Span>) {
    if depth > 32 || node.alias {
        return;
    }
    for entry in node.entries() {
        let is_nic = entry.key.as_str().is_some_and(|key| key.ends_with("net0") || key.ends_with("net1"));
        let open = entry.value.as_str().is_some_and(|value| {
            value.contains("bridge=") && !value.contains("firewall=1") && !value.contains("firewall={{")
        });
        if is_nic && open {
            found.push(entry.key.span.cover(entry.value.span));
        }
        interfaces(&entry.value, depth + 1, found);
    }
    for item in node.items() {
        interfaces(item, depth + 1, found);
    }
}

/// Sets the flag in a property string.
fn switch_on(facts: &Facts, place: Place) -> Option<Edit> {
    let text = facts.text(place);
    if let Some(at) = text.find("firewall=0") {
        let start = place.span.start + u32::try_from(at).ok()?;
        let span = plimsoll_text::Span::new(start, start + 10);
        return Some(edits::replace(Place::new(place.file, span), "firewall=1"));
    }
    let bare = text.trim_end_matches(['"', '\'', '\\', ' ']);
    let known = bare.contains("bridge=") && !bare.contains(['{', '\n'])
        || bare.ends_with('}') && bare.contains("bridge=") && !bare.contains('\n');
    let end = place.span.start + u32::try_from(bare.len()).ok()?;
    known.then(|| edits::replace(Place::new(place.file, plimsoll_text::Span::new(end, end)), ",firewall=1"))
}
