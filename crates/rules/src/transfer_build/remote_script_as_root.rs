//! Code from the network that runs as it comes.

use std::collections::BTreeMap;

use plimsoll_model::commands::{Command, Machine};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{Edit, FileId, Place, Span};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-007",
    name: "remote-script-as-root",
    title: "A downloaded script is run unseen",
    theme: Theme::TransferBuild,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "OWASP, Docker Security Cheat Sheet",
        url: "https://cheatsheetseries.owasp.org/cheatsheets/Docker_Security_Cheat_Sheet.html",
    }],
    doc: include_str!("remote_script_as_root.md"),
    check,
};

const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ash", "python", "python3"];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<FileId, Vec<(Place, String, Machine)>> = BTreeMap::new();
    let mut repositories: BTreeMap<FileId, Vec<Edit>> = BTreeMap::new();
    for (id, unit) in facts.commands.units() {
        if facts.commands.is_only_read(id) {
            continue;
        }
        let commands = facts.commands.of_unit(id);
        if commands.iter().any(checks_sum) {
            continue;
        }
        for (index, command) in commands.iter().enumerate() {
            let later = commands.get(index + 1..).unwrap_or_default();
            if let Some(url) = fetched_and_run(facts, command, later) {
                repositories
                    .entry(unit.file)
                    .or_default()
                    .extend(from_repository(facts, command, later, &url));
                found.entry(unit.file).or_default().push((command.place, url, command.machine));
            }
        }
    }
    for (file, places) in found {
        let edits = repositories.remove(&file).filter(|edits| edits.len() == places.len());
        let mut rest = places.into_iter();
        let Some((first, url, machine)) = rest.next() else { continue };
        let finding = findings.add(first, format!("`{url}` is downloaded and run, whatever it holds"));
        for (place, _, _) in rest.filter(|(place, _, _)| *place != first) {
            finding.related(place, "the same here");
        }
        if machine == Machine::Workstation || facts.trees.kind(first.file) == Kind::Markdown {
            finding.severity(Severity::Medium);
        }
        finding
            .note("its owner, or whoever takes the server over, decides what runs on this machine, and each run may install another version")
            .help("install from the vendor's package repository with its signing key, or pin a version and compare a checksum")
            .fix(edits::review("install Docker from its signed package repository", edits));
    }
    super::foreign_actions::judge(facts, findings);
}

fn checks_sum(command: &Command) -> bool {
    matches!(command.program.as_str(), "sha256sum" | "sha512sum" | "shasum" | "gpg" | "cosign" | "minisign")
}

/// The address when a download ends in an interpreter.
fn fetched_and_run(facts: &Facts, command: &Command, later: &[Command]) -> Option<String> {
    if SHELLS.contains(&command.program.as_str()) || matches!(command.program.as_str(), "source" | ".") {
        let arg = command.args.iter().find(|arg| {
            let text = facts.text(arg.place).trim_matches('"');
            ["$(curl", "$(wget", "<(curl", "<(wget"].iter().any(|start| text.starts_with(start))
        })?;
        return address(facts.text(arg.place).split([' ', ')', '"']));
    }
    if !matches!(command.program.as_str(), "curl" | "wget") {
        return None;
    }
    let url = address(command.arg_texts())?;
    if let Some(own) = &command.pipeline {
        let piped = later.iter().find(|other| {
            other.pipeline.as_ref().is_some_and(|pipeline| {
                pipeline.span == own.span && pipeline.index > own.index && pipeline.length == own.length
            })
        });
        if piped.is_some_and(reads_a_program) {
            return Some(url);
        }
    }
    let output = command.option(&["-o", "--output", "-O", "--output-document"]).map(|option| option.text);
    let target = output
        .filter(|text| !text.starts_with("http"))
        .or_else(|| command.outputs.first().map(|output| output.target.text.as_str()))
        .or_else(|| url.rsplit('/').next())?;
    let name = target.rsplit('/').next().filter(|name| !name.is_empty())?;
    let same = |text: &str| text.rsplit('/').next() == Some(name);
    later
        .iter()
        .any(|other| {
            let runs =
                (name.ends_with(".sh") && same(&other.program)) || SHELLS.contains(&other.program.as_str());
            runs && (same(&other.program) || other.operands().next().is_some_and(|arg| same(&arg.value.text)))
        })
        .then_some(url)
}

/// Whether an interpreter takes its program from what is piped into it.
fn reads_a_program(command: &Command) -> bool {
    SHELLS.contains(&command.program.as_str())
        && !command
            .arg_texts()
            .any(|text| matches!(text, "-c" | "-m") || text.ends_with(".py") || text.ends_with(".sh"))
}

/// The first address among words that another machine answers.
fn address<'a>(mut words: impl Iterator<Item = &'a str>) -> Option<String> {
    let url = words.find(|word| word.starts_with("http://") || word.starts_with("https://"))?;
    let own = ["://localhost", "://127.0.0.1"].iter().any(|host| url.contains(host));
    (!own).then(|| url.to_owned())
}

/// Docker's own installation steps for Debian and Ubuntu, for a command that root of the guest runs.
///
/// Source: "Install Docker Engine on Ubuntu", docs.docker.com/engine/install/ubuntu.
fn from_repository(facts: &Facts, fetch: &Command, later: &[Command], url: &str) -> Option<Edit> {
    const STEPS: &str = "apt-get update && apt-get install -y ca-certificates curl && install -m 0755 -d /etc/apt/keyrings && . /etc/os-release && curl -fsSL https://download.docker.com/linux/$ID/gpg -o /etc/apt/keyrings/docker.asc && echo deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/$ID $VERSION_CODENAME stable > /etc/apt/sources.list.d/docker.list && apt-get update && apt-get install -y docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin";
    let host = url.trim_start_matches("https://").trim_end_matches('/');
    if host != "get.docker.com" || SHELLS.contains(&fetch.program.as_str()) {
        return None;
    }
    let run = later.iter().find(|other| {
        SHELLS.contains(&other.program.as_str())
            && other.place.file == fetch.place.file
            && other.carrier == fetch.carrier
    })?;
    let all = Place::new(fetch.place.file, Span::new(fetch.place.span.start, run.place.span.end));
    let text = facts.text(all);
    let shell = fetch.carrier.and_then(|id| facts.commands.get(id)).is_some_and(|carrier| {
        SHELLS.contains(&carrier.program.as_str()) || carrier.is("pct", &["exec"]) || carrier.program == "ssh"
    });
    let plain = !text.contains("sudo") && !text.contains('\n') && text.len() < 120;
    if !(plain && shell && edits::is_quoted(facts, fetch)) {
        return None;
    }
    Some(edits::replace(all, edits::escaped(facts, fetch, STEPS)?))
}
