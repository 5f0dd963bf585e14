//! What a stage copies was built for another runtime.

use plimsoll_model::Facts;
use plimsoll_model::images::{CopyFact, CopyFrom, Image, Stage};

use super::releases::Release;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-004",
    name: "built-for-another-runtime",
    title: "Stage copies what was built for another runtime",
    theme: Theme::TransferBuild,
    severity: Severity::High,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference {
        title: "Docker, Multi-stage builds",
        url: "https://docs.docker.com/build/building/multi-stage/",
    }],
    doc: include_str!("built_for_another_runtime.md"),
    check,
};

/// Packages of npm with a part in machine code that is chosen or compiled at installation.
const NATIVE: &[&str] = &[
    "bcrypt",
    "argon2",
    "sharp",
    "better-sqlite3",
    "sqlite3",
    "canvas",
    "@prisma/client",
    "prisma",
    "node-pty",
    "re2",
    "libsql",
    "cpu-features",
    "bufferutil",
];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    for image in facts.images.iter() {
        if facts.is_development(image.file) || super::development::is_for_development(&image.path) {
            continue;
        }
        for stage in &image.stages {
            let own = stage.copies.iter().filter(|copy| copy.place.span.start > stage.place.span.start);
            let wrong = own.filter_map(|copy| {
                let CopyFrom::Stage(index, _) = copy.from else { return None };
                let from = image.stages.get(index)?;
                mismatch(facts, image, from, stage, copy).map(|mismatch| (copy, from, mismatch))
            });
            let mut wrong = wrong.collect::<Vec<_>>().into_iter();
            let Some((copy, from, mismatch)) = wrong.next() else { continue };
            let finding = findings.add(copy.place, mismatch.message);
            finding.label("copied here");
            finding.related(from.root.as_ref().map_or(from.place, |root| root.place), mismatch.built);
            finding.related(stage.root.as_ref().map_or(stage.place, |root| root.place), mismatch.runs);
            for (other, _, _) in wrong {
                finding.related(other.place, "copied, too");
            }
            finding.note(mismatch.note).help("build and run on the same base, with the same version");
        }
    }
}

struct Mismatch {
    message: String,
    built: String,
    runs: String,
    note: &'static str,
}

fn mismatch(facts: &Facts, image: &Image, from: &Stage, to: &Stage, copy: &CopyFact) -> Option<Mismatch> {
    python(from, to, copy)
        .or_else(|| c_library(facts, image, from, to, copy))
        .or_else(|| older_release(from, to, copy))
}

/// Packages of one Python that another one gets.
fn python(from: &Stage, to: &Stage, copy: &CopyFact) -> Option<Mismatch> {
    let destination = copy.destination.value.as_str();
    let in_path = |path: &str| {
        let rest = path.split("/python").skip(1).find(|rest| rest.starts_with("3."))?;
        let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        Some(version)
    };
    let is_environment = destination.contains("venv")
        || destination.contains("virtualenv")
        || copy.sources.iter().any(|source| source.value.contains("venv"));
    let path = in_path(destination);
    if path.is_none() && !is_environment {
        return None;
    }
    let runs = python_of(to)?;
    let built = copy.sources.iter().find_map(|source| in_path(&source.value)).or_else(|| python_of(from));
    let other = [path, built].into_iter().flatten().find(|version| *version != runs)?;
    Some(Mismatch {
        message: format!("packages of Python {other} are copied to Python {runs}"),
        built: format!("built with Python {}", python_of(from).unwrap_or(other)),
        runs: format!("runs Python {runs}"),
        note: "Python looks in the folder of its own version only: the packages are not found, and those in machine code do not load",
    })
}

/// Major and minor version of the Python that a stage's root image has.
fn python_of(stage: &Stage) -> Option<String> {
    let root = &stage.root.as_ref()?.value;
    let tag = root.tag.as_deref().unwrap_or_default();
    if root.name.contains("distroless/python3") {
        let version = match root.short_name() {
            "python3-debian11" => "3.9",
            "python3-debian12" => "3.11",
            "python3-debian13" => "3.13",
            _ => return None,
        };
        return Some(version.to_owned());
    }
    let text = if root.short_name() == "python" {
        tag
    } else {
        // `ghcr.io/astral-sh/uv:python3.12-bookworm` and its like.
        tag.split_once("python")?.1
    };
    let version: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    (major == "3" && !minor.is_empty()).then(|| format!("{major}.{minor}"))
}

/// Machine code for one C library that runs on another.
fn c_library(facts: &Facts, image: &Image, from: &Stage, to: &Stage, copy: &CopyFact) -> Option<Mismatch> {
    let (built, runs) = (from.os.is_musl()?, to.os.is_musl()?);
    if built == runs {
        return None;
    }
    let what = copy.sources.iter().find_map(|source| native(facts, image, from, &source.value, built))?;
    let name = |musl: bool| if musl { "musl" } else { "glibc" };
    Some(Mismatch {
        message: format!("{what} is built for {} and copied to {}", name(built), name(runs)),
        built: format!("`{}` has {}", from.base_name(), name(built)),
        runs: format!("`{}` has {}", to.base_name(), name(runs)),
        note: "the loader that it names is not there: it ends with `not found` or with a missing symbol",
    })
}

/// What holds machine code that needs the C library it was built with.
fn native(facts: &Facts, image: &Image, from: &Stage, source: &str, musl: bool) -> Option<String> {
    let folder = source.trim_end_matches('/');
    let last = folder.rsplit('/').next().unwrap_or_default();
    if last.contains("venv") || folder.contains("site-packages") {
        return Some(format!("`{folder}`"));
    }
    if last == "node_modules" {
        let context = image.context.as_ref()?;
        let project = facts.application.projects.iter().find(|project| &project.folder == context)?;
        let package = project.dependencies.iter().find(|package| NATIVE.contains(&package.value.as_str()))?;
        return Some(format!("`{}` in `node_modules`", package.value));
    }
    // Rust links musl into the program, and glibc not.
    (folder.contains("target/release/") && !musl && from.known.is_some_and(|known| known.name() == "rust"))
        .then(|| format!("`{last}`"))
}

/// A program linked against a newer glibc than there is.
fn older_release(from: &Stage, to: &Stage, copy: &CopyFact) -> Option<Mismatch> {
    let compiled = copy.sources.iter().find(|source| source.value.contains("target/release/"))?;
    let of = |stage: &Stage| {
        let root = &stage.root.as_ref()?.value;
        Release::named(&format!("{}:{}", root.short_name(), root.tag.as_deref().unwrap_or_default()))
    };
    let (built, runs) = (of(from)?, of(to)?);
    if built == runs || !built.is_from(runs.distribution, runs.number) {
        return None;
    }
    let name = compiled.value.rsplit('/').next().unwrap_or_default();
    Some(Mismatch {
        message: format!("`{name}` is built on {} and copied to {}", built.title(), runs.title()),
        built: built.title(),
        runs: format!("{} has an older glibc", runs.title()),
        note: "the program ends with `GLIBC_… not found`",
    })
}
