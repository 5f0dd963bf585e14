//! Downloads whose failure or change goes unseen.

use std::collections::BTreeMap;

use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine};
use plimsoll_text::{FileId, Place};

use super::builds::deployed;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-008",
    name: "unchecked-download",
    title: "Download is used unchecked",
    theme: Theme::TransferBuild,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference { title: "curl, manual page, --fail", url: "https://curl.se/docs/manpage.html#-f" },
        Reference {
            title: "Docker, Dockerfile reference, ADD --checksum",
            url: "https://docs.docker.com/reference/dockerfile/#add---checksum",
        },
    ],
    doc: include_str!("unchecked_download.md"),
    check,
};

struct Problem {
    place: Place,
    message: String,
    related: Vec<(Place, &'static str)>,
    severity: Severity,
    fails_silently: bool,
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<FileId, Vec<Problem>> = BTreeMap::new();
    for (id, unit) in facts.commands.units() {
        if facts.commands.is_only_read(id) || facts.is_development(unit.file) {
            continue;
        }
        let commands = facts.commands.of_unit(id);
        let checked = commands.iter().any(checks_sum);
        for (index, command) in commands.iter().enumerate() {
            let later = commands.get(index + 1..).unwrap_or_default();
            found.entry(unit.file).or_default().extend(judge(command, later, checked));
        }
    }
    for image in deployed(facts) {
        for copy in image.stages.iter().flat_map(super::builds::own_copies).filter(|copy| copy.add) {
            let remote = copy.sources.iter().find(|source| is_remote(&source.value));
            let Some(source) = remote.filter(|_| !facts.text(copy.place).contains("--checksum")) else {
                continue;
            };
            found.entry(image.file).or_default().push(Problem {
                place: source.place,
                message: format!("`{}` is added whatever it holds", name_of(&source.value)),
                related: Vec::new(),
                severity: Severity::Medium,
                fails_silently: false,
            });
        }
    }
    for mut problems in found.into_values() {
        problems.sort_by_key(|problem| problem.place);
        let mut rest = problems.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings.add(first.place, first.message);
        for (place, text) in first.related {
            finding.related(place, text);
        }
        let mut severity = first.severity;
        for other in rest.filter(|other| other.place != first.place) {
            severity = severity.max(other.severity);
            finding.related(other.place, other.message);
        }
        finding.severity(severity);
        if first.fails_silently {
            finding
                .note("an error page of the server is kept as if it were the file, and `curl` says nothing")
                .help("add `-f`, write to a temporary name and move it when its checksum fits");
        } else {
            finding
                .note("whoever replaces the file on its server puts a program on this machine")
                .help("name a version and compare its checksum (`sha256sum -c`) before it is used");
        }
    }
}

fn checks_sum(command: &Command) -> bool {
    matches!(
        command.program.as_str(),
        "sha256sum" | "sha512sum" | "shasum" | "cosign" | "minisign" | "md5sum"
    ) || command.program == "gpg" && command.flag(&["--verify"]).is_some()
        || command.program == "openssl" && command.arg(0) == Some("dgst")
}

/// What is wrong with a download, when it is one.
fn judge(command: &Command, later: &[Command], checked: bool) -> Option<Problem> {
    let curl = command.program == "curl";
    if !curl && command.program != "wget" || command.machine == Machine::Container {
        return None;
    }
    let url = command.arg_texts().find(|arg| is_remote(arg))?;
    let target = target(command, url, later)?;
    // What is run at once is the matter of `remote-script-as-root`.
    let is_script =
        [".sh", ".bash", ".py"].iter().any(|end| url.ends_with(end) || target.path.ends_with(end));
    if is_script || is_question(command, url) {
        return None;
    }
    let use_ = used(&target, later, command);
    let fails = command.arg_texts().any(|arg| arg == "--fail" || arg.starts_with("--fail-"))
        || command.flag(&["-f"]).is_some();
    let name = name_of(url);
    let silent = curl && !fails;
    let (place, how) = match use_ {
        Some((place, how)) => (Some(place), Some(how)),
        None if target.is_source => (None, Some("read as a package source")),
        None => (None, None),
    };
    // A signing key is checked by what it signs.
    let is_key = [".asc", ".gpg", ".key", "/gpg", "gpgkey"]
        .iter()
        .any(|end| name.ends_with(end) || url.ends_with(end))
        || target.path.contains("keyring");
    let message = match (silent, how) {
        (true, Some(_)) => format!("an error page in place of `{name}` goes unseen"),
        (true, None) if target.path.starts_with('/') => {
            format!("an error page in place of `{name}` goes unseen")
        }
        (false, Some(how)) if how != "read as a package source" && !checked && !is_key => {
            format!("`{name}` is {how} whatever it holds")
        }
        _ => return None,
    };
    Some(Problem {
        place: command.place,
        message,
        related: place.map(|place| (place, how.unwrap_or_default())).into_iter().collect(),
        severity: if silent && how.is_some() { Severity::High } else { Severity::Medium },
        fails_silently: silent,
    })
}

struct Target {
    path: String,
    is_source: bool,
}

/// Where the download ends up: a file, also at the end of a pipeline.
fn target(command: &Command, url: &str, later: &[Command]) -> Option<Target> {
    let of = |path: &str| Target { path: path.to_owned(), is_source: path.contains("sources.list") };
    let written = if command.program == "curl" {
        let named = command.option(&["-o", "--output"]).map(|option| option.text);
        // `-fsSLo file` bundles the option.
        let bundled = || {
            let at = command.args.iter().position(|arg| {
                let text = arg.value.text.as_str();
                text.starts_with('-') && !text.starts_with("--") && text.len() > 2 && text.ends_with('o')
            })?;
            command.arg(at + 1)
        };
        let own = command.flag(&["-O", "--remote-name"]).map(|_| name_of(url));
        own.or(named.filter(|name| !name.starts_with('-') && !name.is_empty())).or_else(bundled)
    } else {
        let to_output = command.option(&["-O", "--output-document"]).map(|option| option.text);
        let bundled = command.args.iter().position(|arg| {
            let text = arg.value.text.as_str();
            text.starts_with('-') && !text.starts_with("--") && text.len() > 2 && text.ends_with('O')
        });
        match bundled.and_then(|at| command.arg(at + 1)).or(to_output) {
            Some("-") => None,
            Some(name) => Some(name),
            None if command.pipeline.is_none() => Some(name_of(url)),
            None => None,
        }
    };
    if let Some(path) = written {
        return (path != "/dev/null").then(|| of(path));
    }
    if let Some(output) = command.outputs.iter().find(|output| output.fd == 1) {
        return (output.target.text != "/dev/null").then(|| of(&output.target.text));
    }
    let own = command.pipeline?;
    let mut piped = later.iter().filter(|other| {
        other.pipeline.is_some_and(|place| place.span == own.span && place.index > own.index)
    });
    let last = piped.next_back()?;
    if let Some(output) =
        last.outputs.iter().find(|output| output.fd == 1 && output.target.text != "/dev/null")
    {
        return Some(of(&output.target.text));
    }
    match last.program.as_str() {
        "tee" => Some(of(&last.operands().next()?.value.text)),
        "tar" => Some(of(last.option(&["-C", "--directory"]).map_or("./", |option| option.text))),
        "gpg" => Some(of(last.option(&["-o", "--output"])?.text)),
        _ => None,
    }
}

/// What is done with a file behind its download.
fn used(target: &Target, later: &[Command], command: &Command) -> Option<(Place, &'static str)> {
    let name = target.path.rsplit('/').next().filter(|name| !name.is_empty())?;
    let same = |text: &str| text == target.path || text.rsplit('/').next() == Some(name);
    if ["/usr/local/bin", "/usr/bin", "/bin/"].iter().any(|folder| target.path.contains(folder)) {
        return Some((command.place, "installed as a program"));
    }
    later.iter().find_map(|other| {
        let mut operands = other.operands().map(|arg| arg.value.text.as_str());
        let touches = operands.any(same) || other.arg_texts().any(same);
        let how = match other.program.as_str() {
            "dpkg" | "apt" | "apt-get" | "rpm" | "dnf" | "apk" => "installed as a package",
            "chmod"
                if other
                    .arg_texts()
                    .any(|arg| arg.contains('x') || arg.contains('7') || arg.contains('5')) =>
            {
                "made a program"
            }
            "tar" | "unzip" | "bunzip2" | "gunzip" | "xz" => "unpacked",
            "install" | "mv" | "cp" if other.arg_texts().any(|arg| arg.contains("/bin")) => {
                "installed as a program"
            }
            "qm" | "qemu-img" | "virt-customize" => "made the disk of a guest",
            _ => return None,
        };
        touches.then_some((other.place, how))
    })
}

/// Whether it asks a server something rather than fetching a file: methods, headers only, status codes, an API.
fn is_question(command: &Command, url: &str) -> bool {
    let asks = ["-I", "--head", "-w", "--write-out", "-X", "--request", "-d", "--data", "--spider"];
    command.arg_texts().any(|arg| asks.contains(&arg))
        || url.contains("://api.")
        || url.contains("/api/")
        || command.assigned_to.is_some()
}

/// Whether another organisation's server answers.
fn is_remote(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    host.contains('.')
        && !host.starts_with(['$', '{'])
        && !host.starts_with("127.")
        && !host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !host.ends_with(".local")
        && !host.ends_with(".lan")
}

fn name_of(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/');
    let name = path.rsplit('/').next().unwrap_or(path);
    // `refs/heads/main` says nothing without its address.
    if name.contains('.') { name } else { url }
}
