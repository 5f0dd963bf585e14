//! Packages and sources that the machine's release does not have.

use std::collections::BTreeMap;

use plimsoll_model::commands::{Command, Machine, Origin};
use plimsoll_model::{Facts, Kind};
use plimsoll_text::{FileId, Place};

use super::installs::{Install, installs};
use super::releases::{self, Release};
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-020",
    name: "wrong-package-source",
    title: "Package or source does not exist for this release",
    theme: Theme::TransferBuild,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference { title: "Debian, SourcesList", url: "https://wiki.debian.org/SourcesList" },
        Reference {
            title: "Docker, Install Docker Engine on Debian",
            url: "https://docs.docker.com/engine/install/debian/",
        },
    ],
    doc: include_str!("wrong_package_source.md"),
    check,
};

/// What only a vendor's own repository has: packages, texts that set that repository up, and what to do instead.
const VENDORS: &[(&[&str], &[&str], &str)] = &[
    (
        &["docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin", "docker-buildx-plugin"],
        &["download.docker.com", "get.docker.com"],
        "add Docker's repository first, or install `docker.io` with `docker-compose` (Debian) or `docker-compose-v2` (Ubuntu)",
    ),
    (&["mongodb-org"], &["repo.mongodb.org", "pgp.mongodb.com"], "add MongoDB's repository first"),
    (&["cloudflared"], &["pkg.cloudflare"], "add Cloudflare's repository first"),
    (
        &["terraform", "vault", "consul", "nomad", "packer"],
        &["apt.releases.hashicorp.com"],
        "add HashiCorp's repository first",
    ),
    (
        &["grafana", "loki", "promtail", "alloy"],
        &["apt.grafana.com", "packages.grafana.com"],
        "add Grafana's repository first",
    ),
    (&["nvidia-container-toolkit"], &["nvidia.github.io", "nvidia.com"], "add NVIDIA's repository first"),
    (&["tailscale"], &["pkgs.tailscale.com", "tailscale.com/install"], "add Tailscale's repository first"),
    (
        &["kubelet", "kubeadm", "kubectl"],
        &["pkgs.k8s.io", "packages.cloud.google.com"],
        "add the Kubernetes repository first",
    ),
];

/// Packages that a distribution does not have from a release on, and what took their place.
/// Sources: packages.debian.org, packages.ubuntu.com, the release notes.
const GONE: &[(&str, &str, &str, &str)] = &[
    ("docker-compose-v2", "debian", "9", "docker-compose"),
    ("mysql-client", "debian", "10", "default-mysql-client"),
    ("mysql-server", "debian", "10", "default-mysql-server"),
    ("mongodb", "debian", "10", "mongodb-org of MongoDB's repository"),
    ("python", "debian", "11", "python3"),
    ("python-pip", "debian", "11", "python3-pip"),
    ("python-dev", "debian", "11", "python3-dev"),
    ("netcat", "debian", "12", "netcat-openbsd"),
    ("libssl1.1", "debian", "12", "libssl3"),
    ("openjdk-11-jdk", "debian", "12", "openjdk-17-jdk"),
    ("openjdk-11-jre-headless", "debian", "12", "openjdk-17-jre-headless"),
    ("openjdk-17-jdk", "debian", "13", "openjdk-21-jdk"),
    ("openjdk-17-jre-headless", "debian", "13", "openjdk-21-jre-headless"),
    ("libgl1-mesa-glx", "debian", "13", "libgl1"),
    ("python3-distutils", "debian", "13", "python3-setuptools"),
    ("software-properties-common", "debian", "13", "a source file in /etc/apt/sources.list.d"),
    ("neofetch", "debian", "13", "fastfetch"),
    ("python", "ubuntu", "20.04", "python3"),
    ("python-pip", "ubuntu", "20.04", "python3-pip"),
    ("libssl1.1", "ubuntu", "22.04", "libssl3"),
    ("netcat", "ubuntu", "24.04", "netcat-openbsd"),
    ("libgl1-mesa-glx", "ubuntu", "24.04", "libgl1"),
    ("python3-distutils", "ubuntu", "24.04", "python3-setuptools"),
    ("libasound2", "ubuntu", "24.04", "libasound2t64"),
];

struct Problem {
    place: Place,
    message: String,
    related: Vec<(Place, String)>,
    help: String,
    severity: Severity,
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<(FileId, u8), Vec<Problem>> = BTreeMap::new();
    for install in installs(facts).iter().filter(|install| install.apt) {
        if facts.is_development(install.file) {
            continue;
        }
        if let Some(problem) = without_vendor(facts, install) {
            found.entry((install.file, 0)).or_default().push(problem);
        } else if let Some(problem) = gone(install) {
            found.entry((install.file, 1)).or_default().push(problem);
        }
    }
    for command in facts.commands.iter() {
        let unit = facts.commands.unit(command.unit);
        if facts.commands.is_only_read(command.unit) || facts.is_development(unit.file) {
            continue;
        }
        if let Some(problem) = foreign_source(facts, command) {
            found.entry((unit.file, 2)).or_default().push(problem);
        }
        if let Some(problem) = removed_tool(facts, command) {
            found.entry((unit.file, 3)).or_default().push(problem);
        }
    }
    for problems in found.into_values() {
        let mut rest = problems.into_iter();
        let Some(first) = rest.next() else { continue };
        let finding = findings.add(first.place, first.message);
        for (place, text) in first.related {
            finding.related(place, text);
        }
        for other in rest.filter(|other| other.place != first.place) {
            finding.related(other.place, other.message);
        }
        finding
            .severity(first.severity)
            .note("the installation ends here with an error, or takes packages of another release that do not fit")
            .help(first.help);
    }
}

/// A package of a vendor whose repository nothing sets up.
fn without_vendor(facts: &Facts, install: &Install) -> Option<Problem> {
    let (_, marks, help) = VENDORS.iter().find(|(names, ..)| names.contains(&install.name.as_str()))?;
    let in_ci = install
        .unit
        .is_some_and(|unit| matches!(facts.commands.unit(unit).origin, Origin::WorkflowStep { .. }))
        && install.machine == Machine::Workstation;
    if in_ci || install.machine == Machine::Node {
        return None;
    }
    let folder = facts.path(install.file).parent();
    let ansible = facts.trees.kind(install.file) == Kind::Ansible;
    let set_up = facts.files.iter().any(|(id, file)| {
        let kind = facts.trees.kind(id);
        let near = id == install.file
            || kind != Kind::Markdown && (file.path().parent() == folder || ansible && kind != Kind::Shell);
        near && marks.iter().any(|mark| file.holds(mark))
    });
    // Roles and images of others may do it.
    let elsewhere = install.machine == Machine::Build && base_of(facts, install).is_none();
    if set_up || elsewhere {
        return None;
    }
    let mut related = Vec::new();
    if let Some((release, place)) = install.release {
        related.push((place, format!("{} has no such package", release.title())));
    }
    Some(Problem {
        place: install.place,
        message: format!("`{}` is only in its vendor's repository, which nothing here sets up", install.name),
        related,
        help: (*help).to_owned(),
        severity: Severity::High,
    })
}

/// Whether the image starts from a plain distribution or runtime, not from an image that has its own sources.
fn base_of(facts: &Facts, install: &Install) -> Option<()> {
    let image = facts.images.iter().find(|image| image.file == install.file)?;
    let start = install.place.span.start;
    let stage = image.stages.iter().rev().find(|stage| stage.place.span.start <= start)?;
    stage.root.as_ref().filter(|root| root.value.is_official()).map(|_| ())
}

/// A package that this release no longer has.
fn gone(install: &Install) -> Option<Problem> {
    let (release, place) = install.release?;
    let (_, distribution, number, instead) = GONE.iter().find(|(name, distribution, number, _)| {
        *name == install.name && release.is_from(distribution, number)
    })?;
    let first = Release::named(&format!("{distribution}-{number}"))?;
    Some(Problem {
        place: install.place,
        message: format!("{} has no package `{}`", release.title(), install.name),
        related: vec![(place, format!("the release is {}", release.title()))],
        help: if *number == "9" {
            format!("install `{instead}`")
        } else {
            format!("install `{instead}`, as from {} on", first.title())
        },
        severity: Severity::High,
    })
}

/// Lines of a package source for one release, where the machine has another or any.
fn foreign_source(facts: &Facts, command: &Command) -> Option<Problem> {
    let (target, appends) = target(facts, command)?;
    if !target.starts_with("/etc/apt/sources.list") {
        return None;
    }
    let (suite, place) = suite(facts, command)?;
    let wanted = Release::of_codename(suite.split(['-', '/']).next().unwrap_or_default())?;
    if let Some((release, at)) = releases::of_command(facts, command) {
        if release == wanted {
            return None;
        }
        return Some(Problem {
            place,
            message: format!("packages of {} are installed on {}", wanted.title(), release.title()),
            related: vec![(at, format!("the machine has {}", release.title()))],
            help: "take the release's name from `VERSION_CODENAME` in `/etc/os-release`".to_owned(),
            severity: Severity::High,
        });
    }
    let whole_text = facts.files.get(command.place.file).text();
    let looks = ["VERSION_CODENAME", "lsb_release", "UBUNTU_CODENAME"];
    if appends || target != "/etc/apt/sources.list" || looks.iter().any(|mark| whole_text.contains(mark)) {
        return None;
    }
    Some(Problem {
        place,
        message: format!("the package sources of any machine are replaced by those of {}", wanted.title()),
        related: Vec::new(),
        help: "leave the sources of the release alone, or stop when `VERSION_CODENAME` is another one"
            .to_owned(),
        severity: Severity::Medium,
    })
}

/// The file that a command, or the pipeline behind it, writes.
fn target(facts: &Facts, command: &Command) -> Option<(String, bool)> {
    if let Some(output) = command.outputs.iter().find(|output| output.fd == 1) {
        return Some((output.target.text.clone(), output.append));
    }
    let tee = if command.program == "tee" {
        command
    } else {
        let own = command.pipeline?;
        facts.commands.of_unit(command.unit).iter().find(|other| {
            other.program == "tee"
                && other.pipeline.is_some_and(|place| place.span == own.span && place.index > own.index)
        })?
    };
    let file = tee.operands().next()?.value.text.clone();
    Some((file, tee.flag(&["-a", "--append"]).is_some()))
}

/// The suite of the first source line that a command writes, with the place of its text.
fn suite(facts: &Facts, command: &Command) -> Option<(String, Place)> {
    if let Some(heredoc) = &command.heredoc {
        let text = heredoc.body.text();
        let mut at = 0;
        for line in text.split('\n') {
            if let Some(suite) = suite_of(line) {
                return Some((suite, heredoc.body.place(at..at + line.trim_end().len())));
            }
            at += line.len() + 1;
        }
        return None;
    }
    if !matches!(command.program.as_str(), "echo" | "printf") {
        return None;
    }
    let arg = command.args.iter().find(|arg| suite_of(&arg.value.text).is_some())?;
    // A name that is asked for is the machine's own.
    let written = facts.text(arg.place);
    let suite = suite_of(&arg.value.text)?;
    written.contains(&suite).then_some((suite, arg.place))
}

/// The suite of a line of `sources.list`.
fn suite_of(line: &str) -> Option<String> {
    let rest = line.trim().strip_prefix("deb ")?.trim_start();
    let rest = if rest.starts_with('[') { rest.split_once(']')?.1 } else { rest };
    let mut words = rest.split_whitespace();
    let url = words.next()?;
    let suite = words.next()?;
    (url.contains("://") && suite.starts_with(|c: char| c.is_ascii_lowercase())).then(|| suite.to_owned())
}

/// Tools of the package manager that a release no longer has.
fn removed_tool(facts: &Facts, command: &Command) -> Option<Problem> {
    if !matches!(command.program.as_str(), "apt-key" | "add-apt-repository") {
        return None;
    }
    let release = releases::of_command(facts, command);
    let problem = |message: String, place: Place, help: &str| Problem {
        place: command.place,
        message,
        related: vec![(place, "the release".to_owned())],
        help: help.to_owned(),
        severity: Severity::High,
    };
    let (release, place) = release?;
    match command.program.as_str() {
        "apt-key" if release.is_from("debian", "13") || release.is_from("ubuntu", "26.04") => Some(problem(
            format!("{} has no `apt-key`", release.title()),
            place,
            "write the key to `/etc/apt/keyrings` and name it with `signed-by` in the source",
        )),
        "add-apt-repository"
            if release.distribution == "debian" && command.arg_texts().any(|arg| arg.starts_with("ppa:")) =>
        {
            Some(problem(
                format!("a PPA holds packages of Ubuntu, and this is {}", release.title()),
                place,
                "use a repository for Debian, or an Ubuntu template",
            ))
        }
        _ => None,
    }
}
