//! Down first, then everything that can go wrong.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Fate, Machine};
use plimsoll_text::Place;

use super::actions::{builds, compose_verb, starts, stops};
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "HLT-010",
    name: "stopped-before-update",
    title: "Update takes the application down before steps that may fail",
    theme: Theme::HealthRollout,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "docker compose up",
        url: "https://docs.docker.com/reference/cli/docker/compose/up/",
    }],
    doc: include_str!("stopped_before_update.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    emptied(facts, findings);
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    for procedure in facts.commands.procedures() {
        let doc = facts.commands.unit(procedure.unit).origin.is_documentation();
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        let trapped = steps.iter().any(|step| step.program == "trap");
        if trapped {
            continue;
        }
        for (index, stop) in steps.iter().enumerate() {
            if stop.machine == Machine::Workstation || !stops(stop) || seen.contains(&stop.place) {
                continue;
            }
            let removes_data = stop.flag(&["-v", "--volumes"]).is_some();
            if removes_data {
                continue;
            }
            let Some(rest) = steps.get(index + 1..) else { continue };
            let Some(at) = rest.iter().position(|step| starts(step) && step.machine == stop.machine) else {
                continue;
            };
            let between = rest.get(..at).unwrap_or_default();
            let start = rest.get(at);
            let risky =
                between.iter().find(|step| may_fail(step)).or_else(|| start.filter(|step| builds(step)));
            // Several services that stop before one step are one cause.
            let Some(risky) = risky.filter(|risky| !seen.contains(&risky.place)) else { continue };
            seen.extend([stop.place, risky.place]);
            let finding =
                findings.add(stop.place, "the application is taken down before the new release is ready");
            finding.related(risky.place, "when this fails, it stays down; until it ends, it is down anyway");
            if let Some(start) = start.filter(|start| start.place != risky.place) {
                finding.related(start.place, "only this brings it back");
            }
            if doc {
                finding.severity(Severity::Low);
            }
            finding.help(
                "unpack and build first, then replace the containers with one `docker compose up -d --wait`",
            );
        }
    }
}

/// Files that are served are deleted before the archive with the new ones is unpacked over them.
fn emptied(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    for procedure in facts.commands.procedures() {
        if facts.commands.is_only_read(procedure.unit) {
            continue;
        }
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        for (index, step) in steps.iter().enumerate() {
            let recursive = step.program == "rm" && step.flag(&["-r", "-R", "--recursive"]).is_some();
            if !recursive || step.machine == Machine::Workstation || seen.contains(&step.place) {
                continue;
            }
            let folder = step.operands().find_map(|arg| {
                let folder = arg.value.text.strip_suffix("/*")?;
                (folder.len() > 4 && !folder.starts_with("/tmp")).then(|| folder.to_owned())
            });
            let Some(folder) = folder else { continue };
            let unpack = steps.get(index + 1..).unwrap_or_default().iter().find(|other| {
                matches!(other.program.as_str(), "tar" | "unzip")
                    && other.machine == step.machine
                    && other.arg_texts().any(|text| text.trim_end_matches('/') == folder)
            });
            let Some(unpack) = unpack else { continue };
            seen.insert(step.place);
            findings
                .add(
                    step.place,
                    format!("everything in `{folder}` is deleted before the new files are there"),
                )
                .related(unpack.place, "a broken archive leaves an empty folder, and nothing to go back to")
                .help("unpack beside it, look at the result, then exchange the folders (`mv`)");
        }
    }
}

/// Whether a step between is one of those that fail now and then.
fn may_fail(step: &Command) -> bool {
    let tried = !matches!(step.fate, Fate::Masked { .. });
    let kind = builds(step)
        || compose_verb(step, &["pull"])
        || matches!(
            step.program.as_str(),
            "tar"
                | "unzip"
                | "rsync"
                | "scp"
                | "npm"
                | "pnpm"
                | "yarn"
                | "pip"
                | "apt-get"
                | "apt"
                | "wget"
                | "git"
                | "curl"
        )
        || step.is("docker", &["pull"]);
    tried && kind
}
