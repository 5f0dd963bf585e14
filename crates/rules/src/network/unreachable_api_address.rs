//! Browser code that calls somewhere else.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use plimsoll_model::application::{EnvRead, Phase, Presence};
use plimsoll_model::compose::{EnvEntry, Service};
use plimsoll_model::services::{context, is_web_server};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Place};

use super::frontend::{host, is_own_machine, is_public, is_sent, names_an_api};
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-010",
    name: "unreachable-api-address",
    title: "Browser code is built with an address that this deployment does not serve",
    theme: Theme::Network,
    severity: Severity::Critical,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "Vite, Env Variables and Modes",
        url: "https://vite.dev/guide/env-and-mode",
    }],
    doc: include_str!("unreachable_api_address.md"),
    check,
};

const HELP: &str = "use an address relative to the page (such as `/api`) and let the web server forward it, or give the build the published address";

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    let mut served = Served::default();
    let own: Vec<&EnvRead> =
        facts.application.env_reads.iter().filter(|read| defaults_to_own(read)).collect();
    for (_, service) in facts.stacks.deployed_services() {
        let Some(build) = &service.build else { continue };
        for entry in build.args.values() {
            argument(entry, service, findings, &mut seen);
        }
        at_run_time(facts, service, findings, &mut seen);
        dotenv(facts, service, findings, &mut seen, &mut served);
        defaults(facts, &own, service, findings, &mut seen);
    }
}

/// A build argument that is the visitor's own machine.
fn argument(entry: &EnvEntry, service: &Service, findings: &mut Findings<'_>, seen: &mut BTreeSet<Place>) {
    let own = entry.value.as_deref().and_then(host).is_some_and(is_own_machine);
    if !own || !is_public(&entry.key) || !seen.insert(entry.place) {
        return;
    }
    let finding = findings.add(
        entry.place,
        format!("`{}` of `{}` is built as an address of the visitor's own machine", entry.key, service.name),
    );
    if !entry.variables.is_empty() {
        finding.severity(Severity::Medium).label("the default when nobody sets the variable");
    }
    finding
        .note("the value becomes part of the pages; changing the environment later changes nothing")
        .help(HELP);
}

/// A variable for the build that is given to a container that only serves files.
fn at_run_time(facts: &Facts, service: &Service, findings: &mut Findings<'_>, seen: &mut BTreeSet<Place>) {
    if !is_web_server(facts, service) {
        return;
    }
    let mut late = service.environment.values().filter(|entry| is_public(&entry.key));
    let Some(entry) = late.next().filter(|entry| seen.insert(entry.place)) else { return };
    let given = service.build.as_ref().is_some_and(|build| build.args.contains_key(&entry.key));
    if given {
        return;
    }
    let finding = findings.add(
        entry.place,
        format!(
            "`{}` is given to `{}` at run time, when its pages are built already",
            entry.key, service.name
        ),
    );
    finding.severity(Severity::Medium);
    for other in late {
        finding.related(other.place, "this one, too");
    }
    finding
        .note("the container serves finished files and reads none of these")
        .help("give it as a build argument, or use an address relative to the page");
}

/// A dotenv file that the build reads.
fn dotenv(
    facts: &Facts,
    service: &Service,
    findings: &mut Findings<'_>,
    seen: &mut BTreeSet<Place>,
    served: &mut Served,
) {
    let (Some(folder), Some(build)) = (context(service), &service.build) else { return };
    for (&file, tree) in &facts.trees.dotenv {
        let path = facts.path(file);
        let name = path.file_name().unwrap_or_default();
        if !in_folder(path, &folder)
            || path.parent() != Some(folder.as_path())
            || !matches!(name, ".env.production" | ".env.production.local" | ".env")
            || !is_sent(facts, &folder, name)
        {
            continue;
        }
        for entry in &tree.entries {
            let Some(host) = entry.value.as_ref().and_then(|value| host(value.text())) else { continue };
            let place = Place::new(file, entry.span);
            if !is_public(&entry.key)
                || !names_an_api(&entry.key)
                || build.args.contains_key(&entry.key)
                || seen.contains(&place)
            {
                continue;
            }
            let own = is_own_machine(host);
            if host.contains(['$', '{']) || !own && served.is_known(facts, file, host) {
                continue;
            }
            seen.insert(place);
            let what = if own { "the visitor's own machine" } else { "a host that nothing here serves" };
            let finding = findings.add(place, format!("`{}` sends browsers to `{host}`, {what}", entry.key));
            finding.related(
                build.place,
                format!("`{}` is built from this folder and takes it in", service.name),
            );
            if let Some(port) = service.ports.first() {
                finding.related(port.place, "the pages are served here");
            }
            if !own {
                finding.note("every request, its token included, leaves this deployment");
            }
            finding.help(HELP);
            finding.fix(edits::review(
                "ask the server that the pages come from",
                same_origin(facts, service, place).map(|edit| vec![edit]),
            ));
        }
    }
}

/// Which deployment files know a host; each host is looked for once.
#[derive(Default)]
struct Served(BTreeMap<String, Vec<FileId>>);

impl Served {
    /// Whether a deployment file besides this one knows the host, or it is a number of a private network.
    fn is_known(&mut self, facts: &Facts, own: FileId, host: &str) -> bool {
        if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return true;
        }
        let files = self.0.entry(host.to_owned()).or_insert_with(|| serving(facts, host).take(2).collect());
        files.iter().any(|file| *file != own)
    }
}

/// The deployment files that know a host.
fn serving<'a>(facts: &'a Facts, host: &str) -> impl Iterator<Item = FileId> + use<'a> {
    let signs = [
        format!("//{host}"),
        format!("server_name {host}"),
        format!("Host(`{host}"),
        format!("hostname: {host}"),
    ];
    let all = facts.files.iter().filter(move |&(id, file)| {
        let kind = facts.trees.kind(id);
        let deploys = matches!(
            kind,
            Kind::Compose
                | Kind::Shell
                | Kind::Nginx
                | Kind::Terraform
                | Kind::Ansible
                | Kind::Yaml
                | Kind::Workflow
                | Kind::Taskfile
                | Kind::Makefile
        );
        deploys && signs.iter().any(|sign| file.holds(sign))
    });
    all.map(|(id, _)| id)
}

/// Whether the build falls back to the visitor's own machine.
fn defaults_to_own(read: &EnvRead) -> bool {
    let own = |value: &str| host(value).is_some_and(is_own_machine);
    read.phase == Phase::Build && matches!(&read.presence, Presence::Default(default) if own(&default.value))
}

/// A default in the source that the build keeps, because nothing gives it the variable.
fn defaults(
    facts: &Facts,
    own: &[&EnvRead],
    service: &Service,
    findings: &mut Findings<'_>,
    seen: &mut BTreeSet<Place>,
) {
    let (Some(folder), Some(build)) = (context(service), &service.build) else { return };
    for read in own {
        let Presence::Default(default) = &read.presence else { continue };
        if !in_folder(facts.path(read.place.file), &folder)
            || build.args.contains_key(&read.name)
            || is_given(facts, &folder, &read.name)
            || !seen.insert(read.place)
        {
            continue;
        }
        let finding = findings.add(
            read.place,
            format!(
                "without `{}` at build time, browsers call `{}` on their own machine",
                read.name, default.value
            ),
        );
        finding.related(build.place, format!("`{}` is built without it", service.name)).help(HELP);
    }
}

fn in_folder(path: &Utf8Path, folder: &Utf8Path) -> bool {
    let inside = || path.as_str().strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
    folder.as_str().is_empty() || inside()
}

/// Whether a dotenv file of the build sets a variable.
fn is_given(facts: &Facts, folder: &Utf8Path, name: &str) -> bool {
    facts.trees.dotenv.iter().any(|(&file, tree)| {
        let path = facts.path(file);
        let own = path.file_name().unwrap_or_default();
        in_folder(path, folder)
            && matches!(own, ".env" | ".env.production" | ".env.production.local")
            && is_sent(facts, folder, own)
            && tree.get(name).is_some()
    })
}

/// The path alone, where the server of the pages forwards it.
fn same_origin(facts: &Facts, service: &Service, place: Place) -> Option<plimsoll_text::Edit> {
    let text = facts.text(place);
    let (_, url) = text.split_once('=')?;
    let rest = url.trim_matches('"').split_once("://")?.1;
    let path = rest.find('/').and_then(|at| rest.get(at..)).filter(|path| path.len() > 1)?;
    let (image, stage) = plimsoll_model::services::built(facts, service)?;
    let forwarded = plimsoll_model::services::nginx_configs(facts, image, stage).iter().any(|(config, _)| {
        let mut found = false;
        config.walk(&mut |_, directive| {
            let prefix = directive.argument(0).unwrap_or_default();
            found |= directive.name.value == "location"
                && prefix.len() > 1
                && path.starts_with(prefix)
                && directive.children().iter().any(|child| child.name.value == "proxy_pass");
        });
        found
    });
    let end = url.len() - url.split_once("://")?.1.len() + rest.find('/')?;
    let start = url.len() - url.trim_start_matches('"').len();
    let origin = edits::part(facts, place, url.get(start..end)?)?;
    forwarded.then(|| edits::remove(origin))
}
