//! Routes for developers, in reach of everybody.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use plimsoll_model::Facts;
use plimsoll_model::application::{Framework, Route};
use plimsoll_model::compose::{Port, Service};
use plimsoll_model::services::{context, published_everywhere};
use plimsoll_text::FileId;

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-008",
    name: "reachable-debug-route",
    title: "Route that asks for no login is published",
    theme: Theme::Network,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "OWASP API Security Top 10, API8:2023 Security Misconfiguration",
        url: "https://owasp.org/API-Security/editions/2023/en/0xa8-security-misconfiguration/",
    }],
    doc: include_str!("reachable_debug_route.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let published = published(facts);
    let port_of = |file: FileId| {
        let path = facts.path(file);
        let inside =
            published.iter().filter(|(folder, ..)| folder.as_str().is_empty() || path.starts_with(folder));
        inside.max_by_key(|(folder, ..)| folder.as_str().len()).map(|(_, service, port)| (*service, *port))
    };
    let mut debug: BTreeMap<FileId, Vec<&Route>> = BTreeMap::new();
    for route in &facts.application.routes {
        if route.authentication.is_none()
            && is_for_developers(&route.path)
            && !facts.is_development(route.place.file)
        {
            debug.entry(route.place.file).or_default().push(route);
        }
    }
    for (file, routes) in debug {
        let Some((service, port)) = port_of(file) else { continue };
        let mut rest = routes.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings
            .add(first.place, format!("`{}` answers anybody who reaches `{}`", first.path, service.name));
        finding.label("nothing here asks who calls").related(port.place, "published here");
        for route in rest {
            finding.related(route.place, format!("`{}` as well", route.path));
        }
        finding.help("leave the routes out unless a setting asks for them, and require a login");
    }
    for docs in &facts.application.api_docs {
        let Some((service, port)) = port_of(docs.place.file).filter(|_| !docs.conditional) else { continue };
        let finding = findings.add(
            docs.place,
            format!("the interactive documentation `{}` of `{}` is published", docs.path, service.name),
        );
        finding
            .severity(Severity::Low)
            .related(port.place, "published here")
            .note("it lists every route with its parameters and calls them with one click")
            .help("switch it off in production with a setting");
    }
    unguarded(facts, &published, findings);
    public_buckets(facts, findings);
    proxied(facts, findings);
}

/// Services that are built from the repository and published, with their folder.
fn published(facts: &Facts) -> Vec<(Utf8PathBuf, &Service, &Port)> {
    facts
        .stacks
        .deployed_services()
        .filter_map(|(_, service)| Some((context(service)?, service, published_everywhere(service).next()?)))
        .collect()
}

/// Buckets that anybody may read.
fn public_buckets(facts: &Facts, findings: &mut Findings<'_>) {
    let mut opened = facts.commands.iter().filter_map(|command| {
        let mut words = command.operands().map(|arg| arg.value.text.as_str());
        let sets = matches!((words.next(), words.next()), (Some("anonymous" | "policy"), Some("set")));
        let how = words.next().filter(|how| matches!(*how, "public" | "download" | "upload"))?;
        let runs = command.program == "mc" && !facts.commands.is_only_read(command.unit);
        (sets && runs).then_some((command.place, how))
    });
    let Some((place, how)) = opened.next() else { return };
    let finding = findings.add(place, format!("the bucket is opened to everybody (`{how}`)"));
    for (other, _) in opened {
        finding.related(other, "opened here, too");
    }
    finding
        .severity(Severity::Medium)
        .note("whoever knows or guesses a name gets the file, without a login and without a trace of who")
        .help("keep the bucket closed and hand out links that expire");
}

/// A proxy that forwards a path for developers.
fn proxied(facts: &Facts, findings: &mut Findings<'_>) {
    for (file, config) in &facts.trees.nginx {
        if facts.is_development(*file) {
            continue;
        }
        config.walk(&mut |_, directive| {
            let path = directive.arguments.last().map_or("", |path| path.value.as_str());
            let is_open = directive.all("proxy_pass").next().is_some()
                && ["allow", "deny", "auth_basic", "auth_request", "internal"]
                    .iter()
                    .all(|name| directive.all(name).next().is_none());
            if directive.name.value != "location" || !is_open || !is_for_developers(path) {
                return;
            }
            let written = path.trim_matches('/');
            let place = directive.arguments.last().map_or(directive.place, |path| path.place);
            let finding =
                findings.add(place, format!("`{path}` is forwarded to the application for everybody"));
            finding.severity(Severity::Medium);
            let route = facts
                .application
                .routes
                .iter()
                .find(|route| route.path.trim_matches('/').starts_with(written));
            if let Some(route) = route {
                finding.related(route.place, "what answers there");
            }
            finding.help("take the block out of the configuration for production");
        });
    }
}

fn is_for_developers(path: &str) -> bool {
    path.split('/').any(|part| {
        matches!(part, "debug" | "_debug" | "dev" | "internal" | "actuator" | "phpinfo" | "env" | "_dev")
    })
}

/// An API that changes data and never asks who calls.
fn unguarded(facts: &Facts, published: &[(Utf8PathBuf, &Service, &Port)], findings: &mut Findings<'_>) {
    for (folder, service, port) in published {
        let own =
            |route: &&Route| folder.as_str().is_empty() || facts.path(route.place.file).starts_with(folder);
        let routes: Vec<&Route> = facts
            .application
            .routes
            .iter()
            .filter(|route| route.framework == Framework::FastApi)
            .filter(own)
            .collect();
        let changing = routes
            .iter()
            .find(|route| matches!(route.method.as_deref(), Some("POST" | "PUT" | "PATCH" | "DELETE")));
        if routes.len() < 5 || routes.iter().any(|route| route.authentication.is_some()) {
            continue;
        }
        let Some(changing) = changing else { continue };
        findings
            .add(port.place, format!("`{}` is published and no route of it asks who calls", service.name))
            .related(changing.place, "this changes data for anybody")
            .help("require a login for all routes, or keep the port off the network");
    }
}
