//! A proxy or port mapping that leads nowhere.

use plimsoll_model::compose::{EnvEntry, Service};
use plimsoll_model::images::{Image, Stage};
use plimsoll_model::services::{built, nginx_configs};
use plimsoll_model::{Facts, Stack};
use plimsoll_text::Place;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-013",
    name: "route-to-nowhere",
    title: "Proxy or port leads to where nothing answers",
    theme: Theme::Network,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Suggest,
    references: &[Reference {
        title: "nginx, Module ngx_http_proxy_module",
        url: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html",
    }],
    doc: include_str!("route_to_nowhere.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for stack in facts.stacks.deployed() {
        for service in stack.services() {
            let Some((image, stage)) = built(facts, service) else { continue };
            closed_port(facts, service, stage, findings);
            swallowed(facts, stack, service, image, stage, findings);
            wrong_target(facts, stack, image, stage, findings);
        }
    }
}

/// A mapping to a port that the image does not open.
fn closed_port(facts: &Facts, service: &Service, stage: &Stage, findings: &mut Findings<'_>) {
    let Some(open) = opened(facts, service, stage) else { return };
    let mut wrong = service
        .ports
        .iter()
        .filter(|port| port.protocol == "tcp" && !open.iter().any(|(own, _)| *own == port.target));
    let Some(port) = wrong.next() else { return };
    let Some((own, place)) = open.first() else { return };
    findings
        .add(
            port.place,
            format!(
                "`{}` is published on container port {}, where its image does not listen",
                service.name, port.target
            ),
        )
        .related(*place, format!("it listens on {own}"))
        .help(format!("map to `{own}`"));
}

/// The ports that an image opens, when its text tells: `EXPOSE`, and the port that its command names.
fn opened(facts: &Facts, service: &Service, stage: &Stage) -> Option<Vec<(u16, Place)>> {
    let moved = |entry: &EnvEntry| entry.key.ends_with("PORT");
    if stage.exposed.is_empty()
        || service.environment.values().any(moved)
        || service.command.is_some()
        || service.entrypoint.is_some()
    {
        return None;
    }
    let mut open: Vec<(u16, Place)> = stage.exposed.iter().map(|port| (port.value, port.place)).collect();
    for line in stage.cmd.iter().chain(&stage.entrypoint) {
        for word in &line.words {
            let digits = word.value.rsplit([':', '=']).next().unwrap_or_default();
            if let Ok(port) = digits.parse::<u16>() {
                open.push((port, word.place));
            }
        }
    }
    for listen in &facts.application.listens {
        open.extend(listen.port.map(|port| (port, listen.place)));
    }
    Some(open)
}

/// A web server that answers every path with the start page while an API stands behind it.
fn swallowed(
    facts: &Facts,
    stack: &Stack,
    service: &Service,
    image: &Image,
    stage: &Stage,
    findings: &mut Findings<'_>,
) {
    let api = service.depends_on.keys().find_map(|name| {
        let other = stack.services().find(|other| other.name == *name && other.build.is_some())?;
        let has_api =
            facts.application.routes.is_empty() || !other.ports.is_empty() || !other.expose.is_empty();
        has_api.then_some(other)
    });
    let Some(api) = api else { return };
    let mut fallback = None;
    for (config, _) in nginx_configs(facts, image, stage) {
        let mut forwards = false;
        config.walk(&mut |around, directive| {
            let name = directive.name.value.as_str();
            forwards |=
                matches!(name, "proxy_pass" | "fastcgi_pass" | "uwsgi_pass" | "grpc_pass" | "include");
            if name == "try_files"
                && directive.arguments.iter().any(|argument| argument.value.ends_with("/index.html"))
            {
                let block = around.last().map_or(directive.place, |block| block.place);
                fallback = fallback.or(Some((directive.place, block)));
            }
        });
        if forwards {
            return;
        }
    }
    let Some((place, block)) = fallback else { return };
    findings
        .add(place, format!("`{}` answers every path with its start page and forwards nothing to `{}`", service.name, api.name))
        .label("a call to the API gets HTML here")
        .related(api.place, "the API that the pages need")
        .note("browsers must call another port or host, which needs cross-origin rules, a published port and an address that is known at build time")
        .help(format!("add a `location` for the API's paths with `proxy_pass http://{}:PORT;`", api.name))
        .fix(edits::review("forward the API's paths", forward(facts, api, block)));
}

/// `proxy_pass` to a service on a port that its image does not open.
fn wrong_target(facts: &Facts, stack: &Stack, image: &Image, stage: &Stage, findings: &mut Findings<'_>) {
    for (config, _) in nginx_configs(facts, image, stage) {
        config.walk(&mut |_, directive| {
            if directive.name.value != "proxy_pass" {
                return;
            }
            let target = directive
                .argument(0)
                .and_then(|target| target.split_once("//"))
                .and_then(|(_, rest)| rest.split('/').next());
            let Some((host, port)) = target.and_then(|target| target.split_once(':')) else { return };
            let (Ok(port), Some(other)) =
                (port.parse::<u16>(), stack.services().find(|other| other.name == host))
            else {
                return;
            };
            let open = built(facts, other).and_then(|(_, stage)| opened(facts, other, stage));
            let Some(open) = open.filter(|open| !open.iter().any(|(own, _)| *own == port)) else { return };
            let finding = findings.add(
                directive.place,
                format!("this forwards to port {port} of `{host}`, where nothing listens"),
            );
            finding.severity(Severity::Critical);
            if let Some((own, place)) = open.first() {
                finding
                    .related(*place, format!("it listens on {own}"))
                    .help(format!("forward to `{host}:{own}`"));
            }
        });
    }
}

/// A `location` for the paths of the API in front of the one that answers everything.
fn forward(facts: &Facts, api: &Service, block: Place) -> Option<Vec<plimsoll_text::Edit>> {
    let routes = &facts.application.routes;
    let prefix = routes.iter().any(|route| route.path.starts_with("/api/")).then_some("/api/")?;
    let port = api.ports.first()?.target;
    let text = facts.text(block);
    // Inside a heredoc that the shell expands, the sign of nginx's variables is escaped, as around it.
    let around = facts.files.get(block.file).text();
    let sign = if around.contains("\\$uri") || around.contains("\\$host") { "\\$" } else { "$" };
    let lines = format!(
        "location {prefix} {{\n    proxy_pass http://{}:{port};\n    proxy_set_header Host {sign}host;\n    proxy_set_header X-Forwarded-For {sign}proxy_add_x_forwarded_for;\n}}\n\n",
        api.name
    );
    (text.starts_with("location") && edits::line_head(facts, block).trim().is_empty())
        .then(|| vec![edits::above_comments(facts, block, &lines)])
}
