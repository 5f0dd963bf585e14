//! What is already good, with evidence.

use std::collections::BTreeSet;

use plimsoll_judge::controls::State;
use plimsoll_model::Kind;
use plimsoll_model::commands::{HopKind, Origin};
use plimsoll_model::compose::Condition;
use plimsoll_model::images::Image;
use plimsoll_text::Place;

use super::show::{Show, listed};
use crate::document::Text;
use crate::report::counted;

/// What works, each with a place to look at.
pub(super) fn works(show: &Show<'_>) -> Vec<Text> {
    let mut found = Vec::new();
    verbs(show, &mut found);
    scripts(show, &mut found);
    services(show, &mut found);
    images(show, &mut found);
    secrets(show, &mut found);
    checks(show, &mut found);
    let met = show.input.judgement.controls.iter().filter(|control| control.state == State::Met).count();
    if met > 0 && !show.is_empty() {
        let all = show.input.judgement.controls.len();
        found.push(
            Text::of(&format!("{met} of {all} controls are met: "))
                .anchor("baseline", "comparison with a baseline")
                .and("."),
        );
    }
    found
}

fn at(show: &Show<'_>, text: &str, place: Place) -> Text {
    Text::of(text).and(" (").place(show.position(place)).and(").")
}

/// One command for each thing that is done to the deployment.
fn verbs(show: &Show<'_>, found: &mut Vec<Text>) {
    let commands = &show.input.facts.commands;
    let mut names: Vec<(String, Place)> = Vec::new();
    for procedure in commands.procedures() {
        let unit = commands.unit(procedure.unit);
        let (Origin::Task { name } | Origin::Recipe { name }) = &unit.origin else { continue };
        let remote = procedure.commands(commands).any(|command| {
            command.hops.iter().any(|hop| matches!(hop.kind, HopKind::Ssh { .. } | HopKind::Lxc { .. }))
        });
        if remote && !names.iter().any(|(known, _)| known == name) {
            names.push((name.clone(), unit.place));
        }
    }
    if let Some((_, place)) = names.first() {
        let place = *place;
        let shown: Vec<String> = names.iter().take(8).map(|(name, _)| format!("`{name}`")).collect();
        found.push(at(
            show,
            &format!("The deployment is a command, not a page of steps: {}", listed(&shown)),
            place,
        ));
    }
}

fn scripts(show: &Show<'_>, found: &mut Vec<Text>) {
    let facts = show.input.facts;
    let mut strict: Vec<Place> = Vec::new();
    let mut all = 0;
    for (_, unit) in facts.commands.units().filter(|(_, unit)| unit.origin == Origin::Script) {
        if facts.is_development(unit.file) || facts.trees.kind(unit.file) != Kind::Shell {
            continue;
        }
        all += 1;
        let file = facts.files.get(unit.file);
        let line = (0..file.line_count().min(60)).find(|line| {
            let text = file.line_text(*line).trim_start();
            text.starts_with("set -e") && text.contains("pipefail")
        });
        strict.extend(line.map(|line| Place::new(unit.file, file.line_span(line))));
    }
    if let Some(place) = strict.first() {
        let text = format!(
            "{} of {} stop at the first error, in pipelines too",
            strict.len(),
            counted(all, "script")
        );
        found.push(at(show, &text, *place));
    }
}

fn services(show: &Show<'_>, found: &mut Vec<Text>) {
    let services: Vec<_> = show.input.facts.stacks.deployed_services().map(|(_, service)| service).collect();
    // A service that a finding names is not said to be good at the same.
    let blamed = |name: &str, rules: &[&str]| {
        let quoted = format!("`{name}`");
        show.of(rules).iter().any(|finding| finding.message.contains(&quoted))
    };
    let mut say = |what: &str, some: Vec<(String, Place)>| {
        if let Some((_, place)) = some.first() {
            let names: Vec<String> = some.iter().map(|(name, _)| format!("`{name}`")).collect();
            found.push(at(show, &format!("{what}: {}", listed(&names)), *place));
        }
    };
    let named = |place: Option<Place>, name: &str| place.map(|place| (name.to_owned(), place));
    let check = services.iter().filter_map(|service| {
        let place = service.healthcheck.as_ref().map(|check| check.place);
        named(place, &service.name).filter(|_| !blamed(&service.name, &["HLT-001", "HLT-002", "HLT-007"]))
    });
    say("Health checks that nothing speaks against", check.collect());
    let waits = services.iter().filter_map(|service| {
        let healthy = service.depends_on.values().find(|on| on.condition == Condition::Healthy);
        named(healthy.map(|on| on.place), &service.name)
    });
    say("Services that wait until what they need is healthy", waits.collect());
    let restart = services.iter().filter_map(|service| {
        let restart = service.restart.as_ref().filter(|restart| restart.value != "no");
        named(restart.map(|restart| restart.place), &service.name)
    });
    say("Services that come back after a crash or a reboot", restart.collect());
    let containers = &show.input.judgement.situation.containers;
    let kept = containers.iter().filter(|container| container.is_data_service).filter_map(|container| {
        let volume = container.data.iter().find(|volume| !volume.is_bind);
        named(volume.map(|volume| volume.place), &container.name)
            .filter(|_| !blamed(&container.name, &["DAT-008"]))
    });
    say("Data in named volumes, which outlive their containers", kept.collect());
}

fn images(show: &Show<'_>, found: &mut Vec<Text>) {
    let used: BTreeSet<_> = show
        .input
        .facts
        .stacks
        .deployed_services()
        .filter_map(|(_, service)| plimsoll_model::services::built(show.input.facts, service))
        .map(|(image, stage)| (image.path.as_str(), stage.index))
        .collect();
    let mut users = Vec::new();
    let mut stages = Vec::new();
    // What a script puts in a file's place is what runs, whatever the file says.
    let replaced = |image: &Image| {
        let written = show.of(&["BLD-003"]);
        written.iter().flat_map(|finding| &finding.related).any(|label| label.place.file == image.file)
    };
    for image in show.input.facts.images.iter().filter(|image| image.written_by.is_none()) {
        if replaced(image) {
            continue;
        }
        for stage in image.stages.iter().filter(|stage| used.contains(&(image.path.as_str(), stage.index))) {
            let path = format!("`{}`", image.path);
            if let Some(user) = stage.user.as_ref().filter(|user| user.root == Some(false)) {
                users.push((path.clone(), user.place));
            }
            if image.stages.len() > 1 {
                stages.push((path, stage.place));
            }
        }
    }
    for (what, some) in [
        ("Images whose program is not root", users),
        ("Images that leave their build tools behind, in stages", stages),
    ] {
        if let Some((_, place)) = some.first() {
            let names: Vec<String> = some.iter().map(|(name, _)| name.clone()).collect();
            found.push(at(show, &format!("{what}: {}", listed(&names)), *place));
        }
    }
}

fn secrets(show: &Show<'_>, found: &mut Vec<Text>) {
    let commands = &show.input.facts.commands;
    let random = commands.iter().find(|command| {
        command.is("openssl", &["rand"]) && !commands.unit(command.unit).origin.is_documentation()
    });
    if let Some(command) = random {
        found.push(at(show, "Secrets are made by a random generator, not invented", command.place));
    }
}

fn checks(show: &Show<'_>, found: &mut Vec<Text>) {
    let facts = show.input.facts;
    let mut workflows = facts.trees.of_kind(Kind::Workflow).map(|file| facts.path(file).as_str());
    if let Some(first) = workflows.next() {
        let more = workflows.count();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        found.push(Text::of("Changes are checked in CI: ").code(first).and(&rest).and("."));
    }
}
