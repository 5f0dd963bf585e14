//! Builds beside users.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, Origin};
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-010",
    name: "built-on-guest",
    title: "Images are built on the guest that serves",
    theme: Theme::TransferBuild,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker, Building best practices",
        url: "https://docs.docker.com/build/building/best-practices/",
    }],
    doc: include_str!("built_on_guest.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<FileId, Vec<Place>> = BTreeMap::new();
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if matches!(command.machine, Machine::Guest | Machine::Node)
            && !facts.commands.is_only_read(command.unit)
            && builds(command)
        {
            found.entry(unit.file).or_default().push(command.place);
        }
    }
    for (id, unit) in facts.commands.units() {
        let commands = facts.commands.of_unit(id);
        let served = commands.iter().find(|command| serves(command));
        if unit.origin != Origin::Script || served.is_none() {
            continue;
        }
        let compiled = commands.iter().filter(|command| {
            compiles(command) && served.is_some_and(|served| served.machine == command.machine)
        });
        found.entry(unit.file).or_default().extend(compiled.map(|command| command.place));
    }
    found.retain(|_, places| !places.is_empty());
    let built = facts.stacks.deployed_services().find_map(|(_, service)| service.build.as_ref());
    for places in found.into_values() {
        let mut rest = places.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings.add(first, "what runs is built on the machine that serves users");
        for place in rest.filter(|place| *place != first) {
            finding.related(place, "built here, too");
        }
        if let Some(build) = built {
            finding.related(build.place, "what is built");
        }
        if let Some((memory, place)) =
            facts.guests.real().find_map(|guest| Some((guest.memory_mib()?, guest.place)))
        {
            finding.related(place, format!("{memory} MiB for the build and everything that runs"));
        }
        finding
            .note("the build takes memory and processor from the running services, needs compilers and sources on the guest, and a failed one stops the update half-way")
            .help("build elsewhere, push to a registry or `docker save`, and only pull or load on the guest");
    }
}

fn builds(command: &Command) -> bool {
    (command.is("docker", &["compose", "up"]) && command.flag(&["--build"]).is_some())
        || command.is("docker", &["compose", "build"])
        || command.is("docker", &["build"])
        || command.is("docker", &["buildx", "build"])
}

/// Restarts a program under a supervisor of this machine.
fn serves(command: &Command) -> bool {
    let verb = command.operands().next().map(|arg| arg.value.text.as_str());
    command.program == "pm2"
        && matches!(verb, Some("start" | "restart" | "reload" | "startOrRestart" | "startOrReload"))
        || command.program == "systemctl" && matches!(verb, Some("restart" | "reload"))
}

/// Makes a program or a web site from its source.
fn compiles(command: &Command) -> bool {
    let words: Vec<&str> = command.operands().map(|arg| arg.value.text.as_str()).collect();
    match command.program.as_str() {
        "npm" | "pnpm" | "yarn" | "bun" => words.contains(&"build"),
        "vite" | "tsc" | "next" | "cargo" | "go" => words.first() == Some(&"build"),
        "mvn" | "gradle" | "gradlew" => words.iter().any(|word| matches!(*word, "package" | "build")),
        _ => false,
    }
}
