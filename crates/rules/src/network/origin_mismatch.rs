//! What browsers tie to the origin of a page, where the origin is another one.

use plimsoll_model::application::{Language, Project};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Place, SourceFile, Span};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "NET-014",
    name: "origin-mismatch",
    title: "Cookies, logins or client addresses do not fit the way requests come in",
    theme: Theme::Network,
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference {
            title: "MDN, Set-Cookie, Secure",
            url: "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie",
        },
        Reference {
            title: "Express, Express behind proxies",
            url: "https://expressjs.com/en/guide/behind-proxies.html",
        },
        Reference { title: "W3C, Secure Contexts", url: "https://www.w3.org/TR/secure-contexts/" },
    ],
    doc: include_str!("origin_mismatch.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    insecure_cookies(facts, findings);
    unknown_clients(facts, findings);
    login_over_http(facts, findings);
    inner_scheme(facts, findings);
}

fn at(file: FileId, start: usize, length: usize) -> Place {
    let to_u32 = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Place::new(file, Span::new(to_u32(start), to_u32(start + length)))
}

fn sources(facts: &Facts, kind: Kind) -> impl Iterator<Item = (FileId, &SourceFile)> {
    facts.files.iter().filter(move |(id, _)| facts.trees.kind(*id) == kind && !facts.is_development(*id))
}

/// A session cookie that is sent without encryption, by a fixed setting.
fn insecure_cookies(facts: &Facts, findings: &mut Findings<'_>) {
    for (id, file) in sources(facts, Kind::JavaScript).filter(|(_, file)| file.holds("secure: false")) {
        let text = file.text();
        for (start, _) in text.match_indices("cookie: {") {
            let rest = text.get(start..).unwrap_or_default();
            let body = rest.split('}').next().unwrap_or_default();
            if let Some(offset) = body.find("secure: false") {
                findings
                    .add(at(id, start + offset, "secure: false".len()), "the session cookie also travels without encryption")
                    .severity(Severity::High)
                    .note("whoever sees one plain request on the way is logged in as its sender")
                    .help("write `secure: 'auto'` and tell the framework about the proxy, or take it from a setting");
            }
        }
    }
    for (id, file) in sources(facts, Kind::Python).filter(|(_, file)| file.holds("COOKIE_SECURE")) {
        let text = file.text();
        for key in
            ["SESSION_COOKIE_SECURE = False", "CSRF_COOKIE_SECURE = False", "SESSION_COOKIE_SECURE=False"]
        {
            let fixed = text.find(key).filter(|start| {
                let line = file.line_text(file.line_of(u32::try_from(*start).unwrap_or(0)));
                !line.trim_start().starts_with('#') && !line.contains("if ")
            });
            let is_base = !text.contains("SESSION_COOKIE_SECURE = True");
            if let Some(start) = fixed.filter(|_| is_base) {
                findings
                    .add(at(id, start, key.len()), "the session cookie also travels without encryption")
                    .severity(Severity::High)
                    .help("set it to `True` where the application is deployed");
            }
        }
    }
}

/// A limit for each client in a program behind a proxy that does not believe the proxy.
fn unknown_clients(facts: &Facts, findings: &mut Findings<'_>) {
    let forwarded = facts.trees.nginx.values().find_map(|config| {
        let mut place = None;
        config.walk(&mut |_, directive| {
            if directive.name.value == "proxy_pass" {
                place = place.or(Some(directive.place));
            }
        });
        place
    });
    let Some(forwarded) = forwarded else { return };
    for project in facts.application.projects.iter().filter(|project| limits_clients(project)) {
        let own =
            || sources(facts, Kind::JavaScript).filter(|(_, file)| file.path().starts_with(&project.folder));
        let trusts = own().any(|(_, file)| file.holds("trust proxy") || file.holds("trustProxy"));
        let limit = own().find_map(|(id, file)| {
            let start = file.text().find("rateLimit({")?;
            Some(at(id, start, "rateLimit".len()))
        });
        if let Some(limit) = limit.filter(|_| !trusts) {
            findings
                .add(limit, "the limit counts all visitors as one: behind the proxy they share its address")
                .related(forwarded, "requests come from here")
                .note("one visitor in a hurry locks out everybody")
                .help("tell the framework how many proxies stand in front: `app.set('trust proxy', 1)`");
        }
    }
}

fn limits_clients(project: &Project) -> bool {
    project.language == Language::JavaScript
        && project.dependencies.iter().any(|own| own.value == "express-rate-limit")
        && project.dependencies.iter().any(|own| own.value == "express")
}

/// Addresses to which a login sends its codes, without encryption and not on the visitor's own machine.
fn login_over_http(facts: &Facts, findings: &mut Findings<'_>) {
    let mut places: Vec<(Place, String)> = Vec::new();
    for service in facts.stacks.deployed_services().map(|(_, service)| service) {
        for entry in service.environment.values() {
            let Some(value) = &entry.value else { continue };
            if is_callback(&entry.key, value) {
                places.push((entry.place, entry.key.clone()));
            }
        }
    }
    for command in facts.commands.iter() {
        let Some(heredoc) = &command.heredoc else { continue };
        let to_env = command.outputs.iter().any(|output| output.target.text.contains(".env"));
        if !to_env || facts.commands.unit(command.unit).origin.is_documentation() {
            continue;
        }
        let mut start = 0;
        for line in heredoc.body.text().split_inclusive('\n') {
            let length = line.trim_end().len();
            if let Some((key, value)) = line.trim_end().split_once('=')
                && is_callback(key, value)
            {
                let place = heredoc.body.place(start..start + length);
                places.push((place, key.to_owned()));
            }
            start += line.len();
        }
    }
    places.sort();
    places.dedup();
    let Some(((place, key), rest)) = places.split_first() else { return };
    let finding = findings.add(*place, format!("`{key}` sends logins back without encryption"));
    for (place, key) in rest {
        finding.related(*place, format!("`{key}`, too"));
    }
    finding
            .note("the code of the login and the session that it opens can be read on the way; providers refuse such addresses or will")
            .help("put TLS in front and use `https://`");
}

fn is_callback(key: &str, value: &str) -> bool {
    let key = key.trim();
    let named =
        ["REDIRECT_URI", "REDIRECT_URL", "CALLBACK_URL", "CALLBACK_URI", "WEBAUTHN_ORIGIN", "RP_ORIGIN"]
            .iter()
            .any(|end| key.ends_with(end));
    let host = value.trim_matches(['"', '\'']).strip_prefix("http://").unwrap_or_default();
    named
        && !host.is_empty()
        && !["localhost", "127.", "[::1]", "YOUR", "your", "example"].iter().any(|own| host.starts_with(own))
}

/// `X-Forwarded-Proto $scheme` in an inner proxy: behind another that ends TLS it always says `http`.
fn inner_scheme(facts: &Facts, findings: &mut Findings<'_>) {
    let needs = facts
        .application
        .projects
        .iter()
        .any(|project| project.dependencies.iter().any(|own| own.value == "flask"));
    let tunnel = facts
        .stacks
        .deployed_services()
        .map(|(_, service)| service)
        .find(|service| service.name.contains("cloudflared") || service.name.contains("tunnel"));
    let Some(tunnel) =
        tunnel.filter(|_| needs && !facts.files.iter().any(|(_, file)| file.holds("ProxyFix")))
    else {
        return;
    };
    for config in facts.trees.nginx.values() {
        let mut place = None;
        config.walk(&mut |_, directive| {
            let is_scheme = directive.name.value == "proxy_set_header"
                && directive.argument(0) == Some("X-Forwarded-Proto")
                && directive.argument(1) == Some("$scheme");
            if is_scheme {
                place = place.or(Some(directive.place));
            }
        });
        if let Some(place) = place {
            findings
                .add(place, "the application is told `http` for every request")
                .severity(Severity::Low)
                .related(tunnel.place, "TLS ends in front of this proxy")
                .help(
                    "pass on what came in: `$http_x_forwarded_proto`, and use `ProxyFix` in the application",
                );
        }
    }
}
