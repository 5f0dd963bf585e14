//! JavaScript and TypeScript source.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use camino::Utf8Path;
use memchr::memmem;
use plimsoll_syntax::source::{self, Dialect, TokenKind, Tokens};
use plimsoll_text::{Layer, Phrases, SourceFile, Spanned};

use super::javascript_env;
use super::types::{BodyKind, Cors, Framework, Language, Listen, Presence, Route, Said, SchemaCreation};

/// Words one of which every file of interest holds.
static SIGNS: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::exact(&[
        "process.env",
        "meta.env",
        "Deno.env",
        "Bun.",
        "listen(",
        "cors",
        "express",
        "fastify",
        "hono",
        "synchronize",
        ".sync(",
        "Access-Control",
        "z.object",
    ])
});

/// Whether a file may say something of interest.
pub(super) fn is_worth_reading(file: &SourceFile) -> bool {
    SIGNS.are_in(file)
}

/// Reads a file.
pub(super) fn read(layer: &Layer, path: &Utf8Path) -> Said {
    let mut out = Said::default();
    let tokens = source::parse(layer, Dialect::JavaScript);
    let says = |sign: &str| memmem::find(layer.text().as_bytes(), sign.as_bytes()).is_some();
    javascript_env::reads(&tokens, says("process.env") || says("createEnv"), &mut out.env_reads);
    javascript_env::refused(&tokens, &mut out.refused);
    let name = path.file_name().unwrap_or_default();
    let is_configuration = name.contains(".config.");
    let server =
        ["express", "fastify", "hono", "koa", "http", "https", "node:http", "restify", "polka", "elysia"];
    let is_server = (0..tokens.len()).any(|at| {
        let imported = tokens.is(at, "from") || tokens.matches(at.wrapping_sub(1), &["require", "("]);
        imported && tokens.string(at + 1).is_some_and(|module| server.contains(&module.as_ref()))
    });
    let reader = Reader { tokens: &tokens, constants: constants(&tokens) };
    for at in 0..tokens.len() {
        if !is_configuration {
            reader.cors(at, &mut out);
            reader.schema(at, &mut out);
        }
        reader.listen(at, is_server, &mut out);
        if is_server {
            reader.route(at, &mut out);
        }
    }
    out
}

struct Reader<'b, 'a> {
    tokens: &'b Tokens<'a>,
    /// `const name = …`: the tokens of the value.
    constants: BTreeMap<&'a str, Range<usize>>,
}

/// The values of constants, up to the end of the statement as far as it is short.
fn constants<'a>(tokens: &Tokens<'a>) -> BTreeMap<&'a str, Range<usize>> {
    let mut out = BTreeMap::new();
    for at in 0..tokens.len() {
        if !matches!(tokens.text(at), "const" | "let" | "var") || !tokens.is(at + 2, "=") {
            continue;
        }
        let Some(name) = tokens.name(at + 1) else { continue };
        let depth = tokens.get(at).map_or(0, |token| token.depth);
        let end = (at + 3..(at + 60).min(tokens.len())).find(|index| {
            tokens.get(*index).is_some_and(|token| token.depth == depth)
                && matches!(
                    tokens.text(*index),
                    ";" | "const" | "let" | "var" | "app" | "function" | "export" | "import"
                )
                && *index > at + 3
        });
        out.entry(name).or_insert(at + 3..end.unwrap_or((at + 60).min(tokens.len())));
    }
    out
}

impl<'a> Reader<'_, 'a> {
    fn resolved(&self, range: Range<usize>) -> Range<usize> {
        match (range.len(), self.tokens.name(range.start)) {
            (1, Some(name)) => self.constants.get(name).cloned().unwrap_or(range),
            _ => range,
        }
    }

    /// All strings of a list, or of one string; nothing when there is anything else.
    fn strings(&self, range: Range<usize>) -> Option<Vec<Spanned<String>>> {
        let one = |at: usize| {
            Some(Spanned::new(self.tokens.string(at)?.into_owned(), self.tokens.place(at..at + 1)))
        };
        if self.tokens.is(range.start, "[") {
            let items = self.tokens.arguments(range.start);
            return items
                .into_iter()
                .map(|item| if item.len() == 1 { one(item.start) } else { None })
                .collect();
        }
        if range.len() == 1 { Some(vec![one(range.start)?]) } else { None }
    }

    fn cors(&self, at: usize, out: &mut Said) {
        let tokens = self.tokens;
        let header =
            tokens.string(at).is_some_and(|text| text.eq_ignore_ascii_case("access-control-allow-origin"));
        if header && (tokens.is(at + 1, ",") || tokens.is(at + 1, ":")) {
            if let Some(origin) = tokens.string(at + 2) {
                let place = tokens.place(at + 2..at + 3);
                let origins = vec![Spanned::new(origin.into_owned(), place)];
                out.cors.push(Cors { origins, configured: false, credentials: None, place });
            }
            return;
        }
        let call = matches!(tokens.text(at), "cors" | "enableCors") && tokens.is(at + 1, "(");
        if !call || tokens.is(at.wrapping_sub(1), "function") {
            return;
        }
        let arguments = tokens.arguments(at + 1);
        let place = tokens.place(at..at + 1);
        let every = vec![Spanned::new("*".to_owned(), place)];
        let open = arguments.first().map(|first| self.resolved(first.clone()).start);
        let Some(open) = open.filter(|open| tokens.is(*open, "{")) else {
            // Without options every origin is allowed; options that are not seen may say anything.
            let configured = !arguments.is_empty();
            let origins = if configured { Vec::new() } else { every };
            out.cors.push(Cors { origins, configured, credentials: None, place });
            return;
        };
        let credentials = tokens.property(open, "credentials").map(|value| tokens.is(value.start, "true"));
        let Some(origin) = tokens.property(open, "origin") else {
            out.cors.push(Cors { origins: every, configured: false, credentials, place });
            return;
        };
        let value = self.resolved(origin.clone());
        let reflects = value.len() == 1 && tokens.is(value.start, "true");
        let literals = if reflects { Some(every) } else { self.strings(value) };
        out.cors.push(Cors {
            configured: literals.is_none(),
            origins: literals.unwrap_or_default(),
            credentials,
            place: tokens.place(origin),
        });
    }

    fn schema(&self, at: usize, out: &mut Said) {
        let tokens = self.tokens;
        if tokens.matches(at, &["synchronize", ":", "true"]) {
            let call = "synchronize: true".to_owned();
            out.schema_creations.push(SchemaCreation {
                call,
                destructive: false,
                place: tokens.place(at..at + 3),
            });
        }
        let database = matches!(tokens.text(at), "sequelize" | "db" | "database" | "connection");
        let at = if database && tokens.matches(at + 1, &[".", "sequelize"]) { at + 2 } else { at };
        if database && tokens.matches(at + 1, &[".", "sync", "("]) {
            let destructive =
                tokens.property(at + 4, "force").is_some_and(|value| tokens.is(value.start, "true"));
            let call = if destructive { "sync({ force: true })" } else { "sync()" }.to_owned();
            out.schema_creations.push(SchemaCreation { call, destructive, place: tokens.place(at..at + 3) });
        }
    }

    /// A port and the variable that it comes from.
    fn port(&self, range: Range<usize>) -> (Option<u16>, Option<String>) {
        let range = self.resolved(range);
        let mut reads = Vec::new();
        javascript_env::reads_in(self.tokens, range.clone(), &mut reads);
        let number = |at: usize| {
            self.tokens.get(at).filter(|token| token.kind == TokenKind::Number)?;
            self.tokens.text(at).parse().ok()
        };
        match reads.into_iter().next() {
            Some(read) => {
                let default = match read.presence {
                    Presence::Default(value) => value.value.parse().ok(),
                    Presence::Required | Presence::Optional => range.clone().rev().find_map(number),
                };
                (default, Some(read.name))
            }
            None => (if range.len() == 1 { number(range.start) } else { None }, None),
        }
    }

    /// `.listen(port)`, and `serve({ port })` in a file that imports a server.
    fn listen(&self, at: usize, is_server: bool, out: &mut Said) {
        let tokens = self.tokens;
        let listen = tokens.matches(at, &[".", "listen", "("]);
        let serve = is_server && tokens.matches(at, &["serve", "("]);
        if !listen && !serve {
            return;
        }
        let arguments = tokens.arguments(at + if listen { 2 } else { 1 });
        let Some(first) = arguments.first() else { return };
        let object = arguments.iter().find(|argument| tokens.is(argument.start, "{"));
        let (port, host) = match object {
            Some(object) if serve || tokens.is(first.start, "{") => {
                let port = tokens.property(object.start, "port");
                let host = tokens
                    .property(object.start, "host")
                    .or_else(|| tokens.property(object.start, "hostname"));
                (port, host.and_then(|host| tokens.string(host.start)))
            }
            _ if listen => {
                let host = arguments.get(1).and_then(|host| tokens.string(host.start));
                (Some(first.clone()), host)
            }
            _ => return,
        };
        let (port, variable) = port.map_or((None, None), |port| self.port(port));
        if port.is_none() && variable.is_none() {
            return;
        }
        out.listens.push(Listen {
            port,
            variable,
            host: host.map(std::borrow::Cow::into_owned),
            language: Language::JavaScript,
            place: tokens.place(at..at + if listen { 3 } else { 1 }),
        });
    }

    /// `app.get("/path", …)` and relatives.
    fn route(&self, at: usize, out: &mut Said) {
        let tokens = self.tokens;
        let Some(base) = tokens.name(at) else { return };
        let lower = base.to_ascii_lowercase();
        let is_router = ["app", "router", "server", "fastify", "api"].iter().any(|name| lower == *name)
            || lower.ends_with("router")
            || lower.ends_with("routes");
        if !is_router || !tokens.is(at + 1, ".") || !tokens.is(at + 3, "(") {
            return;
        }
        let method = tokens.text(at + 2);
        if !matches!(method, "get" | "post" | "put" | "patch" | "delete" | "all" | "head" | "options") {
            return;
        }
        let arguments = tokens.arguments(at + 3);
        let [first, between @ .., last] = arguments.as_slice() else { return };
        let Some(path) =
            tokens.string(first.start).filter(|path| path.starts_with('/') || path.as_ref() == "*")
        else {
            return;
        };
        let authentication =
            between.iter().find(|range| (*range).clone().any(|at| authenticates(tokens.text(at))));
        out.routes.push(Route {
            method: (method != "all").then(|| method.to_ascii_uppercase()),
            path: path.clone().into_owned(),
            written: path.into_owned(),
            framework: Framework::Express,
            authentication: authentication.map(|range| tokens.place(range.clone())),
            body: self.body(last.clone()),
            handler: (last.len() == 1).then(|| tokens.text(last.start).to_owned()),
            place: tokens.place(at..first.end),
        });
    }

    /// A handler answers always the same when nothing in it but words of the answer has a name.
    fn body(&self, range: Range<usize>) -> BodyKind {
        const WORDS: &[&str] = &[
            "req",
            "request",
            "_req",
            "_",
            "res",
            "response",
            "reply",
            "ctx",
            "c",
            "next",
            "async",
            "return",
            "json",
            "send",
            "status",
            "sendStatus",
            "code",
            "type",
            "end",
            "text",
            "true",
            "false",
            "null",
            "function",
            "Request",
            "Response",
        ];
        if range.len() == 1 {
            return BodyKind::Unknown;
        }
        let tokens = self.tokens;
        let answers = range
            .clone()
            .any(|at| matches!(tokens.text(at), "json" | "send" | "sendStatus" | "text" | "end"));
        let computed = range
            .into_iter()
            .any(|at| tokens.name(at).is_some_and(|name| !WORDS.contains(&name) && !tokens.is(at + 1, ":")));
        match (answers, computed) {
            (_, true) => BodyKind::Computed,
            (true, false) => BodyKind::Constant,
            (false, false) => BodyKind::Unknown,
        }
    }
}

/// Whether a name of a middleware is about who somebody is.
fn authenticates(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["auth", "jwt", "token", "session", "require", "protect", "verify", "ensure", "login", "admin", "apikey"]
        .iter()
        .any(|word| lower.contains(word))
}
