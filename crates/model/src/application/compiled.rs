//! Go and Rust source.

use plimsoll_syntax::source::{self, Dialect, Tokens};
use plimsoll_text::{Layer, Spanned};

use super::types::{
    BodyKind, EnvRead, Framework, Language, Listen, Phase, Presence, Route, Said, SchemaCreation,
};

/// Reads a file.
pub(super) fn read(layer: &Layer, dialect: Dialect) -> Said {
    let mut out = Said::default();
    let tokens = source::parse(layer, dialect);
    for at in 0..tokens.len() {
        match dialect {
            Dialect::Go => go(&tokens, at, &mut out),
            Dialect::Rust => rust(&tokens, at, &mut out),
            Dialect::JavaScript => {}
        }
    }
    out
}

fn spanned(tokens: &Tokens<'_>, at: usize) -> Option<Spanned<String>> {
    Some(Spanned::new(tokens.string(at)?.into_owned(), tokens.place(at..at + 1)))
}

fn env_read(name: String, language: Language, presence: Presence, place: plimsoll_text::Place) -> EnvRead {
    EnvRead { name, language, phase: Phase::Run, presence, settings_field: false, place }
}

/// Host and port of an address such as `:8080` or `0.0.0.0:80`.
fn address(text: &str) -> Option<(Option<String>, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.trim_matches(['[', ']']);
    Some(((!host.is_empty()).then(|| host.to_owned()), port.parse().ok()?))
}

fn go(tokens: &Tokens<'_>, at: usize, out: &mut Said) {
    if tokens.matches(at, &["os", ".", "Getenv", "("]) || tokens.matches(at, &["os", ".", "LookupEnv", "("]) {
        if let Some(name) = tokens.string(at + 4) {
            let place = tokens.place(at..at + 6);
            out.env_reads.push(env_read(name.into_owned(), Language::Go, Presence::Optional, place));
        }
        return;
    }
    if let Some(tag) = tokens.string(at).filter(|_| tokens.text(at).starts_with('`')) {
        out.env_reads.extend(tagged(&tag, tokens.place(at..at + 1)));
    }
    let Some(name) = tokens.name(at).filter(|_| tokens.is(at + 1, "(")) else { return };
    let argument = spanned(tokens, at + 2);
    let place = tokens.place(at..at + 1);
    match (name, argument) {
        ("ListenAndServe" | "ListenAndServeTLS" | "Listen" | "Run" | "Start", Some(text)) => {
            if let Some((host, port)) = address(&text.value) {
                let listen = Listen { port: Some(port), variable: None, host, language: Language::Go, place };
                out.listens.push(listen);
            }
        }
        (
            "HandleFunc" | "Handle" | "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "Get" | "Post",
            Some(text),
        ) => {
            // Since Go 1.22 a pattern may start with its method.
            let (method, path) = match text.value.split_once(' ') {
                Some((method, path)) => (Some(method.to_owned()), path.to_owned()),
                None if name.starts_with("Handle") => (None, text.value.clone()),
                None => (Some(name.to_ascii_uppercase()), text.value.clone()),
            };
            if path.starts_with('/') {
                out.routes.push(route(method, path, text.value, Framework::Go, place));
            }
        }
        ("AutoMigrate", _) => {
            let call = name.to_owned();
            out.schema_creations.push(SchemaCreation { call, destructive: false, place });
        }
        _ => {}
    }
}

fn route(
    method: Option<String>,
    path: String,
    written: String,
    framework: Framework,
    place: plimsoll_text::Place,
) -> Route {
    let (authentication, body, handler) = (None, BodyKind::Unknown, None);
    Route { method, path, written, framework, authentication, body, handler, place }
}

/// `env:"NAME,required" envDefault:"x"` and `envconfig:"NAME" default:"x" required:"true"`.
fn tagged(tag: &str, place: plimsoll_text::Place) -> Option<EnvRead> {
    let value = |key: &str| {
        let start = tag.find(&format!("{key}:\""))? + key.len() + 2;
        let rest = tag.get(start..)?;
        rest.get(..rest.find('"')?)
    };
    let written = value("env").or_else(|| value("envconfig"))?;
    let mut parts = written.split(',');
    let name = parts.next().filter(|name| !name.is_empty() && *name != "-")?.to_owned();
    let required =
        parts.any(|part| matches!(part, "required" | "notEmpty")) || value("required") == Some("true");
    let default = value("envDefault").or_else(|| value("env-default")).or_else(|| value("default"));
    let presence = match default {
        Some(default) => Presence::Default(Spanned::new(default.to_owned(), place)),
        None if required => Presence::Required,
        None => Presence::Optional,
    };
    Some(env_read(name, Language::Go, presence, place))
}

fn rust(tokens: &Tokens<'_>, at: usize, out: &mut Said) {
    let path = ["env", ":", ":", "var", "("];
    if tokens.matches(at, &path) || tokens.matches(at, &["env", ":", ":", "var_os", "("]) {
        let Some(name) = tokens.string(at + 5) else { return };
        let end = tokens.close(at + 4) + 1;
        let presence = if tokens.is(end, "?")
            || tokens.matches(end, &[".", "unwrap", "("])
            || tokens.matches(end, &[".", "expect", "("])
        {
            Presence::Required
        } else if tokens.is(end, ".")
            && tokens.name(end + 1).is_some_and(|name| name.starts_with("unwrap_or"))
        {
            let close = tokens.close(end + 2);
            let default = (end + 3..close).find_map(|index| spanned(tokens, index));
            default.map_or(Presence::Optional, Presence::Default)
        } else if tokens.matches(end, &[".", "context", "("]) || tokens.matches(end, &[".", "map_err", "("]) {
            Presence::Required
        } else {
            Presence::Optional
        };
        out.env_reads.push(env_read(name.into_owned(), Language::Rust, presence, tokens.place(at..end)));
        return;
    }
    if tokens.matches(at, &["env", "!", "("]) || tokens.matches(at, &["option_env", "!", "("]) {
        if let Some(name) = tokens.string(at + 3).filter(|name| !name.starts_with("CARGO_")) {
            let presence = if tokens.is(at, "env") { Presence::Required } else { Presence::Optional };
            let place = tokens.place(at..at + 5);
            let read = env_read(name.into_owned(), Language::Rust, presence, place);
            out.env_reads.push(EnvRead { phase: Phase::Build, ..read });
        }
        return;
    }
    // `#[arg(long, env = "NAME", default_value = "x")]` of clap.
    if tokens.matches(at, &["#", "[", "arg", "("]) || tokens.matches(at, &["#", "[", "clap", "("]) {
        let close = tokens.close(at + 3);
        let assigned = |name: &str| {
            let found = (at + 4..close).find(|index| tokens.matches(*index, &[name, "="]))?;
            spanned(tokens, found + 2)
        };
        if let Some(name) = assigned("env") {
            let presence = assigned("default_value").map_or(Presence::Optional, Presence::Default);
            out.env_reads.push(env_read(name.value, Language::Rust, presence, name.place));
        }
        return;
    }
    let method = tokens.name(at).filter(|_| tokens.is(at + 1, "("));
    match (method, spanned(tokens, at + 2)) {
        (Some("bind" | "bind_rustls"), Some(text)) => {
            if let Some((host, port)) = address(&text.value) {
                let place = tokens.place(at..at + 1);
                out.listens.push(Listen {
                    port: Some(port),
                    variable: None,
                    host,
                    language: Language::Rust,
                    place,
                });
            }
        }
        (Some("route"), Some(text)) if text.value.starts_with('/') && tokens.is(at.wrapping_sub(1), ".") => {
            let method = tokens.is(at + 3, ",").then(|| tokens.name(at + 4)).flatten();
            let known =
                method.filter(|method| matches!(*method, "get" | "post" | "put" | "patch" | "delete"));
            let place = tokens.place(at..at + 3);
            let method = known.map(str::to_ascii_uppercase);
            out.routes.push(route(method, text.value.clone(), text.value, Framework::Rust, place));
        }
        _ => {}
    }
}
