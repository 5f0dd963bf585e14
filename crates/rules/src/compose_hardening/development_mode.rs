//! A deployed service that runs as on a developer's machine.

use std::collections::BTreeSet;

use plimsoll_model::Facts;
use plimsoll_model::application::SwitchKind;
use plimsoll_model::compose::Service;
use plimsoll_model::images::Stage;
use plimsoll_model::services::{built, context, published_everywhere, start_words};
use plimsoll_text::Place;

use super::development_server::{DevelopmentServer, Harm, development_server};
use crate::transfer_build::development::is_for_development;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-009",
    name: "development-mode",
    title: "Deployed service runs in development mode",
    theme: Theme::ComposeHardening,
    severity: Severity::Critical,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference {
            title: "Flask, Debugging Application Errors",
            url: "https://flask.palletsprojects.com/en/stable/debugging/",
        },
        Reference {
            title: "Django, Deployment checklist",
            url: "https://docs.djangoproject.com/en/stable/howto/deployment/checklist/",
        },
        Reference {
            title: "OWASP Top 10, A05:2021 Security Misconfiguration",
            url: "https://owasp.org/Top10/A05_2021-Security_Misconfiguration/",
        },
    ],
    doc: include_str!("development_mode.md"),
    check,
};

/// Something that shows development mode.
struct Sign {
    place: Place,
    message: String,
    harm: Harm,
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    for (_, service) in facts.stacks.deployed_services() {
        let stage = built(facts, service).map(|(_, stage)| stage);
        let mut signs = started(facts, service, stage);
        signs.extend(switched(facts, service, stage));
        signs.extend(written(facts, service));
        signs.retain(|sign| seen.insert(sign.place));
        signs.sort_by_key(|sign| sign.harm);
        let port = published_everywhere(service).next().map(|port| port.place);
        report(signs, port, findings);
    }
    for image in facts.images.written().filter(|image| !is_for_development(&image.path)) {
        let Some(line) = image.stages.last().and_then(|stage| stage.cmd.as_ref()) else { continue };
        let words: Vec<String> = line.words.iter().map(|word| word.value.clone()).collect();
        if let Some(server) = development_server(&words).filter(|_| seen.insert(line.place)) {
            report(vec![of_server(line.place, "the image", &server)], image.written_by, findings);
        }
    }
}

fn report(signs: Vec<Sign>, published: Option<Place>, findings: &mut Findings<'_>) {
    let mut rest = signs.into_iter();
    let Some(first) = rest.next() else { return };
    let finding = findings.add(first.place, first.message);
    match first.harm {
        Harm::Code => finding.note(
            "its error pages run code that a visitor types in, or its server was never made for strangers",
        ),
        Harm::Details => finding.severity(Severity::High).note(
            "errors show source, settings and queries to whoever provokes them, and every request is slower",
        ),
        Harm::Slow => finding.severity(Severity::Medium).note(
            "compilers and watchers cost memory and start-up time, and an error in a type ends the service",
        ),
    };
    for other in rest {
        finding.related(other.place, other.message);
    }
    if let Some(place) = published {
        finding.related(place, "reached here");
    }
    finding.help("run the production server of the framework and take the switch out of what is deployed");
}

fn of_server(place: Place, who: &str, server: &DevelopmentServer) -> Sign {
    Sign {
        place,
        message: format!("{who} starts {}, which is for development", server.what),
        harm: server.harm,
    }
}

/// A development server in what starts the service, in the script of `package.json` that it names, or in the shell
/// script that it runs.
fn started(facts: &Facts, service: &Service, stage: Option<&Stage>) -> Vec<Sign> {
    let words = start_words(facts, service);
    let own =
        [&service.command, &service.entrypoint].into_iter().flatten().map(|command| command.place).next();
    let line =
        stage.and_then(|stage| stage.cmd.as_ref().or(stage.entrypoint.as_ref())).map(|line| line.place);
    let Some(place) = own.or(line) else { return Vec::new() };
    let who = format!("`{}`", service.name);
    if let Some(server) = development_server(&words) {
        return vec![of_server(place, &who, &server)];
    }
    let Some(folder) = context(service) else { return Vec::new() };
    let tokens: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    let mut signs = Vec::new();
    if let Some(name) = package_script(&tokens) {
        let project = facts
            .application
            .projects
            .iter()
            .filter(|project| project.folder.starts_with(&folder))
            .min_by_key(|project| project.folder.components().count());
        let script = project.and_then(|project| project.scripts.iter().find(|(key, _)| key.value == name));
        if let Some((_, text)) = script {
            let words: Vec<String> = text.value.split_whitespace().map(str::to_owned).collect();
            signs.extend(development_server(&words).map(|server| of_server(text.place, &who, &server)));
        }
    }
    for name in tokens.iter().filter_map(|token| token.rsplit('/').next()).filter(|n| n.ends_with(".sh")) {
        let file =
            facts.files.iter().find(|(_, file)| file.path().starts_with(&folder) && file.name() == name);
        let Some(unit) = file.and_then(|(id, _)| facts.commands.script_unit(id)) else { continue };
        for command in facts.commands.of_unit(unit).iter().filter(|command| command.guards.is_empty()) {
            let words: Vec<String> = std::iter::once(command.program.clone())
                .chain(command.arg_texts().map(str::to_owned))
                .collect();
            signs.extend(development_server(&words).map(|server| of_server(command.place, &who, &server)));
        }
    }
    signs
}

/// The script of `package.json` that a command starts.
fn package_script<'a>(tokens: &[&'a str]) -> Option<&'a str> {
    let at = tokens.iter().position(|token| matches!(*token, "npm" | "pnpm" | "yarn" | "bun"))?;
    let rest = tokens.get(at + 1..)?;
    match rest.first().copied()? {
        "run" | "run-script" => rest.get(1).copied(),
        script if !script.starts_with('-') => Some(script),
        _ => None,
    }
}

/// Switches in the environment of the service, those of its image included.
fn switched(facts: &Facts, service: &Service, stage: Option<&Stage>) -> Vec<Sign> {
    let own = service
        .environment
        .values()
        .filter_map(|entry| Some((entry.key.as_str(), entry.value.as_deref()?, entry.place)));
    let inherited = stage
        .into_iter()
        .flat_map(|stage| &stage.env)
        .filter(|(key, _)| !service.environment.contains_key(key.as_str()))
        .map(|(key, value)| (key.as_str(), value.value.as_str(), value.place));
    let read = |name: &str| facts.application.env_reads.iter().any(|read| read.name == name);
    own.chain(inherited)
        .filter_map(|(key, value, place)| {
            let harm = switch(key, value)?;
            // A public image has its own idea of `DEBUG`, mostly that it logs more.
            let counts = service.build.is_some() || !matches!(key, "DEBUG" | "ENVIRONMENT") || read(key);
            counts.then(|| Sign {
                place,
                message: format!("`{}` runs with `{key}={value}`", service.name),
                harm,
            })
        })
        .collect()
}

/// What a variable does when it asks for development mode.
fn switch(key: &str, value: &str) -> Option<Harm> {
    let value = value.trim().to_ascii_lowercase();
    let on = matches!(value.as_str(), "1" | "true" | "yes" | "on");
    let development = matches!(value.as_str(), "development" | "dev" | "local" | "debug");
    match key {
        "FLASK_DEBUG" | "WERKZEUG_DEBUG" if on => Some(Harm::Code),
        "FLASK_ENV" if development => Some(Harm::Code),
        "DEBUG" | "DJANGO_DEBUG" | "APP_DEBUG" | "RAILS_DEBUG" | "FASTAPI_DEBUG" | "SYMFONY_DEBUG" if on => {
            Some(Harm::Details)
        }
        "APP_ENV"
        | "NODE_ENV"
        | "RAILS_ENV"
        | "RACK_ENV"
        | "ASPNETCORE_ENVIRONMENT"
        | "DOTNET_ENVIRONMENT"
        | "MIX_ENV"
        | "GIN_MODE"
        | "DJANGO_ENV"
        | "ENVIRONMENT"
        | "SPRING_PROFILES_ACTIVE"
            if development =>
        {
            Some(Harm::Details)
        }
        _ => None,
    }
}

/// Switches that are fixed in the source from which the service is built.
fn written(facts: &Facts, service: &Service) -> Vec<Sign> {
    let Some(folder) = context(service) else { return Vec::new() };
    let words = start_words(facts, service).join(" ");
    let switches = facts.application.debug_switches.iter();
    switches
        .filter(|switch| !matches!(switch.kind, SwitchKind::SqlEcho))
        .filter(|switch| {
            let file = facts.files.get(switch.place.file);
            let inside = folder.as_str().is_empty() || file.path().starts_with(&folder);
            let before = file.text().get(..switch.place.span.start as usize).unwrap_or_default();
            let call = before.rfind(".run(").and_then(|at| before.get(at..));
            // `app.run(debug=True)` counts only where that file itself is what starts.
            let in_call = call.is_some_and(|text| !text.contains("\n\n") && text.len() < 400);
            let stem = file.path().file_stem().unwrap_or_default();
            let is_started = words.contains(file.name()) || words.contains(&format!("-m {stem}"));
            inside && !facts.is_development(switch.place.file) && (!in_call || is_started)
        })
        .map(|switch| Sign {
            place: switch.place,
            message: format!("`{}` has the debug mode switched on in its source", service.name),
            harm: Harm::Code,
        })
        .collect()
}
