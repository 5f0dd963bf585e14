//! From facts and findings to the situation.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_model::Facts;
use plimsoll_model::compose::{MountKind, MountSource, Port, Service};
use plimsoll_model::guests::{Guest, GuestKind};
use plimsoll_model::services::{
    access, built, is_web_server, known, purpose, reach, replacements, terminates_tls,
};
use plimsoll_rules::{Assessment, Finding, Judged, Profile};
use plimsoll_text::Place;

use super::{Container, Entry, GuestModel, Isolation, Situation, Volume, Weakness};
use crate::Evidence;

/// Capabilities that are as good as root on the machine.
const STRONG: [&str; 8] =
    ["ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF", "NET_ADMIN"];

/// Folders of the machine that hold its controls.
const CONTROLS: [&str; 11] = [
    "/",
    "/etc",
    "/root",
    "/boot",
    "/var/run",
    "/run",
    "/var/lib/docker",
    "/etc/pve",
    "/home",
    "/usr",
    "/dev",
];

/// What of the facts and findings matters for judging.
#[must_use]
pub fn situation(facts: &Facts, findings: &Assessment, profile: Profile) -> Situation {
    let names = names(facts);
    let mut containers: Vec<Container> = facts
        .stacks
        .deployed()
        .enumerate()
        .flat_map(|(index, stack)| stack.services().map(move |service| (index, service)))
        .map(|(stack, service)| container(facts, findings, service, stack, &names))
        .collect();
    containers.sort_by(|a, b| a.name.cmp(&b.name));
    let weaknesses = all(findings).map(|finding| weakness(facts, finding, &containers)).collect();
    let internet = internet(facts, profile);
    Situation { profile, guests: vec![guest(facts)], containers, weaknesses, internet }
}

/// Every finding of an assessment that still holds: shown, known and accepted ones.
pub(crate) fn all(findings: &Assessment) -> impl Iterator<Item = &Finding> {
    let judged = findings.findings.iter().chain(&findings.known);
    let accepted = findings.accepted.iter().map(|(judged, _)| judged);
    judged.chain(accepted).map(|Judged { finding, .. }| finding)
}

type Names = BTreeMap<(usize, String), String>;

fn names(facts: &Facts) -> Names {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, service) in facts.stacks.deployed_services() {
        *count.entry(&service.name).or_default() += 1;
    }
    let mut names = Names::new();
    for (index, stack) in facts.stacks.deployed().enumerate() {
        for service in stack.services() {
            let alone = count.get(service.name.as_str()).is_none_or(|count| *count == 1);
            let name = if alone {
                service.name.clone()
            } else {
                let file = stack.files.last().map_or("", |file| facts.path(*file).as_str());
                format!("{} ({file})", service.name)
            };
            names.insert((index, service.name.clone()), name);
        }
    }
    names
}

fn container(
    facts: &Facts,
    findings: &Assessment,
    service: &Service,
    stack: usize,
    names: &Names,
) -> Container {
    let name_of = |name: &str| names.get(&(stack, name.to_owned())).cloned();
    let image = built(facts, service);
    let root = runs_as_root(facts, service);
    let is_data_service = purpose(facts, service).is_some_and(plimsoll_model::images::Role::is_data_service);
    let siblings = facts.stacks.deployed().nth(stack).into_iter().flat_map(plimsoll_model::Stack::services);
    let shared = siblings
        .filter(|other| other.name != service.name && share_network(service, other))
        .filter_map(|other| name_of(&other.name))
        .collect();
    let needs = service.depends_on.keys().filter_map(|name| name_of(name)).collect();
    Container {
        name: name_of(&service.name).unwrap_or_else(|| service.name.clone()),
        place: service.place,
        guest: 0,
        root,
        unhardened: unhardened(service, root),
        controls: controls(service),
        entries: service.ports.iter().map(|port| entry(findings, port)).collect(),
        data: volumes(service, is_data_service),
        reaches: shared,
        needs,
        is_data_service,
        is_built: image.is_some() || service.build.is_some(),
        access: if is_web_server(facts, service) && known(service).is_none() {
            plimsoll_model::services::Access::Unknown
        } else {
            access(service)
        },
    }
}

fn runs_as_root(facts: &Facts, service: &Service) -> Option<bool> {
    if let Some(user) = &service.user {
        let name = user.value.split(':').next().unwrap_or_default();
        return Some(matches!(name, "" | "0" | "root"));
    }
    if let Some(known) = known(service) {
        return Some(known.user.is_none() && !known.drops_root);
    }
    match replacements(facts, service).as_slice() {
        [] => built(facts, service)?.1.runs_as_root(),
        written => written.iter().map(|(_, stage)| stage.runs_as_root()).max()?,
    }
}

fn share_network(a: &Service, b: &Service) -> bool {
    let host = |service: &Service| {
        service.network_mode.as_ref().is_some_and(|mode| mode.value == "host" || mode.value == "none")
    };
    !host(a) && !host(b) && a.networks.keys().any(|network| b.networks.contains_key(network))
}

fn unhardened(service: &Service, root: Option<bool>) -> Vec<Evidence> {
    let mut found = Vec::new();
    if root == Some(true) {
        let place = service.user.as_ref().map_or(service.place, |user| user.place);
        found.push(Evidence::at(place, format!("`{}` runs as root", service.name)));
    }
    let drops_all = service.cap_drop.iter().any(|cap| cap.value.eq_ignore_ascii_case("all"));
    if !drops_all {
        found.push(Evidence::at(service.place, format!("`{}` keeps Docker's capabilities", service.name)));
    }
    let fixed = service
        .security_opt
        .iter()
        .any(|option| option.value.starts_with("no-new-privileges") && !option.value.ends_with("false"));
    if !fixed {
        found.push(Evidence::at(service.place, format!("`{}` may gain privileges", service.name)));
    }
    found
}

fn controls(service: &Service) -> Vec<Evidence> {
    let mut found = Vec::new();
    if let Some(privileged) = service.privileged.as_ref().filter(|privileged| privileged.value) {
        found.push(Evidence::at(privileged.place, format!("`{}` is privileged", service.name)));
    }
    for mount in &service.volumes {
        let Some(MountSource::Path(path)) = &mount.source else { continue };
        let path = path.resolved.as_str();
        let socket =
            ["docker.sock", "podman.sock", "containerd.sock"].iter().any(|name| path.ends_with(name));
        if socket || CONTROLS.contains(&path) && !mount.read_only {
            found.push(Evidence::at(mount.place, format!("`{}` holds `{path}`", service.name)));
        }
    }
    for cap in &service.cap_add {
        let name = cap.value.to_ascii_uppercase();
        if STRONG.contains(&name.trim_start_matches("CAP_")) {
            found.push(Evidence::at(cap.place, format!("`{}` has the capability {name}", service.name)));
        }
    }
    if let Some(pid) = service.pid.as_ref().filter(|pid| pid.value == "host") {
        found.push(Evidence::at(pid.place, format!("`{}` sees the machine's processes", service.name)));
    }
    found
}

fn entry(findings: &Assessment, port: &Port) -> Entry {
    let host = port.host_ip.clone().filter(|ip| !ip.is_empty()).unwrap_or_else(|| "0.0.0.0".to_owned());
    let published = port.published.clone().unwrap_or_else(|| "random".to_owned());
    let needless = all(findings)
        .filter(|finding| matches!(finding.rule.code, "NET-001" | "NET-003"))
        .find(|finding| overlap(finding.primary.place, port.place));
    Entry {
        address: format!("{host}:{published}/{}", port.protocol),
        reach: reach(port),
        place: port.place,
        needless: needless.map(Evidence::of),
    }
}

fn volumes(service: &Service, is_data_service: bool) -> Vec<Volume> {
    let mut found: Vec<Volume> = service
        .volumes
        .iter()
        .filter(|mount| matches!(mount.kind, MountKind::Volume | MountKind::Bind) && !mount.read_only)
        .filter(|mount| {
            let is_file = mount.target.rsplit('/').next().is_some_and(|name| name.contains('.'));
            is_data_service || mount.kind == MountKind::Volume || !is_file
        })
        .map(|mount| Volume {
            name: match &mount.source {
                Some(MountSource::Volume(name)) => name.clone(),
                Some(MountSource::Path(path)) => path.written.clone(),
                None => mount.target.clone(),
            },
            target: mount.target.clone(),
            is_bind: mount.kind == MountKind::Bind,
            place: mount.place,
        })
        .filter(|volume| !CONTROLS.contains(&volume.name.as_str()) && !volume.name.ends_with(".sock"))
        .collect();
    found.sort_by(|a, b| a.target.cmp(&b.target));
    found
}

fn guest(facts: &Facts) -> GuestModel {
    let mut guests: Vec<&Guest> = facts.guests.real().collect();
    guests.sort_by_key(|guest| (guest.privileged().is_none(), !guest.created, guest.place));
    let unconfined = guests.iter().flat_map(|guest| guest.raw()).find(|setting| {
        setting.key == "lxc.apparmor.profile" && setting.value.text.contains("unconfined")
            || setting.key == "lxc.cap.drop" && setting.value.text.is_empty()
    });
    let unconfined =
        unconfined.map(|setting| Evidence::at(setting.place, format!("`{}` lifts a limit", setting.key)));
    let Some(guest) = guests.first() else {
        return GuestModel {
            name: "the guest".to_owned(),
            isolation: Isolation::Unknown,
            unconfined,
            evidence: vec![Evidence::nowhere("no file creates or describes the guest")],
            memory_mib: None,
            disk_gib: None,
        };
    };
    let (isolation, evidence) = match (guest.kind, guest.privileged(), guest.unprivileged()) {
        (GuestKind::Vm, ..) => (Isolation::Vm, Evidence::at(guest.place, "the guest is a VM")),
        (_, Some(place), _) => {
            (Isolation::PrivilegedLxc, Evidence::at(place, "root of the guest is root of the node"))
        }
        (_, _, Some((true, setting))) => {
            (Isolation::UnprivilegedLxc, Evidence::at(setting.place, "the guest has a user namespace"))
        }
        _ => (
            Isolation::Unknown,
            Evidence::at(guest.place, "the files leave open whether the LXC guest is privileged"),
        ),
    };
    GuestModel {
        name: guest.id.as_ref().map_or_else(|| "the guest".to_owned(), |id| format!("guest {}", id.text)),
        isolation,
        unconfined,
        evidence: vec![evidence],
        memory_mib: guest.memory_mib(),
        disk_gib: guest.disk_gib(),
    }
}

fn weakness(facts: &Facts, finding: &Finding, containers: &[Container]) -> Weakness {
    let place = finding.primary.place;
    let command = facts.commands.iter().filter(|command| overlap(command.place, place)).last();
    let services: BTreeSet<String> = containers
        .iter()
        .filter(|container| {
            let plain = container.name.split(" (").next().unwrap_or_default();
            finding.message.contains(&format!("`{plain}`"))
                || overlap(container.place, place)
                || finding.related.iter().any(|label| overlap(container.place, label.place))
        })
        .map(|container| container.name.clone())
        .collect();
    Weakness {
        rule: finding.rule.code,
        severity: finding.severity,
        evidence: Evidence::of(finding),
        machine: command.map(|command| command.machine),
        services,
    }
}

fn overlap(a: Place, b: Place) -> bool {
    a.file == b.file && a.span.start < b.span.end && b.span.start < a.span.end
}

/// What lets strangers reach the app, if something does.
#[must_use]
pub fn internet(facts: &Facts, profile: Profile) -> Option<Evidence> {
    if profile != Profile::Homelab {
        return Some(Evidence::nowhere(format!("the profile is `{}`", profile.name())));
    }
    let tls = facts.stacks.deployed_services().find(|(_, service)| terminates_tls(service))?.1;
    Some(Evidence::at(tls.place, format!("`{}` is made to be reached from outside", tls.name)))
}
