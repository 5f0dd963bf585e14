//! The stack for development on the machine that serves users.

use plimsoll_model::commands::{Command, Machine};
use plimsoll_model::compose::{MountKind, MountSource, Service};
use plimsoll_model::images::Role as Purpose;
use plimsoll_model::services::{Access, access, known, published_everywhere};
use plimsoll_model::{Facts, Role, Stack};
use plimsoll_text::Place;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-011",
    name: "development-stack-shipped",
    title: "Compose file for development reaches production",
    theme: Theme::ComposeHardening,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker Compose, Merge Compose files",
        url: "https://docs.docker.com/compose/how-tos/multiple-compose-files/merge/",
    }],
    doc: include_str!("development_stack_shipped.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.iter() {
        let [file] = stack.files.as_slice() else { continue };
        if !has_default_name(facts.files.get(*file).name()) {
            continue;
        }
        let folder = facts.path(*file).parent();
        let production = facts.stacks.iter().find(|other| {
            other.role == Role::Production
                && !other.files.contains(file)
                && other.files.iter().any(|own| facts.path(*own).parent() == folder)
        });
        let Some(production) = production else { continue };
        match (stack.deployed_by, production.deployed_by) {
            (Some(by), None) => deployed_in_its_place(facts, stack, production, by, findings),
            (None, Some(by)) => shipped(facts, stack, by, findings),
            _ => {}
        }
    }
}

fn has_default_name(name: &str) -> bool {
    matches!(name, "compose.yaml" | "compose.yml" | "docker-compose.yaml" | "docker-compose.yml")
}

/// `docker compose up` without `-f`, while a file for production stands beside the default one.
fn deployed_in_its_place(
    facts: &Facts,
    stack: &Stack,
    production: &Stack,
    by: Place,
    findings: &mut Findings<'_>,
) {
    let Some(file) = production.files.iter().find(|file| !stack.files.contains(file)) else { return };
    let name = facts.files.get(*file).name();
    let Some(sign) = signs(stack).into_iter().next() else { return };
    let finding =
        findings.add(by, format!("this starts the default file, and `{name}` stands unused beside it"));
    finding.severity(Severity::High).label("no `-f`").related(sign.0, sign.1);
    if let Some(service) =
        production.services().find(|own| stack.services().any(|other| other.name == own.name))
    {
        finding.related(service.place, format!("`{}` is defined for production here", service.name));
    }
    if let Some(service) =
        stack.services().find(|own| production.services().any(|other| other.name == own.name))
    {
        finding.related(
            service.place,
            "the same service of the same project: whichever file is used last replaces it",
        );
    }
    finding.help(format!("name the file: `docker compose -f {name} up -d`"));
}

/// The default file travels with the files of the release.
fn shipped(facts: &Facts, stack: &Stack, by: Place, findings: &mut Findings<'_>) {
    let Some(file) = stack.files.first() else { return };
    let name = facts.files.get(*file).name();
    let mut carriers = facts.commands.iter().filter(|command| carries_all(facts, command));
    let Some(carrier) = carriers.next() else { return };
    if std::iter::once(carrier).chain(carriers).any(|command| leaves_out(command, name)) {
        return;
    }
    let signs = signs(stack);
    let Some(((place, what), rest)) = signs.split_first() else { return };
    let finding =
        findings.add(*place, format!("`{name}` is for development and is shipped with every release"));
    finding.label(what.clone());
    for (place, what) in rest.iter().take(4) {
        finding.related(*place, what.clone());
    }
    finding
        .related(carrier.place, "everything in the folder is sent")
        .related(by, "only this file is meant to be started")
        .note("a `docker compose up` without `-f` in that folder, by hand at night, starts the wrong one")
        .help("leave the file out of the archive, or give it a name that Compose does not take by itself");
}

/// What makes a stack unfit for production, the worst first.
fn signs(stack: &Stack) -> Vec<(Place, String)> {
    let mut found: Vec<(u8, Place, String)> = Vec::new();
    for service in stack.services() {
        if let Access::Open { why, place } = access(service) {
            let is_data = known(service).is_some_and(|image| image.role == Purpose::Database);
            let rank = if is_data { 0 } else { 2 };
            found.push((rank, place, format!("`{}`: {why}", service.name)));
        }
        if known(service).is_some_and(|image| image.role.is_data_service())
            && let Some(port) = published_everywhere(service).next()
        {
            found.push((1, port.place, format!("`{}` is published", service.name)));
        }
        if let Some(mount) = source_mount(service) {
            found.push((3, mount, format!("`{}` runs from the working copy", service.name)));
        }
    }
    found.sort();
    found.into_iter().map(|(_, place, what)| (place, what)).collect()
}

fn source_mount(service: &Service) -> Option<Place> {
    service.build.as_ref()?;
    let mount = service.volumes.iter().find(|mount| {
        mount.kind == MountKind::Bind
            && !mount.read_only
            && matches!(&mount.source, Some(MountSource::Path(path)) if path.written.starts_with('.'))
            && matches!(mount.target.as_str(), "/app" | "/src" | "/code" | "/usr/src/app" | "/workspace")
    });
    mount.map(|mount| mount.place)
}

/// Whether a command sends the whole working copy, the default file with it.
fn carries_all(facts: &Facts, command: &Command) -> bool {
    if facts.commands.unit(command.unit).origin.is_documentation() {
        return false;
    }
    match command.program.as_str() {
        "tar" => {
            command.machine == Machine::Workstation
                && (command.flag(&["-c", "--create"]).is_some() || command.arg(0).is_some_and(is_old_create))
                && command.arg_texts().any(|text| matches!(text, "." | "./"))
        }
        "rsync" => command.arg_texts().any(|text| matches!(text, "." | "./") || text.ends_with("/")),
        "git" => {
            command.machine != Machine::Workstation
                && (command.is("git", &["clone"]) || command.is("git", &["pull"]))
        }
        _ => false,
    }
}

/// `tar czf`: the letters without a dash.
fn is_old_create(letters: &str) -> bool {
    letters.starts_with('c') && letters.len() <= 5 && letters.chars().all(|c| c.is_ascii_alphabetic())
}

fn leaves_out(command: &Command, name: &str) -> bool {
    command.arg_texts().any(|text| {
        text.contains(name) && text.contains("exclude") || text == name || text.ends_with(&format!("/{name}"))
    })
}
