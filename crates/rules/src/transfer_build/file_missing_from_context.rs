//! A build needs a file that its context does not have.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::Facts;
use plimsoll_model::application::Project;
use plimsoll_model::images::{CopyFrom, Image, Stage};
use plimsoll_text::{Place, Spanned};

use super::builds::{Step, brings, clean, deployed, is_unclear, named_context, own_copies, steps};
use crate::edits;
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-002",
    name: "file-missing-from-context",
    title: "Build needs a file that its context does not have",
    theme: Theme::TransferBuild,
    severity: Severity::Critical,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::Safe,
    references: &[Reference {
        title: "Docker, Build context",
        url: "https://docs.docker.com/build/concepts/context/",
    }],
    doc: include_str!("file_missing_from_context.md"),
    check,
};

/// Folders that are read by nobody, so that their absence says nothing.
const NOT_LISTED: &[&str] =
    &["node_modules", "vendor", ".venv", "venv", ".git", ".next", ".nuxt", "site-packages", ".svelte-kit"];

/// Commands that stop without a lock file: program, words that all have to be there, the file.
const NEED_LOCK: &[(&str, &[&str], &[&str])] = &[
    ("npm", &["ci"], &["package-lock.json", "npm-shrinkwrap.json"]),
    ("pnpm", &["install", "--frozen-lockfile"], &["pnpm-lock.yaml"]),
    ("uv", &["sync", "--frozen"], &["uv.lock"]),
    ("uv", &["sync", "--locked"], &["uv.lock"]),
    ("cargo", &["build", "--locked"], &["Cargo.lock"]),
    ("cargo", &["build", "--frozen"], &["Cargo.lock"]),
];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut reported = BTreeMap::new();
    for image in deployed(facts).filter(|image| image.written_by.is_none()) {
        missing_sources(facts, image, &mut reported);
        for stage in &image.stages {
            if is_unclear(image, stage) {
                continue;
            }
            for step in steps(stage) {
                missing_metadata(facts, image, stage, &step, findings);
                missing_lock(facts, image, stage, &step, findings);
            }
        }
    }
    for missing in reported.into_values() {
        report_missing(missing, findings);
    }
}

/// `COPY` of what is not there: one finding for an image.
fn missing_sources(facts: &Facts, image: &Image, found: &mut BTreeMap<Utf8PathBuf, Vec<Missing>>) {
    let named = named_context(facts, image);
    let contexts: Vec<Utf8PathBuf> = match &named {
        Some(context) => vec![context.clone()],
        None => {
            let own = image.path.parent().unwrap_or(Utf8Path::new(""));
            own.ancestors().map(Utf8Path::to_owned).collect()
        }
    };
    let mut missing: Vec<Missing> = Vec::new();
    for copy in image.stages.iter().flat_map(own_copies).filter(|copy| copy.from == CopyFrom::Context) {
        for source in &copy.sources {
            let path = clean(&source.value);
            let plain = !path.is_empty() && !path.contains(['*', '?', '$', '[', ':']) && !path.contains("..");
            if plain && let Some(reason) = absent(facts, image, &contexts, Utf8Path::new(path)) {
                missing.push((source.place, path.to_owned(), reason));
            }
        }
    }
    let (Some((_, first, _)), Some(context)) = (missing.first(), contexts.first()) else { return };
    let path = context.join(first);
    found.entry(path).or_default().extend(missing);
}

/// One finding for all images that miss the same path.
fn report_missing(missing: Vec<Missing>, findings: &mut Findings<'_>) {
    let mut missing = missing.into_iter();
    let Some((place, path, reason)) = missing.next() else { return };
    let finding = findings.add(place, format!("`{path}` is not in the build context"));
    finding.label("copied here");
    let ignored = reason.is_some();
    if let Some((place, why)) = reason {
        finding.related(place, why);
    }
    for (place, path, _) in missing {
        finding.related(place, format!("`{path}` is missing, too"));
    }
    finding
        .note(if ignored {
            "the build works where the file lies around and stops everywhere else, in CI and on a fresh checkout"
        } else {
            "the build stops here"
        })
        .help("make it in an earlier stage of the build, or commit it");
}

/// The line that keeps a path out, when there is one, and what it does.
type Reason = Option<(Place, String)>;

/// Where a path is copied, the path, and why it is missing.
type Missing = (Place, String, Reason);

/// Nothing when a path is there; else the line that keeps it out, when there is one.
fn absent(facts: &Facts, image: &Image, contexts: &[Utf8PathBuf], path: &Utf8Path) -> Option<Reason> {
    let exists = |path: &Utf8Path| facts.inventory.has(path) || facts.inventory.has_folder(path);
    if contexts.iter().any(|context| exists(&context.join(path))) {
        let place = facts.build_ignored(image, path)?;
        return Some(Some((place, "left out of the context by this line".to_owned())));
    }
    let ignored = contexts.iter().find_map(|context| facts.git_ignored(&context.join(path)));
    if let Some(place) = ignored {
        if NEED_LOCK.iter().any(|(.., locks)| locks.iter().any(|lock| path.ends_with(lock))) {
            return None;
        }
        return Some(Some((place, "kept out of the repository by this line".to_owned())));
    }
    let unread = path.components().any(|part| NOT_LISTED.contains(&part.as_str()));
    // The same path in another folder may be the one that is meant.
    let elsewhere = facts
        .inventory
        .paths()
        .any(|other| other.ends_with(path) || other.ancestors().skip(1).any(|folder| folder.ends_with(path)));
    (!unread && !elsewhere).then_some(None)
}

/// The project that stands in an image's context.
fn project<'a>(facts: &'a Facts, image: &Image) -> Option<&'a Project> {
    let context = image.context.as_ref()?;
    facts.application.projects.iter().find(|project| {
        &project.folder == context && facts.files.get(project.manifest).name() == "pyproject.toml"
    })
}

/// Metadata of a Python project that its build backend reads before the code is copied.
fn missing_metadata(facts: &Facts, image: &Image, stage: &Stage, step: &Step, findings: &mut Findings<'_>) {
    let installs = match step.program.as_str() {
        "pip" | "pip3" => step.has(&["install"]) && installs_project(step),
        "uv" => {
            step.has(&["pip"]) && installs_project(step)
                || step.has(&["sync"]) && !step.has(&["--no-install-project"])
        }
        "poetry" => step.has(&["install"]) && !step.has(&["--no-root"]),
        _ => false,
    };
    let (true, Some(project)) = (installs, project(facts, image)) else { return };
    let strict = ["hatchling", "poetry", "flit", "uv_build", "pdm"];
    let Some(backend) = &project.build_backend else { return };
    if !strict.iter().any(|name| backend.value.contains(name)) {
        return;
    }
    let manifest = Utf8Path::new("pyproject.toml");
    let Some(brought) = brings(facts, image, stage, manifest, step.place) else { return };
    let is_missing = |file: &&Spanned<String>| {
        !file.value.contains('*')
            && brings(facts, image, stage, Utf8Path::new(&file.value), step.place).is_none()
    };
    let Some(file) = project.build_files.iter().find(is_missing) else { return };
    let finding = findings.add(
        brought.place,
        format!("`{}` is named by `pyproject.toml` and not copied before the installation", file.value),
    );
    finding.label("copied without it").related(file.place, "named here");
    finding.fix(edits::safe(format!("copy `{}` as well", file.value), copy_too(facts, image, brought, file)));
    if let Some(line) = facts.build_ignored(image, Utf8Path::new(&file.value)) {
        finding.related(line, "left out of the context by this line");
    }
    finding
        .related(step.place, "installed here")
        .related(backend.place, "this backend stops when it is missing")
        .note("the image cannot be built")
        .help(format!("copy `{}` together with `pyproject.toml`", file.value));
}

/// `pip install .`, `pip install -e .[x]`.
fn installs_project(step: &Step) -> bool {
    step.words.iter().any(|word| {
        let text = word.value.as_str();
        matches!(text, "." | "./") || text.starts_with(".[") || text.starts_with("./[") || text == "-e."
    })
}

/// A lock file that a command insists on.
fn missing_lock(facts: &Facts, image: &Image, stage: &Stage, step: &Step, findings: &mut Findings<'_>) {
    let Some((program, words, locks)) = NEED_LOCK
        .iter()
        .find(|(program, words, _)| step.program == *program && words.iter().all(|word| step.has(&[word])))
    else {
        return;
    };
    let elsewhere = step.has(&["--prefix", "--manifest-path", "--project", "--directory", "-C", "--dir"])
        || steps(stage).iter().any(|other| other.program == "cd");
    let manifest = match *program {
        "npm" | "pnpm" => "package.json",
        "uv" => "pyproject.toml",
        _ => "Cargo.toml",
    };
    let manifest = brings(facts, image, stage, Utf8Path::new(manifest), step.place);
    let (false, Some(manifest)) = (elsewhere, manifest) else { return };
    // Lock files are often committed although a general list of patterns ignores them, and the list is all we see.
    let perhaps = image
        .context
        .as_ref()
        .is_some_and(|context| locks.iter().any(|lock| facts.git_ignored(&context.join(lock)).is_some()));
    if perhaps
        || locks.iter().any(|lock| brings(facts, image, stage, Utf8Path::new(lock), step.place).is_some())
    {
        return;
    }
    let Some(lock) = locks.first() else { return };
    let finding = findings
        .add(step.place, format!("`{program} {}` needs `{lock}`, which is not copied", words.join(" ")));
    finding.label("stops without it").related(manifest.place, "copied without it");
    finding
        .note("the image cannot be built")
        .help(format!("commit `{lock}` and copy it before this command"));
}

/// The file behind the manifest in the same instruction.
fn copy_too(
    facts: &Facts,
    image: &Image,
    copy: &plimsoll_model::images::CopyFact,
    file: &Spanned<String>,
) -> Option<Vec<plimsoll_text::Edit>> {
    let manifest = copy.sources.iter().find(|source| source.value.ends_with("pyproject.toml"))?;
    let folder = manifest.value.strip_suffix("pyproject.toml")?;
    let into_folder = facts.text(copy.place).trim_end().ends_with(['/', '.']);
    let there = facts.inventory.has(&image.context.as_ref()?.join(folder).join(&file.value));
    let plain = facts.text(manifest.place) == manifest.value
        && facts.build_ignored(image, Utf8Path::new(&file.value)).is_none();
    (into_folder && there && plain)
        .then(|| vec![edits::after(manifest.place, format!(" {folder}{}", file.value))])
}
