//! `subprocess`, `os.system`, Paramiko and functions that wrap them, as one shell program for each module.
//!
//! What has no command of its own is written as one: `paramiko connect USER@HOST --password PASSWORD` for a login,
//! `paramiko exec USER@HOST TEXT` for a command at its other end, `paramiko put FILE USER@HOST:PATH` for a transfer.

use std::collections::BTreeMap;
use std::sync::Arc;

use plimsoll_syntax::python::{self, Argument, Expr, ExprKind, Module, Statement, StatementKind};
use plimsoll_syntax::shell::{self, Assignment, Script, SimpleCommand, Stmt, StmtKind, Word};
use plimsoll_text::{FileId, Layer, LayerBuilder, Span};

use super::text::{Names, is_text, quoted};
use super::wrappers::{self, Runs, Wrapper};
use crate::WrittenFile;
use crate::commands::{Machine, Origin, Strict, Unit};
use crate::written::kind_of;

/// The program of a module that starts commands; texts in it that are files of their own are added to the list.
pub(crate) fn python(file: FileId, layer: &Layer, texts: &mut Vec<WrittenFile>) -> Option<Unit> {
    // Most modules start nothing; a look at the text saves reading them.
    let text = layer.text();
    let hints =
        ["subprocess", "os.system", "os.popen", "exec_command", "paramiko", "fabric", "run_command", "ssh"];
    if !hints.iter().any(|word| text.contains(word)) {
        return None;
    }
    let module = python::parse(layer);
    module.walk(&mut |_, statement| {
        for expression in statement.expressions() {
            expression.walk(&mut |inner| texts.extend(held(layer, inner)));
        }
    });
    let reader = Reader::new(layer, &module);
    let mut script = Script::default();
    reader.list(&module.body, &mut script.body);
    let starts = script.body.iter().any(|stmt| !matches!(stmt.kind, StmtKind::Function { .. }));
    let place = layer.full_place();
    (starts || !script.body.is_empty()).then(|| Unit {
        file,
        origin: Origin::Program,
        place,
        script: Arc::new(script),
        machine: Machine::Workstation,
        strict: Strict::default(),
        environment: Vec::new(),
        directory: None,
    })
}

/// A string that is a Compose file or a Dockerfile.
fn held(layer: &Layer, value: &Expr<'_>) -> Option<WrittenFile> {
    let ExprKind::String(string) = &value.kind else { return None };
    if value.place.span.range().len() < 40 {
        return None;
    }
    let text = string.layer(layer);
    let kind = kind_of(text.text())?;
    Some(WrittenFile { kind, layer: text, place: value.place, path: String::new() })
}

struct Reader<'a, 'b> {
    names: Names<'a, 'b>,
    wrappers: BTreeMap<&'a str, Wrapper>,
    functions: Vec<&'a str>,
    /// Logins in source order: the name of the connection and the call.
    logins: Vec<(&'a str, &'b Expr<'a>)>,
    /// Whether the module looks at exit statuses.
    looks: bool,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(layer: &'b Layer, module: &'b Module<'a>) -> Self {
        let mut assigned: BTreeMap<&'a str, Vec<&'b Expr<'a>>> = BTreeMap::new();
        let mut functions = Vec::new();
        let mut logins = Vec::new();
        module.walk(&mut |_, statement| {
            match &statement.kind {
                StatementKind::Assign { targets, value: Some(value), augmented: false, .. } => {
                    for name in targets.iter().filter_map(Expr::last_name) {
                        assigned.entry(name).or_default().push(value);
                    }
                }
                StatementKind::Function { name, .. } => functions.push(*name),
                _ => {}
            }
            for expression in statement.expressions() {
                expression.walk(&mut |expression| {
                    if let Some(connection) = login(expression) {
                        logins.push((connection, expression));
                    }
                });
            }
        });
        // Fabric's connection is what the call returns.
        let text = layer.text();
        Self {
            names: Names { layer, assigned },
            wrappers: wrappers::find(module),
            functions,
            logins,
            looks: ["returncode", "exit_status", ".failed", ".ok"].iter().any(|word| text.contains(word)),
        }
    }

    fn list(&self, statements: &'b [Statement<'a>], out: &mut Vec<Stmt>) {
        for statement in statements {
            self.statement(statement, out);
        }
    }

    fn statement(&self, statement: &'b Statement<'a>, out: &mut Vec<Stmt>) {
        let span = statement.place.span;
        match &statement.kind {
            StatementKind::Function { name, body, .. } => {
                let mut inner = Vec::new();
                self.list(body, &mut inner);
                if !inner.is_empty() {
                    let kind = StmtKind::Function { name: (*name).to_owned(), name_span: span, body: inner };
                    out.push(stmt(kind, span));
                }
            }
            StatementKind::Class { body, .. } => self.list(body, out),
            StatementKind::Block { keyword, header, body } => {
                header.iter().for_each(|value| self.calls(value, false, out));
                let mut inner = Vec::new();
                self.list(body, &mut inner);
                if inner.is_empty() {
                    return;
                }
                let kind = match *keyword {
                    "if" | "elif" | "else" | "except" | "case" if !is_main(header) => {
                        let condition = self.names.layer.slice(span.range());
                        let test = stmt(StmtKind::Test(vec![shell::literal_word(&condition)]), span);
                        StmtKind::If { arms: vec![(vec![test], inner)], otherwise: None }
                    }
                    "for" | "while" => StmtKind::For { variable: None, words: Some(Vec::new()), body: inner },
                    _ => {
                        out.append(&mut inner);
                        return;
                    }
                };
                out.push(stmt(kind, span));
            }
            StatementKind::Assign { targets, value: Some(value), .. } => {
                let kept = self.looks;
                self.calls(value, kept, out);
                for target in targets {
                    self.assign(target, value, span, out);
                }
            }
            StatementKind::Raise(value) => {
                value.iter().for_each(|value| self.calls(value, false, out));
                let words = ["exit", "1"].map(|text| self.made(text, span)).to_vec();
                out.push(simple(Vec::new(), words, span));
            }
            StatementKind::Return(value) => {
                value.iter().for_each(|value| self.calls(value, false, out));
                let fails = value.as_ref().and_then(Expr::as_bool) == Some(false);
                let words = ["return", if fails { "1" } else { "0" }];
                out.push(simple(Vec::new(), words.map(|text| self.made(text, span)).to_vec(), span));
            }
            _ => statement.expressions().into_iter().for_each(|value| self.calls(value, false, out)),
        }
    }

    /// `NAME = "text"` defines the variable that [`Names`] writes for it.
    fn assign(&self, target: &'b Expr<'a>, value: &'b Expr<'a>, span: Span, out: &mut Vec<Stmt>) {
        let Some(name) = target.last_name() else { return };
        let place = target.place.span;
        if value
            .as_call()
            .is_some_and(|(function, _)| matches!(function.last_name(), Some("input" | "getpass")))
        {
            let words = ["read", name].map(|text| self.made(text, place)).to_vec();
            out.push(simple(Vec::new(), words, span));
            return;
        }
        // Long texts are programs or files and not values.
        if !is_text(value) || value.place.span.range().len() > 400 {
            return;
        }
        let word = self.names.word(value);
        let name = name.to_owned();
        let assignment =
            Assignment { name, name_span: place, append: false, value: word.into(), elements: None, span };
        out.push(simple(vec![assignment], Vec::new(), span));
    }

    /// The commands of an expression, inner calls first.
    fn calls(&self, value: &'b Expr<'a>, kept: bool, out: &mut Vec<Stmt>) {
        for child in value.children() {
            self.calls(child, kept, out);
        }
        let Some((function, arguments)) = value.as_call() else { return };
        let Some(name) = function.last_name() else { return };
        let span = value.place.span;
        if login(value).is_some() {
            let mut words = vec![self.made("paramiko", function.place.span), self.made("connect", span)];
            words.push(self.target(value));
            if let Some(password) = argument(value, "password", 3) {
                words.push(self.made("--password", password.place.span));
                words.push(self.names.word(password));
            }
            out.push(simple(Vec::new(), words, span));
            return;
        }
        if name == "sleep"
            && function.dotted().is_some_and(|path| matches!(path.as_str(), "time.sleep" | "sleep"))
        {
            if let Some(time) = value.positional(0) {
                out.push(simple(
                    Vec::new(),
                    vec![self.made("sleep", function.place.span), self.names.word(time)],
                    span,
                ));
            }
            return;
        }
        let path = function.dotted();
        if name == "print" && path.as_deref() == Some("print") {
            if let Some(text) = value.positional(0).filter(|text| is_text(text)) {
                let words = vec![self.made("echo", function.place.span), self.names.word(text)];
                out.push(simple(Vec::new(), words, span));
            }
            return;
        }
        if matches!(path.as_deref(), Some("sys.exit" | "exit" | "quit" | "os._exit")) {
            let status = value.positional(0).map_or(0, |status| status.as_integer().unwrap_or(1)).to_string();
            let words = vec![self.made("exit", function.place.span), self.made(&status, span)];
            out.push(simple(Vec::new(), words, span));
            return;
        }
        if name == "put"
            && let (Some(from), Some(to), Some(login)) =
                (value.positional(0), value.positional(1), self.login_of(function, span))
        {
            let mut place = LayerBuilder::new(self.names.layer, to.place.span.range().start);
            place.layer(&self.target_text(login));
            place.decoded(":", to.place.span.range());
            place.layer(&self.names.text(to));
            let words = vec![
                self.made("paramiko", function.place.span),
                self.made("put", function.place.span),
                self.names.word(from),
                quoted(&place.finish()),
            ];
            out.push(simple(Vec::new(), words, span));
            return;
        }
        let known = wrappers::kind(function, arguments, &self.wrappers);
        if let Some((runs, checked)) = known.or_else(|| wrappers::by_name(name).map(|runs| (runs, false))) {
            let at = self.wrappers.get(name).map(|wrapper| wrapper.argument);
            let mut commands = Vec::new();
            self.command(arguments, at, runs, function, span, &mut commands);
            if let Some(mut last) = commands.pop() {
                if checked {
                    // An empty command after `||` means: the program ends here.
                    let leave = simple(Vec::new(), Vec::new(), span);
                    last = stmt(StmtKind::Or(Box::new(last), Box::new(leave)), span);
                } else {
                    last.negated ^= kept;
                }
                commands.push(last);
                out.append(&mut commands);
                return;
            }
        }
        let is_plain_name = matches!(function.kind, ExprKind::Name(_));
        if is_plain_name
            && self.functions.contains(&name)
            && !matches!(name, "ssh" | "sudo" | "run" | "docker")
        {
            out.push(simple(Vec::new(), vec![self.made(name, function.place.span)], span));
        }
    }

    /// The command that a call runs, in the argument that a wrapper names, else the first that reads like one.
    fn command(
        &self,
        arguments: &'b [Argument<'a>],
        at: Option<usize>,
        runs: Runs,
        function: &'b Expr<'a>,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let named = arguments.iter().filter(|one| matches!(one.name, Some("args" | "command" | "cmd")));
        let positional: Vec<&Argument<'a>> = arguments.iter().filter(|one| one.name.is_none()).collect();
        let candidates: Vec<&Argument<'a>> = match at {
            Some(at) => positional.get(at).copied().into_iter().chain(named).collect(),
            None => positional.into_iter().take(3).chain(named).collect(),
        };
        for candidate in candidates {
            let value = self.names.follow(&candidate.value);
            if let ExprKind::List(items) = &value.kind {
                if items.is_empty() {
                    continue;
                }
                let words: Vec<Word> = items.iter().map(|item| self.item(item)).collect();
                let span = words.iter().map(|word| word.span).reduce(Span::cover).unwrap_or(span);
                out.push(simple(Vec::new(), words, span));
                return;
            }
            if !is_text(value) {
                continue;
            }
            let text = self.decoded(value).unwrap_or_else(|| self.names.text(value));
            if !reads_like_a_command(text.text()) {
                continue;
            }
            if runs == Runs::There {
                let target = match self.login_of(function, span) {
                    Some(login) => self.target(login),
                    None => self.made("remote", function.place.span),
                };
                let words = vec![
                    self.made("paramiko", function.place.span),
                    self.made("exec", function.place.span),
                    target,
                    shell::literal_word(&text),
                ];
                out.push(simple(Vec::new(), words, span));
            } else {
                out.extend(shell::parse(&text).body);
            }
            return;
        }
    }

    /// An item of an argument list; one that holds a whole program is taken with what it stands for.
    fn item(&self, item: &'b Expr<'a>) -> Word {
        let value = self.names.follow(item);
        if is_text(value) && value.place.span.range().len() > 60 {
            return shell::literal_word(&self.decoded(value).unwrap_or_else(|| self.names.text(value)));
        }
        if value.place != item.place && !is_text(value) {
            return shell::literal_word(&self.names.layer.slice(item.place.span.range()));
        }
        self.names.word(item)
    }

    /// `echo {x} | base64 -d | sh`, also inside `ssh host "…"`, with the text that `x` hides.
    fn decoded(&self, value: &'b Expr<'a>) -> Option<Layer> {
        let mut hidden = None;
        value.walk(&mut |inner| {
            if hidden.is_none() {
                hidden = self.names.encoded(inner).map(|text| (inner.place, text));
            }
        });
        let (_, hidden) = hidden?;
        let text = self.names.text(value);
        let whole = text.text();
        let start = whole.find("echo ")?;
        let decode =
            whole.get(start..)?.find("base64 -d").or_else(|| whole.get(start..)?.find("base64 --decode"))?
                + start;
        let rest = whole.get(decode..)?;
        let pipe = decode + rest.find('|')?;
        let after = whole.get(pipe + 1..)?.trim_start();
        let shell = ["sudo bash", "sudo sh", "bash", "sh"].iter().find(|name| after.starts_with(**name))?;
        let end = whole.len() - after.len() + shell.len();
        let quote = whole.get(..start)?.trim_end().chars().next_back().filter(|c| matches!(c, '"' | '\''));
        let mut builder = LayerBuilder::new(&text, 0);
        if let Some(quote) = quote {
            // The far shell reads the text; here it is one word of the command that sends it.
            let open = whole.get(..start)?.rfind(quote)?;
            builder.layer(&text.slice(0..open));
            builder.decoded("'", open..open + 1);
            builder.layer(&escaped(&hidden));
            builder.decoded("'", open..open + 1);
        } else {
            builder.layer(&text.slice(0..start));
            builder.layer(&hidden);
            builder.layer(&text.slice(end..whole.len()));
        }
        Some(builder.finish())
    }

    /// The login that a call on a connection uses: the last of that name, else the last of any name, before it.
    fn login_of(&self, function: &'b Expr<'a>, span: Span) -> Option<&'b Expr<'a>> {
        let connection = match &function.kind {
            ExprKind::Attribute(inner, _) => inner.last_name(),
            _ => None,
        };
        let before = |(_, login): &&(&'a str, &'b Expr<'a>)| login.place.span.start <= span.start;
        let same = self.logins.iter().rev().filter(before).find(|(name, _)| Some(*name) == connection);
        let found = same.or_else(|| self.logins.iter().rev().find(before)).or_else(|| self.logins.first());
        found.map(|(_, login)| *login)
    }

    fn target(&self, login: &'b Expr<'a>) -> Word {
        quoted(&self.target_text(login))
    }

    fn target_text(&self, login: &'b Expr<'a>) -> Layer {
        let at = login.place.span.range();
        let mut target = LayerBuilder::new(self.names.layer, at.start);
        if let Some(user) = argument(login, "username", 2).or_else(|| login.keyword("user")) {
            target.layer(&self.names.text(user));
            target.decoded("@", at.clone());
        }
        match argument(login, "hostname", 0).or_else(|| login.keyword("host")) {
            Some(host) => target.layer(&self.names.text(host)),
            None => target.decoded("remote", at),
        }
        target.finish()
    }

    /// A word that the module does not hold, at the place of what it stands for.
    fn made(&self, text: &str, span: Span) -> Word {
        let range = span.range();
        let mut builder = LayerBuilder::new(self.names.layer, range.start);
        builder.decoded(text, range);
        shell::literal_word(&builder.finish())
    }
}

/// The name of the connection when an expression logs in by SSH.
fn login<'a>(value: &Expr<'a>) -> Option<&'a str> {
    let (function, _) = value.as_call()?;
    let ExprKind::Attribute(connection, "connect") = &function.kind else { return None };
    let named = ["hostname", "username", "password", "key_filename", "pkey"];
    named.iter().any(|name| value.keyword(name).is_some()).then(|| connection.last_name())?
}

fn argument<'a, 'b>(call: &'b Expr<'a>, name: &str, index: usize) -> Option<&'b Expr<'a>> {
    call.keyword(name).or_else(|| call.positional(index))
}

fn is_main(header: &[Expr<'_>]) -> bool {
    header.iter().any(|value| {
        let mut found = false;
        value.walk(&mut |inner| found |= inner.is("__name__"));
        found
    })
}

fn reads_like_a_command(text: &str) -> bool {
    let text = text.trim();
    let Some(first) = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))
    else {
        return false;
    };
    let Some(word) = first.split_whitespace().next() else { return false };
    let is_word = word.chars().all(|c| {
        c.is_ascii_alphanumeric()
            || matches!(c, '-' | '_' | '.' | '/' | '{' | '}' | '=' | '$' | ':' | '(' | '"' | '\'' | '[' | ';')
    });
    let alone = matches!(word, "reboot" | "poweroff" | "hostname" | "shutdown");
    is_word && (text.contains(char::is_whitespace) || alone)
}

/// Text as it stands between single quotes.
fn escaped(text: &Layer) -> Layer {
    let mut builder = LayerBuilder::new(text, 0);
    let mut kept = 0;
    for (at, _) in text.text().match_indices('\'') {
        builder.layer(&text.slice(kept..at));
        builder.decoded("'\\''", at..at + 1);
        kept = at + 1;
    }
    builder.layer(&text.slice(kept..text.text().len()));
    builder.finish()
}

fn stmt(kind: StmtKind, span: Span) -> Stmt {
    Stmt { kind, span, negated: false, background: false, redirects: Vec::new() }
}

fn simple(assignments: Vec<Assignment>, words: Vec<Word>, span: Span) -> Stmt {
    stmt(
        StmtKind::Simple(SimpleCommand { assignments, words: words.into_iter().map(Arc::new).collect() }),
        span,
    )
}
