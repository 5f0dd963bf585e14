//! Security headers that do not reach the browser.

use plimsoll_model::Facts;
use plimsoll_model::services::nginx_configs;
use plimsoll_syntax::nginx::{Config, Directive};
use plimsoll_text::Place;

use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "CMP-013",
    name: "lost-security-headers",
    title: "Security headers do not reach the browser",
    theme: Theme::ComposeHardening,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[
        Reference {
            title: "nginx, Module ngx_http_headers_module, add_header",
            url: "https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header",
        },
        Reference {
            title: "OWASP, HTTP Security Response Headers Cheat Sheet",
            url: "https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html",
        },
    ],
    doc: include_str!("lost_security_headers.md"),
    check,
};

const HEADERS: &[&str] = &[
    "x-frame-options",
    "x-content-type-options",
    "content-security-policy",
    "strict-transport-security",
    "referrer-policy",
    "permissions-policy",
    "x-xss-protection",
];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for config in configs(facts) {
        shadowed(facts, &config, findings);
        weak_policy(&config, findings);
    }
    switched_off(facts, findings);
}

/// Configurations of their own, and those that Dockerfiles and scripts write in place.
fn configs(facts: &Facts) -> Vec<Config> {
    let own = facts.trees.nginx.iter().filter(|(file, _)| !facts.is_development(**file));
    let mut all: Vec<Config> = own.map(|(_, config)| Config::clone(config)).collect();
    for image in facts.images.iter().filter(|image| !facts.is_development(image.file)) {
        let Some(stage) = image.stages.last() else { continue };
        for (config, copy) in nginx_configs(facts, image, stage) {
            let written_here = config.directives.first().is_some_and(|first| first.place.file == copy.file);
            if written_here {
                all.push(config);
            }
        }
    }
    for command in facts.commands.iter() {
        let Some(heredoc) = &command.heredoc else { continue };
        let targets = command.outputs.iter().map(|output| &output.target);
        let to_nginx = targets
            .chain(command.args.iter().map(|arg| &arg.value))
            .any(|target| target.text.contains("nginx") && !target.text.contains('\n'));
        if to_nginx && matches!(command.program.as_str(), "cat" | "tee") {
            all.push(plimsoll_syntax::nginx::parse(&heredoc.body));
        }
    }
    all
}

fn header(directive: &Directive) -> Option<String> {
    (directive.name.value == "add_header")
        .then(|| directive.argument(0).unwrap_or_default().to_ascii_lowercase())
}

/// `add_header` in a block drops all those of the blocks around it.
fn shadowed(facts: &Facts, config: &Config, findings: &mut Findings<'_>) {
    let mut lost: Vec<(Place, Vec<String>)> = Vec::new();
    let mut source: Option<Place> = None;
    let mut edits = Vec::new();
    config.walk(&mut |around, directive| {
        if !matches!(directive.name.value.as_str(), "location" | "server" | "if") {
            return;
        }
        let own: Vec<String> = directive.children().iter().filter_map(header).collect();
        let first = directive.children().iter().find(|child| header(child).is_some());
        let includes = directive.all("include").next().is_some();
        let (Some(first), false) = (first, includes) else { return };
        let outer =
            around.iter().rev().find(|block| block.children().iter().any(|child| header(child).is_some()));
        let Some(outer) = outer else { return };
        let mut missing: Vec<String> = Vec::new();
        let mut lines: Vec<&str> = Vec::new();
        for child in outer.children() {
            let Some(name) = header(child) else { continue };
            if HEADERS.contains(&name.as_str()) && !own.contains(&name) {
                source = source.or(Some(child.place));
                lines.push(facts.text(child.place));
                missing.push(child.argument(0).unwrap_or_default().to_owned());
            }
        }
        if !missing.is_empty() {
            edits.push(repeat(facts, first.place, &lines));
            lost.push((first.place, missing));
        }
    });
    let Some(((place, missing), rest)) = lost.split_first() else { return };
    let names = missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let finding = findings.add(*place, format!("answers of this block go out without {names}"));
    finding.label("one `add_header` here, and those from outside are gone");
    for (place, _) in rest {
        finding.related(*place, "the same in this block");
    }
    if let Some(source) = source {
        finding.related(source, "set for the whole server here");
    }
    finding
        .help("repeat them in each such block, by an `include` of a file that holds them")
        .fix(edits::safe("repeat the headers in each block", edits.into_iter().collect()));
}

/// A policy that allows what it is there to forbid, or names hosts that no browser reaches.
fn weak_policy(config: &Config, findings: &mut Findings<'_>) {
    config.walk(&mut |_, directive| {
        let is_policy = header(directive).is_some_and(|name| name == "content-security-policy");
        let Some(policy) = directive.argument(1).filter(|_| is_policy) else { return };
        let script = policy
            .split(';')
            .find(|part| part.trim_start().starts_with("script-src "))
            .or_else(|| policy.split(';').find(|part| part.trim_start().starts_with("default-src ")));
        let evaluates = script.is_some_and(|part| part.contains("'unsafe-eval'"));
        let internal = policy
            .split([' ', ';'])
            .find(|word| word.contains("://localhost") || word.contains("://127.0.0.1"));
        if evaluates || internal.is_some() {
            let finding = findings.add(directive.place, "the content security policy is one for development");
            if evaluates {
                finding.label("`'unsafe-eval'` lets scripts run text as code");
            } else if let Some(word) = internal {
                finding.label(format!("`{word}` is the visitor's own machine"));
            }
            finding.help("list what the built pages load and call, nothing else");
        }
    });
}

/// Helmet without its policy, in a program that also serves the pages.
fn switched_off(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, file) in facts.files.iter() {
        let text = file.text();
        if facts.trees.kind(id) != plimsoll_model::Kind::JavaScript
            || facts.is_development(id)
            || !text.contains("helmet(")
            || !text.contains("express.static")
        {
            continue;
        }
        let Some(at) = text.find("contentSecurityPolicy: false") else { continue };
        let to_u32 = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = plimsoll_text::Span::new(to_u32(at), to_u32(at + "contentSecurityPolicy: false".len()));
        let finding = findings.add(Place::new(id, span), "the content security policy is switched off");
        if let Some(at) = text.find("express.static") {
            let span = plimsoll_text::Span::new(to_u32(at), to_u32(at + "express.static".len()));
            finding.related(Place::new(id, span), "this program serves the pages, too");
        }
        finding.help("give `helmet` a policy that lists what the pages load");
    }
}

/// The directives from outside in front of the block's own first one.
fn repeat(facts: &Facts, place: Place, lines: &[&str]) -> Option<plimsoll_text::Edit> {
    let alone =
        edits::line_head(facts, place).trim().is_empty() && !lines.iter().any(|line| line.contains('\n'));
    alone.then(|| edits::lines_before(facts, place, &lines.join("\n")))
}
