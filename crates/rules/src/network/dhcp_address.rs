//! The guest's address may change while something relies on it.

use plimsoll_model::Facts;
use plimsoll_model::commands::{Machine, Source};
use plimsoll_model::guests::{Guest, Properties, Setting};
use plimsoll_text::Place;

use super::nic;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-007",
    name: "dhcp-address",
    title: "Guest that others address by number gets its address by DHCP",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Proxmox VE, pct(1), net[n]",
        url: "https://pve.proxmox.com/pve-docs/pct.1.html",
    }],
    doc: include_str!("dhcp_address.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let reliance = reliance(facts);
    for guest in nic::guests(facts) {
        let Some(setting) = dynamic(guest) else { continue };
        let finding = findings.add(setting.place, "this guest gets its address by DHCP");
        for source in &setting.value.sources {
            if let Source::Default { place, name } | Source::Assigned { place, name } = source {
                finding.related(*place, format!("`{name}` is set here"));
            }
        }
        match &reliance {
            Some((place, text)) => {
                finding.related(*place, *text);
            }
            None => {
                finding.confidence(Confidence::Low);
            }
        }
        finding
            .note("a new lease or a new MAC address moves it: addresses in configuration, bookmarks and DNS point nowhere")
            .help("give it a fixed address (`ip=ADDRESS/PREFIX,gw=GATEWAY`) from a parameter");
    }
}

fn dynamic(guest: &Guest) -> Option<&Setting> {
    let by_property = guest
        .numbered("net")
        .chain(guest.numbered("ipconfig"))
        .find(|setting| Properties::parse(&setting.value.text).get("ip") == Some("dhcp"));
    by_property.or_else(|| guest.numbered("ipconfig").find(|setting| setting.value.text == "dhcp"))
}

/// Something that works with the guest's address: a command that asks for it, or a published port.
fn reliance(facts: &Facts) -> Option<(Place, &'static str)> {
    let asks = facts.commands.iter().find(|command| {
        let remote = command.machine == Machine::Guest && !command.hops.is_empty();
        let lookup = match command.program.as_str() {
            "ip" => command.arg_texts().any(|arg| matches!(arg, "addr" | "a" | "address")),
            "hostname" => command.flag(&["-I"]).is_some(),
            _ => false,
        };
        remote && lookup
    });
    if let Some(command) = asks {
        return Some((command.place, "the address of the moment is looked up and told to people here"));
    }
    let published = facts
        .stacks
        .deployed_services()
        .find_map(|(_, service)| plimsoll_model::services::published_everywhere(service).next());
    if let Some(port) = published {
        return Some((port.place, "people and other machines reach this port by the guest's address"));
    }
    let named = facts.commands.iter().find(|command| {
        matches!(command.program.as_str(), "ssh" | "scp" | "rsync" | "curl")
            && command.arg_texts().any(|arg| {
                arg.to_ascii_lowercase().contains("container-ip")
                    || arg.to_ascii_lowercase().contains("container_ip")
            })
    });
    named.map(|command| (command.place, "the guest is addressed by number here"))
}
