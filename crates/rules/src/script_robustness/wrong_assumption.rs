//! What a script prints or takes for granted is not so.

use std::collections::BTreeSet;

use plimsoll_model::commands::{Command, Machine, Origin, Source};
use plimsoll_model::compose::Service;
use plimsoll_model::{Facts, Stack};
use plimsoll_text::Place;

use super::addresses::{Address, addresses};
use super::guest_assumptions;
use crate::edits;
use crate::health_rollout::actions::prints;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-012",
    name: "wrong-assumption",
    title: "Script prints or relies on something that is not so",
    theme: Theme::ScriptRobustness,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[
        Reference {
            title: "Docker Engine, Port publishing and mapping",
            url: "https://docs.docker.com/engine/network/port-publishing/",
        },
        Reference {
            title: "OpenSSH, ssh_config(5), SendEnv",
            url: "https://man.openbsd.org/ssh_config#SendEnv",
        },
    ],
    doc: include_str!("wrong_assumption.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    printed_ports(facts, findings);
    probed_ports(facts, findings);
    port_never_read(facts, findings);
    guest_assumptions::left_behind(facts, findings);
    guest_assumptions::fixed_guest(facts, findings);
    guest_assumptions::not_applied(facts, findings);
}

/// Every host port of some services with its place; nothing when one cannot be known.
fn published<'a>(services: impl Iterator<Item = &'a Service>) -> Option<Vec<(u16, Place)>> {
    let mut ports = Vec::new();
    for service in services {
        if service.network_mode.as_ref().is_some_and(|mode| mode.value == "host") {
            return None;
        }
        for port in &service.ports {
            ports.push((port.published.as_deref()?.parse().ok()?, port.place));
        }
    }
    (!ports.is_empty()).then_some(ports)
}

/// Addresses that a deployment announces, on ports that it does not publish.
fn printed_ports(facts: &Facts, findings: &mut Findings<'_>) {
    let fronted = facts.commands.iter().any(|command| {
        matches!(command.program.as_str(), "apt" | "apt-get" | "apk" | "dnf")
            && !matches!(facts.commands.unit(command.unit).origin, Origin::ImageBuild)
            && command.operands().any(|arg| {
                ["nginx", "caddy", "apache2", "traefik", "haproxy"].contains(&arg.value.text.as_str())
            })
    });
    if fronted {
        return;
    }
    let Some(ports) = published(facts.stacks.deployed_services().map(|(_, service)| service)) else { return };
    let mut wrong: Vec<(Place, u16)> = Vec::new();
    for (id, unit) in facts.commands.units() {
        if unit.origin.is_documentation() || facts.is_development(unit.file) {
            continue;
        }
        let commands = facts.commands.of_unit(id);
        let deploys = commands.iter().any(|command| {
            matches!(command.machine, Machine::Guest | Machine::Node) || command.starts_services()
        });
        for command in commands.iter().filter(|command| deploys && prints(facts, command)) {
            let printed = command.args.iter().flat_map(|arg| addresses(&arg.value.text));
            let closed = |address: &Address| {
                address.is_machine && !ports.iter().any(|(port, _)| *port == address.port)
            };
            wrong.extend(printed.filter(closed).map(|address| (command.place, address.port)).take(1));
        }
    }
    let Some(((place, port), rest)) = wrong.split_first() else { return };
    let finding =
        findings.add(*place, format!("the address that is printed has port {port}, which nothing publishes"));
    for (place, _) in rest {
        finding.related(*place, "this one as well");
    }
    for (port, place) in ports.iter().take(4) {
        finding.related(*place, format!("port {port} is published"));
    }
    let all = std::iter::once((*place, *port)).chain(rest.iter().copied());
    let services = || facts.stacks.deployed_services().map(|(_, service)| service);
    let edits = all.map(|(place, port)| on_published(facts, place, port, services())).collect();
    finding.fix(edits::safe("print the published port", edits));
    finding
        .note("whoever follows it finds nothing there and takes a good deployment for a failed one")
        .help("print the published port");
}

/// A probe of a stack that was just started, on a port that it does not publish.
fn probed_ports(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let unit = facts.commands.unit(procedure.unit);
        if unit.origin.is_documentation() {
            continue;
        }
        let mut started: Option<(&Command, Vec<&Stack>)> = None;
        for command in procedure.commands(&facts.commands) {
            if command.starts_services() && command.is("docker", &["compose"]) {
                started = Some((command, stacks_of(facts, command)));
                continue;
            }
            let Some((up, stacks)) = &started else { continue };
            let asks = matches!(command.program.as_str(), "curl" | "wget") && command.machine == up.machine;
            if !asks || !command.guards.is_empty() && command.in_loop && stacks.is_empty() {
                continue;
            }
            let Some(ports) = published(stacks.iter().flat_map(|stack| stack.services())) else { continue };
            let wrong = command
                .arg_texts()
                .flat_map(addresses)
                .find(|address| address.is_local && !ports.iter().any(|(port, _)| *port == address.port));
            if let Some(address) = wrong.filter(|_| seen.insert(command.place)) {
                let finding = findings.add(
                    command.place,
                    format!("this asks port {}, which the started stack does not publish", address.port),
                );
                finding.label("fails however well it runs").related(up.place, "started here");
                for (port, place) in ports.iter().take(4) {
                    finding.related(*place, format!("port {port} is published"));
                }
                let services = stacks.iter().flat_map(|stack| stack.services());
                let edit = on_published(facts, command.place, address.port, services);
                finding.fix(edits::safe("ask the published port", edit.map(|edit| vec![edit])));
                finding.help("ask the published port");
            }
        }
    }
}

/// The projects that a command starts, by the files that it names.
fn stacks_of<'a>(facts: &'a Facts, command: &Command) -> Vec<&'a Stack> {
    let named: Vec<&str> = command
        .args
        .windows(2)
        .filter(|two| matches!(two, [flag, _] if matches!(flag.value.text.as_str(), "-f" | "--file")))
        .filter_map(|two| Some(two.get(1)?.value.text.as_str()))
        .collect();
    let file_name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let unknown = named.iter().any(|name| name.contains(['$', '{']));
    facts
        .stacks
        .iter()
        .filter(|stack| {
            let files: Vec<String> =
                stack.files.iter().map(|file| facts.files.get(*file).name().to_owned()).collect();
            if unknown {
                stack.is_deployed()
            } else if named.is_empty() {
                files.first().is_some_and(|name| {
                    ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"]
                        .contains(&name.as_str())
                })
            } else {
                named.iter().all(|name| files.contains(&file_name(name)))
            }
        })
        .collect()
}

/// `${PORT:-3000}` in an announcement of a script that never reads the file in which the port is set.
fn port_never_read(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, unit) in facts.commands.units() {
        let commands = facts.commands.of_unit(id);
        let reads_file = commands.iter().any(|command| {
            matches!(command.program.as_str(), "source" | "." | "set" | "export")
                && command.arg_texts().any(|text| text.contains(".env"))
                || command.arg_texts().any(|text| text.contains("grep") && text.contains(".env"))
        });
        if unit.origin != Origin::Script || reads_file {
            continue;
        }
        for command in commands.iter().filter(|command| prints(facts, command)) {
            let source =
                command.args.iter().flat_map(|arg| &arg.value.sources).find_map(|source| match source {
                    Source::Default { name, place } if name == "PORT" || name.ends_with("_PORT") => {
                        Some((name, *place))
                    }
                    _ => None,
                });
            let Some((name, place)) = source else { continue };
            let defined = facts.trees.dotenv.iter().find_map(|(file, dotenv)| {
                let entry = dotenv.entries.iter().find(|entry| entry.key == *name)?;
                Some(Place::new(*file, entry.span))
            });
            // A script that only looks whether `.env` is there leaves the reading to the application.
            let read = facts.application.env_reads.iter().find(|read| read.name == *name);
            let looks = commands.iter().any(|command| command.arg_texts().any(|text| text.ends_with(".env")));
            let defined = defined.or(read.filter(|_| looks).map(|read| read.place));
            let assigned = facts.commands.bindings(id).of(name).next().is_some();
            if let Some(defined) = defined.filter(|_| !assigned) {
                findings
                    .add(command.place, format!("this prints the default of `{name}`, whatever is in force"))
                    .severity(Severity::Low)
                    .related(place, "the default")
                    .related(
                        defined,
                        "this decides the port of the application, and the script does not read it",
                    )
                    .help("read the file first, or print no port");
                break;
            }
        }
    }
}

/// The host port in the one address of a text that names the container's port, or none where that is the default.
fn on_published<'a>(
    facts: &Facts,
    place: Place,
    port: u16,
    services: impl Iterator<Item = &'a Service>,
) -> Option<plimsoll_text::Edit> {
    let mut published: Vec<&str> = services
        .flat_map(|service| &service.ports)
        .filter(|own| own.target == port)
        .filter_map(|own| own.published.as_deref())
        .collect();
    published.dedup();
    let [published] = published.as_slice() else { return None };
    let text = facts.text(place);
    let written = format!(":{port}");
    let ends = |at: usize| !text.get(at..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let at = |start: usize, length: usize| {
        let start = place.span.start + u32::try_from(start).ok()?;
        let end = start + u32::try_from(length).ok()?;
        Some(Place::new(place.file, plimsoll_text::Span::new(start, end)))
    };
    let mut spelled = text.match_indices(&written).filter(|(index, _)| ends(index + written.len()));
    if let Some((index, _)) = spelled.next() {
        return spelled
            .next()
            .is_none()
            .then(|| at(index, written.len()))
            .flatten()
            .map(|place| edits::replace(place, format!(":{published}")));
    }
    let host = text.find("://")? + 3;
    let rest = text.get(host..)?;
    let open = rest.find("${").is_some_and(|start| start == 0);
    let from = if open { rest.find('}')? } else { 0 };
    let length = rest.get(from..)?.find(|c: char| "/\"' :".contains(c)).map_or(rest.len(), |end| from + end);
    let bare = port == 80 && text.matches("://").count() == 1 && !rest.get(length..)?.starts_with(':');
    bare.then(|| at(host + length, 0)).flatten().map(|place| edits::replace(place, format!(":{published}")))
}
