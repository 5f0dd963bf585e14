//! The guest cannot hold what it is asked to run.

use plimsoll_model::Facts;
use plimsoll_model::compose::Service;
use plimsoll_model::guests::Guest;
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-012",
    name: "undersized-guest",
    title: "Guest has less memory than its services reserve",
    theme: Theme::HealthRollout,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Compose Deploy Specification, resources",
        url: "https://docs.docker.com/reference/compose-file/deploy/#resources",
    }],
    doc: include_str!("undersized_guest.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut hosts = facts.guests.real().filter(|guest| guest.created);
    // With several guests the files do not tell which one runs the project.
    let (Some(guest), None) = (hosts.next(), hosts.next()) else { return };
    let (Some(memory), Some(setting)) = (guest.memory_mib(), guest.setting("memory")) else { return };
    let largest = facts.stacks.deployed().map(|stack| {
        stack.compose.services.values().filter_map(reserved).collect::<Vec<(u64, Place, &str)>>()
    });
    for mut needs in largest {
        let sum: u64 = needs.iter().map(|(bytes, ..)| bytes / (1 << 20)).sum();
        if sum <= memory {
            continue;
        }
        needs.sort_by_key(|(bytes, ..)| std::cmp::Reverse(*bytes));
        let finding = findings
            .add(setting.place, format!("the guest has {memory} MiB and its services reserve {sum} MiB"));
        for (bytes, place, name) in needs {
            finding.related(place, format!("`{name}` reserves {} MiB", bytes / (1 << 20)));
        }
        finding.note("the kernel ends the largest process when memory runs out, which is usually the database or the model").help("give the guest more memory, or its services less");
        return;
    }
    heap(facts, guest, memory, findings);
}

fn reserved(service: &Service) -> Option<(u64, Place, &str)> {
    let by_deploy = service
        .deploy
        .as_ref()
        .and_then(|deploy| deploy.reservations.as_ref())
        .and_then(|own| own.memory.as_ref());
    let memory = by_deploy.or(service.mem_reservation.as_ref())?;
    Some((memory.value.0, memory.place, &service.name))
}

/// Heaps of Java and Node that are larger than three quarters of the guest.
fn heap(facts: &Facts, guest: &Guest, memory: u64, findings: &mut Findings<'_>) {
    let Some(setting) = guest.setting("memory") else { return };
    let mut heaps = Vec::new();
    for (_, service) in facts.stacks.deployed_services() {
        for entry in service.environment.values() {
            if let Some(mib) = entry.value.as_deref().and_then(heap_size) {
                heaps.push((mib, entry.place, service.name.as_str()));
            }
        }
    }
    let sum: u64 = heaps.iter().map(|(mib, ..)| mib).sum();
    if sum * 4 <= memory * 3 {
        return;
    }
    let finding =
        findings.add(setting.place, format!("the guest has {memory} MiB and heaps alone take {sum} MiB"));
    for (mib, place, name) in heaps {
        finding.related(place, format!("`{name}` may take {mib} MiB for its heap"));
    }
    finding.help("give the guest more memory, or smaller heaps");
}

fn heap_size(text: &str) -> Option<u64> {
    text.split_whitespace().find_map(|word| {
        if let Some(mib) = word.strip_prefix("--max-old-space-size=") {
            return mib.parse().ok();
        }
        let size = word.strip_prefix("-Xmx")?;
        let number: u64 = size.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse().ok()?;
        match size.chars().last()?.to_ascii_lowercase() {
            'g' => Some(number * 1024),
            'm' => Some(number),
            _ => None,
        }
    })
}
