//! Two runs at once use the same temporary files.

use plimsoll_model::commands::{Command, Machine, Origin};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::Place;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SCR-010",
    name: "no-deploy-lock",
    title: "Two runs at once use the same temporary files",
    theme: Theme::ScriptRobustness,
    severity: Severity::Low,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[],
    doc: include_str!("no_deploy_lock.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    side_by_side(facts, findings);
    let mut seen = std::collections::BTreeSet::new();
    for procedure in facts.commands.procedures() {
        if !matches!(facts.commands.unit(procedure.unit).origin, Origin::Script) {
            continue;
        }
        let steps: Vec<&Command> = procedure.commands(&facts.commands).collect();
        let deploys = steps.iter().any(|step| step.starts_services());
        let locked =
            steps.iter().any(|step| matches!(step.program.as_str(), "flock" | "mktemp" | "lockfile"));
        if !deploys || locked {
            continue;
        }
        let mut places = steps.iter().filter_map(|step| fixed(step));
        let Some((place, path)) = places.next() else { continue };
        if !seen.insert(place.file) {
            continue;
        }
        let finding = findings.add(place, format!("two runs at once overwrite each other's `{path}`"));
        finding.label("a fixed name, and no lock");
        for (other, path) in places.filter(|(_, other)| *other != path) {
            finding.related(other, format!("`{path}` too"));
        }
        finding
            .help("take a lock with `flock`, and make temporary files with `mktemp`")
            .fix(edits::review("let one run at a time go on", lock(facts, procedure.unit)));
    }
}

/// Workflows that deploy, of which two may run at once.
fn side_by_side(facts: &Facts, findings: &mut Findings<'_>) {
    for (file, stream) in facts.trees.yaml_of(Kind::Workflow) {
        let Some(document) = stream.documents.first() else { continue };
        let deploys = facts.commands.iter().find(|command| {
            command.place.file == file && command.machine != Machine::Workstation && command.starts_services()
        });
        let in_job = document
            .get("jobs")
            .is_some_and(|jobs| jobs.entries().iter().any(|job| job.value.get("concurrency").is_some()));
        let pushed =
            document.get("on").is_some_and(|on| on.get("push").is_some() || on.as_str() == Some("push"));
        let (Some(deploys), Some(jobs)) = (deploys, document.entry("jobs")) else { continue };
        if in_job || document.get("concurrency").is_some() || !pushed {
            continue;
        }
        findings
            .add(Place::new(file, jobs.key.span), "two pushes deploy at the same time")
            .label("no `concurrency` here")
            .related(deploys.place, "both runs get here, in any order")
            .help("add `concurrency: { group: deploy, cancel-in-progress: false }`");
    }
}

/// The fixed temporary file that a command on the caller's machine writes.
fn fixed(command: &Command) -> Option<(Place, String)> {
    if command.machine != Machine::Workstation {
        return None;
    }
    let is_fixed = |text: &str| text.starts_with("/tmp/") && !text.contains(['$', '*']);
    let output = command.outputs.iter().find(|output| is_fixed(&output.target.text));
    let archive =
        (command.program == "tar").then(|| command.args.iter().find(|arg| is_fixed(&arg.value.text)));
    output
        .map(|output| (output.place, output.target.text.clone()))
        .or_else(|| archive.flatten().map(|arg| (arg.place, arg.value.text.clone())))
}

/// A lock in front of the first command behind `set`, held until the script ends. `flock` is part of util-linux, which
/// macOS does not have.
fn lock(facts: &Facts, unit: plimsoll_model::commands::UnitId) -> Option<Vec<plimsoll_text::Edit>> {
    let first = facts.commands.of_unit(unit).iter().find(|command| {
        command.carrier.is_none() && command.program == "set" && command.function.is_none()
    })?;
    let alone = edits::line_head(facts, first.place).trim().is_empty();
    let lines = "\n# One run at a time: the lock is on this file itself\nexec 9<\"$0\"\nflock -n 9 || { echo \"another run is going on\" >&2; exit 1; }";
    alone.then(|| vec![edits::lines_after(facts, first.place, lines)])
}
