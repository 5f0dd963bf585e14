//! Secret is committed.

use std::sync::LazyLock;

use plimsoll_model::commands::Source;
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Phrases, Place, Remembered, SourceFile, Span};

use super::words::{
    PROVIDER_PREFIXES, SECRET_NAMES, is_placeholder, is_provider_secret, is_secret_name, looks_generated,
};

use crate::edits;
use crate::{Confidence, Findings, FixKind, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "SEC-001",
    name: "committed-secret",
    title: "Secret is committed",
    theme: Theme::Secrets,
    severity: Severity::High,
    confidence: Confidence::Medium,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[],
    doc: include_str!("committed_secret.md"),
    check,
};

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut all: Vec<(FileId, Vec<Hit>)> = Vec::new();
    let logins = login_passwords(facts);
    for (id, file) in facts.files.iter() {
        let known = HITS.of(file, || is_read(facts, id).then(|| hits(facts, id, file)));
        let Some(known) = known.as_ref() else { continue };
        let mut hits = known.clone();
        for hit in logins.iter().filter(|hit| hit.place.file == id) {
            let same = |other: &Hit| {
                other.place.span.start < hit.place.span.end && hit.place.span.start < other.place.span.end
            };
            if !hits.iter().any(same) {
                hits.push(hit.clone());
            }
        }
        if !hits.is_empty() {
            all.push((id, hits));
        }
    }
    // A value that stands in many files is one thing to mend.
    let mut told = std::collections::BTreeSet::new();
    for (file, hits) in &all {
        let Some((first, rest)) = hits.split_first() else { continue };
        let copies = all.iter().filter(|(_, hits)| hits.iter().any(|hit| hit.value == first.value)).count();
        let everywhere = copies > MANY && hits.iter().all(|hit| hit.value == first.value);
        if everywhere && !told.insert(&first.value) {
            continue;
        }
        let finding =
            findings.add(first.place, format!("the value of `{}` is in the repository", first.name));
        finding.label("a value that looks live").mask(first.place);
        for hit in rest.iter().take(20) {
            finding.related(hit.place, format!("the value of `{}`", hit.name)).mask(hit.place);
        }
        for (other, copies) in all.iter().filter(|(other, _)| other != file) {
            let _ = other;
            for copy in copies.iter().filter(|copy| copy.value == first.value).take(5) {
                finding.related(copy.place, "the same value again").mask(copy.place);
            }
        }
        finding
            .note("everybody who can read the repository, and every copy of it, has it; removing the line does not remove it from the history")
            .help("make a new one where it was issued, and keep it out of the repository")
            .fix(blank(facts, *file, hits));
    }
}

/// What stands in a file that is read.
static HITS: Remembered<Option<Vec<Hit>>> = Remembered::new();

/// Files with the same value beyond which one finding speaks for all.
const MANY: usize = 6;

#[derive(Clone)]
struct Hit {
    name: String,
    value: String,
    place: Place,
}

/// Passwords that logins of scripts give and that stand in the repository, however short: they are in use.
fn login_passwords(facts: &Facts) -> Vec<Hit> {
    let mut found: Vec<Hit> = Vec::new();
    for command in facts.commands.iter() {
        if facts.commands.unit(command.unit).origin.is_documentation() {
            continue;
        }
        let Some(password) = command.login_password() else { continue };
        let value = &password.value.value;
        if !value.is_known()
            || value.text.is_empty()
            || value.text.contains('$')
            || is_placeholder(password.text)
        {
            continue;
        }
        let assigned = value.sources.iter().find_map(|source| match source {
            Source::Assigned { name, place } | Source::Default { name, place } => {
                Some((name.clone(), *place))
            }
            _ => None,
        });
        let (name, place) =
            assigned.unwrap_or_else(|| (format!("{} password", command.program), password.value.place));
        if !found.iter().any(|hit| hit.place == place) {
            found.push(Hit { name, value: password.text.to_owned(), place });
        }
    }
    found
}

/// Source code has too many values that only look like secrets; tests are full of made-up ones.
fn is_read(facts: &Facts, file: FileId) -> bool {
    let path = facts.path(file).as_str().to_ascii_lowercase();
    let kind = facts.trees.kind(file);
    let counts = is_source(kind)
        || is_credential_file(facts, file)
        || matches!(
            kind,
            Kind::Markdown
                | Kind::Dotenv
                | Kind::Compose
                | Kind::Yaml
                | Kind::Terraform
                | Kind::Shell
                | Kind::Batch
                | Kind::Ansible
                | Kind::Workflow
                | Kind::Taskfile
                | Kind::Makefile
                | Kind::CloudInit
                | Kind::Ini
                | Kind::Dockerfile
                | Kind::Python
                | Kind::Toml
        );
    let made_up = ["test", "fixture", "mock", "spec."].iter().any(|word| path.contains(word));
    counts && !made_up
}

/// Source in which only formats of providers tell a secret from other values.
fn is_source(kind: Kind) -> bool {
    matches!(kind, Kind::JavaScript | Kind::Go | Kind::Rust)
}

/// JSON that a provider hands out to be kept (`credentials.json`, `client_secret_….json`, a service account's key),
/// and files that are one secret each.
fn is_credential_file(facts: &Facts, file: FileId) -> bool {
    let path = facts.path(file);
    let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
    let named = [
        "credential",
        "client_secret",
        "client-secret",
        "service-account",
        "service_account",
        "serviceaccount",
        "keyfile",
    ]
    .iter()
    .any(|word| name.contains(word));
    (facts.trees.kind(file) == Kind::Json && named && !name.contains("example") && !name.contains("template"))
        || is_secret_file(facts, file)
}

/// A file that holds one value and is kept as a secret, by its ending or its folder.
fn is_secret_file(facts: &Facts, file: FileId) -> bool {
    if facts.trees.kind(file) != Kind::Other {
        return false;
    }
    let path = facts.path(file);
    let extension = path.extension().unwrap_or_default();
    let in_folder = path.parent().and_then(|folder| folder.file_name()) == Some("secrets");
    let ending = matches!(extension, "secret" | "password" | "passwd" | "token")
        || in_folder && matches!(extension, "" | "txt" | "key" | "pass");
    let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
    let other = ["user", "example", "sample", "readme", "gitkeep", "gitignore"]
        .iter()
        .any(|word| name.contains(word));
    ending && !other
}

/// The value of a file that is one.
fn only_value(facts: &Facts, file: FileId, text: &str) -> Option<Hit> {
    let value = text.trim();
    let counts = (6..=200).contains(&value.len())
        && !value.contains(char::is_whitespace)
        && !is_placeholder(value)
        && !value.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let start = u32::try_from(text.len() - text.trim_start().len()).ok()?;
    let end = start.saturating_add(u32::try_from(value.len()).ok()?);
    counts.then(|| Hit {
        name: facts.path(file).file_name().unwrap_or_default().to_owned(),
        value: value.to_owned(),
        place: Place::new(file, Span::new(start, end)),
    })
}

/// What a line holds that may name a secret.
static NAMES: LazyLock<Phrases> = LazyLock::new(|| {
    let dashed = SECRET_NAMES.iter().map(|name| name.replace('_', "-"));
    let names = SECRET_NAMES.iter().map(|name| (*name).to_owned()).chain(dashed);
    let all: Vec<String> = names.chain(["_KEY".to_owned(), "-KEY".to_owned()]).collect();
    Phrases::new(&all.iter().map(String::as_str).collect::<Vec<_>>())
});

static PREFIXES: LazyLock<Phrases> = LazyLock::new(|| {
    Phrases::exact(&PROVIDER_PREFIXES.iter().map(|(prefix, _)| *prefix).collect::<Vec<_>>())
});

fn hits(facts: &Facts, file: FileId, source: &SourceFile) -> Vec<Hit> {
    let is_config = !matches!(facts.trees.kind(file), Kind::Python | Kind::Markdown);
    let is_read = |line: &str| line.len() <= 2000 && !line.contains("plimsoll:");
    let mut found: Vec<Hit> = Vec::new();
    let kind = facts.trees.kind(file);
    if is_secret_file(facts, file) {
        return only_value(facts, file, source.text()).into_iter().collect();
    }
    let names = (!is_source(kind)).then_some(&*NAMES);
    for span in names.into_iter().flat_map(|names| names.lines(source)).map(|line| source.line_span(line)) {
        let line = source.slice(span);
        let Some((name, at, value)) = named_value(line).filter(|_| is_read(line)) else { continue };
        let strong = looks_generated(value) || is_provider_secret(value);
        let password = is_config
            && name.to_ascii_uppercase().contains("PASS")
            && matches!(facts.trees.kind(file), Kind::Dotenv)
            && !facts.path(file).as_str().contains("example")
            && value.len() >= 8
            && !value.starts_with('/')
            && !is_placeholder(value);
        if strong || password {
            push(&mut found, file, name, value, span.start as usize + at);
        }
    }
    let named = found.len();
    for span in PREFIXES.lines(source).map(|line| source.line_span(line)) {
        let line = source.slice(span);
        if !is_read(line) || found.iter().take(named).any(|hit| span.contains(hit.place.span)) {
            continue;
        }
        let mut at = 0;
        for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))) {
            // A key of Google's for browsers is public by design; only a server's is a secret.
            let is_public = word.starts_with("AIza") && is_source(kind) && !is_server(facts, file);
            if is_provider_secret(word) && !is_public {
                push(&mut found, file, "a provider's key", word, span.start as usize + at);
            }
            at += word.len()
                + line.get(at + word.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        }
    }
    found.sort_by_key(|hit| hit.place);
    found
}

/// Whether a source file runs on a server, by its path.
fn is_server(facts: &Facts, file: FileId) -> bool {
    facts.path(file).components().any(|part| {
        matches!(
            part.as_str(),
            "server" | "backend" | "api" | "functions" | "worker" | "services" | "server.js" | "server.ts"
        )
    })
}

fn push(found: &mut Vec<Hit>, file: FileId, name: &str, value: &str, at: usize) {
    let start = u32::try_from(at).unwrap_or(u32::MAX);
    let end = start.saturating_add(u32::try_from(value.len()).unwrap_or(0));
    found.push(Hit {
        name: name.to_owned(),
        value: value.to_owned(),
        place: Place::new(file, Span::new(start, end)),
    });
}

/// `NAME = value`, `NAME: value`, with a name that says secret; the value ends at a blank or quote.
fn named_value(line: &str) -> Option<(&str, usize, &str)> {
    for (at, _) in line.match_indices([':', '=']) {
        let before = line.get(..at)?.trim_end_matches([' ', '"', '\'', '`', '*', '?', ':']);
        let name_start = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
            .map_or(0, |at| at + 1);
        let name = before.get(name_start..)?;
        if name.is_empty()
            || !(is_secret_name(&name.replace('-', "_")) || name.to_ascii_uppercase().ends_with("_KEY"))
        {
            continue;
        }
        let rest = line.get(at + 1..)?;
        let skipped = rest.len() - rest.trim_start_matches([' ', '"', '\'', '`', '*', '=']).len();
        let value = rest.get(skipped..)?;
        let end = value
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | ')' | '|' | '<'))
            .unwrap_or(value.len());
        let value = value.get(..end)?;
        if !value.is_empty() {
            return Some((name, at + 1 + skipped, value));
        }
    }
    None
}

/// A word that says what belongs there in place of the values of a document. The real ones stay in the history.
fn blank(facts: &Facts, file: FileId, hits: &[Hit]) -> Option<plimsoll_text::Fix> {
    let document = facts.trees.kind(file) == Kind::Markdown;
    let edits = hits.iter().map(|hit| {
        let name = hit.name.to_ascii_lowercase();
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let place = edits::part(facts, hit.place, &hit.value)?;
        (plain && !name.is_empty()).then(|| edits::replace(place, format!("your_{name}_here")))
    });
    edits::safe("take the values out of the document", edits.collect()).filter(|_| document)
}
