//! A production setting that another source overrules.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::Machine;
use plimsoll_model::compose::{EnvOrigin, ProblemKind};
use plimsoll_model::services::reference;
use plimsoll_text::{FileId, Place};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-010",
    name: "overruled-setting",
    title: "Setting for production does not take effect",
    theme: Theme::ComposeHardening,
    severity: Severity::Critical,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker Compose, Environment variables precedence",
        url: "https://docs.docker.com/compose/how-tos/environment-variables/envvars-precedence/",
    }],
    doc: include_str!("overruled_setting.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    literal_over_file(facts, findings);
    guards_without_source(facts, findings);
}

/// A secret that is written into the Compose file wins over the one in the file for production.
fn literal_over_file(facts: &Facts, findings: &mut Findings<'_>) {
    let mut files: BTreeMap<FileId, Vec<(Place, String, Place)>> = BTreeMap::new();
    for (_, service) in facts.stacks.deployed_services() {
        // A public image mostly gets its settings from the Compose file alone.
        if service.build.is_none() && reference(service).is_none() {
            continue;
        }
        for env_file in &service.env_files {
            let path = env_file.path.value.resolved.as_str();
            let found = facts.trees.dotenv.iter().find(|(file, _)| {
                let own = facts.path(**file).as_str();
                own == path || own == format!("{path}.example") || own == format!("{path}.template")
            });
            let Some((file, dotenv)) = found else { continue };
            for entry in &dotenv.entries {
                let Some(value) = entry.value.as_ref().map(|value| value.text().to_owned()) else { continue };
                let Some(own) =
                    service.environment.get(&entry.key).filter(|own| own.origin == EnvOrigin::Compose)
                else {
                    continue;
                };
                let literal =
                    own.variables.is_empty() && own.value.as_deref().is_some_and(|own| own != value);
                if literal && is_secret(&entry.key) {
                    files.entry(own.place.file).or_default().push((
                        own.place,
                        entry.key.clone(),
                        Place::new(*file, entry.span),
                    ));
                }
            }
        }
    }
    for places in files.values_mut() {
        places.sort();
        places.dedup_by_key(|(place, ..)| *place);
        let Some(((place, key, source), rest)) = places.split_first() else { continue };
        let finding = findings
            .add(*place, format!("`{key}` is fixed here, and what the file for production says is not used"));
        finding
            .label("`environment` wins over `env_file`")
            .related(*source, "the value that never arrives")
            .mask(*place)
            .mask(*source);
        for (place, key, source) in rest {
            finding.related(*place, format!("`{key}`, too")).mask(*place).mask(*source);
        }
        finding.help("take the entry out of `environment`");
    }
}

fn is_secret(key: &str) -> bool {
    ["SECRET", "PASSWORD", "TOKEN", "_KEY", "PASSPHRASE"].iter().any(|word| key.contains(word))
}

/// `${NAME:?}` is filled from the shell and `.env`; a file of `env_file` fills the container only.
fn guards_without_source(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        let required: Vec<Place> = stack
            .problems
            .iter()
            .filter(|problem| problem.kind == ProblemKind::RequiredVariable)
            .filter_map(|problem| problem.place)
            .collect();
        let other = stack.services().flat_map(|service| &service.env_files).find(|file| {
            let name = file.path.value.resolved.file_name().unwrap_or_default();
            name != ".env" && !name.is_empty()
        });
        let (Some((first, rest)), Some(other)) = (required.split_first(), other) else { continue };
        let name = other.path.value.resolved.file_name().unwrap_or_default().to_owned();
        let starts = facts
            .commands
            .iter()
            .any(|command| command.is("docker", &["compose"]) && command.option(&["--env-file"]).is_some());
        let keeps = facts.commands.iter().find(|command| {
            command.machine != Machine::Workstation
                && (command.arg_texts().any(|text| text.ends_with(&name))
                    || command.outputs.iter().any(|output| output.target.text.ends_with(&name)))
        });
        let given = facts.commands.iter().any(|command| {
            let to_env = |text: &str| text == ".env" || text.ends_with("/.env");
            // What another program or a guide does may concern another application.
            let counts = keeps.is_none_or(|keeps| keeps.place.file == command.place.file);
            counts
                && command.machine != Machine::Container
                && (command.outputs.iter().any(|output| to_env(&output.target.text))
                    || matches!(command.program.as_str(), "cp" | "mv" | "ln" | "scp")
                        && command.args.last().is_some_and(|arg| to_env(&arg.value.text)))
        });
        if starts || given {
            continue;
        }
        let finding =
            findings.add(*first, format!("nothing fills this in: `{name}` is read for the container only"));
        finding
            .severity(Severity::High)
            .label("filled from the shell and `.env` when Compose starts")
            .related(other.path.place, "this file is read later, for the container");
        for place in rest {
            finding.related(*place, "not filled in either");
        }
        if let Some(keeps) = keeps {
            finding.related(keeps.place, "the target is given this file only");
        }
        finding.help(format!(
            "start with `docker compose --env-file {name}`, or take the variable out of `environment`"
        ));
    }
}
