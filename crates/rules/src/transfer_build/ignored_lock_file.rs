//! Versions that nobody has tested.

use std::collections::BTreeMap;

use camino::Utf8Path;
use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine, Origin};
use plimsoll_model::images::Image;
use plimsoll_text::{FileId, Layer, Place, Spanned};

use super::builds::{Step, deployed, steps};
use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-005",
    name: "ignored-lock-file",
    title: "Build does not take the versions that were tested",
    theme: Theme::TransferBuild,
    severity: Severity::Medium,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[
        Reference { title: "npm, npm-ci", url: "https://docs.npmjs.com/cli/commands/npm-ci" },
        Reference {
            title: "Terraform, Dependency lock file",
            url: "https://developer.hashicorp.com/terraform/language/files/dependency-lock",
        },
    ],
    doc: include_str!("ignored_lock_file.md"),
    check,
};

/// Options of `pip install` that take a value.
const PIP_VALUES: &[&str] = &[
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "-e",
    "--editable",
    "-i",
    "--index-url",
    "--extra-index-url",
    "--trusted-host",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--python",
    "-f",
    "--find-links",
    "--timeout",
    "--retries",
    "--default-timeout",
];
const PYTHON_LOCKS: &[&str] = &["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "requirements.lock"];
const NODE_LOCKS: &[&str] = &["package-lock.json", "npm-shrinkwrap.json"];
/// Tools that install the rest; their own version changes little.
const INSTALLERS: &[&str] = &[
    "pip",
    "setuptools",
    "wheel",
    "uv",
    "poetry",
    "pipenv",
    "pdm",
    "npm",
    "pnpm",
    "yarn",
    "corepack",
    "build",
];

/// A step that takes whatever version there is.
struct Loose {
    place: Place,
    message: String,
    related: Vec<(Place, String)>,
    help: String,
    /// Whether it is a tool beside the project.
    is_tool: bool,
}

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut ranges: BTreeMap<FileId, Vec<Place>> = BTreeMap::new();
    // Several Dockerfiles of one project repeat each other's steps.
    let mut projects: BTreeMap<(Option<&Utf8Path>, Option<FileId>), Vec<Loose>> = BTreeMap::new();
    for image in deployed(facts) {
        let written = image.written_by.map(|place| place.file);
        let loose = projects.entry((image.context.as_deref(), written)).or_default();
        for step in image.stages.iter().flat_map(steps) {
            match step.program.as_str() {
                "npm" => loose.extend(npm(facts, image, &step)),
                "pip" | "pip3" => {
                    loose.extend(pip(facts, image, &step));
                    if let Some((file, place)) = requirements(facts, image, &step) {
                        ranges.entry(file).or_default().push(place);
                    }
                }
                "cargo" => loose.extend(cargo(facts, image, &step)),
                _ => {}
            }
        }
    }
    for mut loose in projects.into_values() {
        loose.sort_by_key(|loose| loose.place);
        report(loose, findings);
    }
    for (file, installed) in ranges {
        open_ranges(facts, file, &installed, findings);
    }
    scripts(facts, findings);
    super::provider_versions::judge(facts, findings);
}

fn report(loose: Vec<Loose>, findings: &mut Findings<'_>) {
    let minor = loose.iter().all(|loose| loose.is_tool);
    let mut rest = loose.into_iter();
    let Some(first) = rest.next() else { return };
    let finding = findings.add(first.place, first.message);
    for (place, text) in first.related {
        finding.related(place, text);
    }
    for other in rest.filter(|other| other.place != first.place) {
        finding.related(other.place, other.message);
    }
    finding
        .severity(if minor { Severity::Low } else { Severity::Medium })
        .note(
            "two builds of one commit differ, and a new version of a dependency reaches production untested",
        )
        .help(first.help);
}

/// A lock file of the build's context.
fn lock<'a>(facts: &Facts, image: &Image, names: &[&'a str]) -> Option<&'a str> {
    let context = image.context.as_ref()?;
    names.iter().copied().find(|name| facts.inventory.has(&context.join(name)))
}

/// Whether git ignores the lock file by a pattern, so that it cannot be told whether it is there.
fn unknown_lock(facts: &Facts, image: &Image, names: &[&str]) -> bool {
    image
        .context
        .as_ref()
        .is_none_or(|context| names.iter().any(|name| facts.git_ignored(&context.join(name)).is_some()))
}

fn npm(facts: &Facts, image: &Image, step: &Step) -> Option<Loose> {
    let operands = step.operands(&["--prefix", "-w", "--workspace", "--registry", "--omit", "--loglevel"]);
    let (verb, names) = operands.split_first()?;
    if !matches!(verb.value.as_str(), "install" | "i" | "add") {
        return None;
    }
    let names: Vec<&Spanned<String>> =
        names.iter().copied().filter(|name| is_open_npm(&name.value)).collect();
    if operands.len() > 1 {
        let first = names.first()?;
        return Some(Loose {
            place: first.place,
            message: format!("`npm {}` takes the newest version of `{}`", verb.value, first.value),
            related: Vec::new(),
            help: "put it into `package.json`, commit the lock file and run `npm ci`".to_owned(),
            is_tool: step.has(&["-g", "--global"]),
        });
    }
    let message = match lock(facts, image, NODE_LOCKS) {
        Some(lock) => format!("`npm {}` may change what `{lock}` says", verb.value),
        None if unknown_lock(facts, image, NODE_LOCKS) && image.context.is_some() => return None,
        None => format!("`npm {}` without a lock file takes the newest versions in each range", verb.value),
    };
    Some(Loose {
        place: step.place,
        message,
        related: Vec::new(),
        help: "commit `package-lock.json` and run `npm ci`".to_owned(),
        is_tool: false,
    })
}

/// Whether an argument of `npm install` is a package without a whole version.
fn is_open_npm(name: &str) -> bool {
    let from = usize::from(name.starts_with('@'));
    let version = name.get(from..).and_then(|rest| rest.split_once('@')).map(|(_, version)| version);
    let local = name.starts_with(['.', '/', '$']) || name.contains("://") || name.ends_with(".tgz");
    let is_tool = INSTALLERS.contains(&name.split('@').next().unwrap_or_default());
    !local
        && !is_tool
        && !version.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit() || c == '$'))
}

fn pip(facts: &Facts, image: &Image, step: &Step) -> Option<Loose> {
    if !step.has(&["install"]) {
        return None;
    }
    let values = |option: &str| {
        let at = step.words.iter().position(|word| word.value == option)?;
        step.words.get(at + 1)
    };
    let operands = step.operands(PIP_VALUES);
    let edited = values("-e").or_else(|| values("--editable"));
    let project = operands
        .iter()
        .copied()
        .chain(edited)
        .find(|word| matches!(word.value.as_str(), "." | "./") || word.value.starts_with(".["));
    if let Some(project) = project {
        let by_list = step.has(&["-r", "--requirement", "-c", "--constraint", "--no-deps"]);
        let lock = lock(facts, image, PYTHON_LOCKS).filter(|_| !by_list)?;
        let copied = image.stages.iter().flat_map(super::builds::own_copies).find_map(|copy| {
            copy.sources.iter().find(|source| source.value.ends_with(lock)).map(|source| source.place)
        });
        return Some(Loose {
            place: project.place,
            message: format!("`pip install {}` does not take the versions of `{lock}`", project.value),
            related: copied.map(|place| (place, "copied and not used".to_owned())).into_iter().collect(),
            help: format!(
                "install what `{lock}` names, for example with `uv sync --frozen`, or export it to a list for `pip install -r`"
            ),
            is_tool: false,
        });
    }
    let open = operands.iter().skip(1).find(|word| {
        let name = word.value.as_str();
        let bare = name.split(['[', '=', '<', '>', '~', '!', '@', ';']).next().unwrap_or_default();
        !name.contains("==")
            && !name.starts_with(['.', '/', '$'])
            && !name.contains("://")
            && !name.ends_with(".whl")
            && !name.contains(" @ ")
            && !INSTALLERS.contains(&bare)
            && !bare.is_empty()
    })?;
    (!step.has(&["-c", "--constraint", "--no-index"])).then(|| Loose {
        place: open.place,
        message: format!("`pip install` takes the newest version of `{}`", open.value),
        related: Vec::new(),
        help: "name the version (`name==1.2.3`), or install from a locked list".to_owned(),
        is_tool: false,
    })
}

fn cargo(facts: &Facts, image: &Image, step: &Step) -> Option<Loose> {
    let own = step.has(&["install"]) && step.has(&["--path"]) && !step.has(&["--locked", "--frozen"]);
    lock(facts, image, &["Cargo.lock"]).filter(|_| own)?;
    Some(Loose {
        place: step.place,
        message: "`cargo install` does not take the versions of `Cargo.lock`".to_owned(),
        related: Vec::new(),
        help: "add `--locked`".to_owned(),
        is_tool: false,
    })
}

/// The list that `pip install -r` reads, with the word that names it.
fn requirements(facts: &Facts, image: &Image, step: &Step) -> Option<(FileId, Place)> {
    let at = step.words.iter().position(|word| matches!(word.value.as_str(), "-r" | "--requirement"))?;
    if step.has(&["-c", "--constraint", "--require-hashes"]) {
        return None;
    }
    let word = step.words.get(at + 1)?;
    let name = word.value.rsplit('/').next()?;
    let context = image.context.as_ref()?;
    let found = [context.join(word.value.trim_start_matches("./")), context.join(name)];
    let file = found.iter().find_map(|path| facts.files.find(path))?;
    Some((file, word.place))
}

/// Lines of a list without a version.
fn open_ranges(facts: &Facts, file: FileId, installed: &[Place], findings: &mut Findings<'_>) {
    let source = facts.files.get(file);
    let layer = Layer::whole(file, source);
    let mut at = 0;
    let mut open = Vec::new();
    for line in source.text().split('\n') {
        let text = line.split('#').next().unwrap_or_default().trim_end();
        let is_package = text.starts_with(|c: char| c.is_ascii_alphanumeric());
        if text.contains("--hash=") {
            return;
        }
        if is_package && !text.contains("==") && !text.contains('@') {
            open.push((layer.place(at..at + text.len()), text.trim().to_owned()));
        }
        at += line.len() + 1;
    }
    let Some((first, name)) = open.first() else { return };
    let finding = findings.add(*first, format!("`{name}` can be another version at each build"));
    if open.len() > 1
        && let Some((last, _)) = open.last()
    {
        finding.related(*last, "the last of several such lines");
    }
    for place in installed {
        finding.related(*place, "installed from this list");
    }
    let folder = source.path().parent().unwrap_or(Utf8Path::new(""));
    let lock = PYTHON_LOCKS.iter().find(|lock| facts.inventory.has(&folder.join(lock)));
    let help = match lock {
        Some(lock) => format!("install what `{lock}` names, or export this list from it"),
        None => "list every package with its version, as `pip-compile` or `uv export` write it".to_owned(),
    };
    finding
        .note(
            "two builds of one commit differ, and a new version of a dependency reaches production untested",
        )
        .help(help);
}

/// `npm install` of scripts that build on the server.
fn scripts(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<FileId, Vec<&Command>> = BTreeMap::new();
    for (id, unit) in facts.commands.units() {
        let commands = facts.commands.of_unit(id);
        let is_script = unit.origin == Origin::Script && commands.iter().any(deploys)
            || commands.iter().any(|command| command.machine == Machine::Guest);
        if facts.commands.is_only_read(id) || !is_script || facts.is_development(unit.file) {
            continue;
        }
        let installs = commands.iter().filter(|command| {
            command.is("npm", &["install"])
                && command.operands().count() == 1
                && command.flag(&["-g"]).is_none()
        });
        found.entry(unit.file).or_default().extend(installs);
    }
    for (file, commands) in found {
        let Some(first) = commands.first() else { continue };
        let folder = facts.path(file).parent().unwrap_or(Utf8Path::new(""));
        let locks = |path: &&Utf8Path| path.file_name() == Some("package-lock.json");
        let Some(lock) = facts.inventory.below(folder).find(locks).map(Utf8Path::to_owned) else { continue };
        let finding = findings.add(first.place, format!("`npm install` may change what `{lock}` says"));
        for other in commands.iter().skip(1).filter(|other| other.place != first.place) {
            finding.related(other.place, "the same here");
        }
        finding
            .note("the server runs other versions than those that were tested, and its lock file differs from the repository's")
            .help("run `npm ci`");
    }
}

/// Whether a command belongs to a deployment.
fn deploys(command: &Command) -> bool {
    command.starts_services()
        || matches!(command.program.as_str(), "pm2" | "systemctl")
        || command.is("npm", &["run", "build"])
}
