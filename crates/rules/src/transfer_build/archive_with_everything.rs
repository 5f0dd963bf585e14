//! An archive carries what no server needs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::Facts;
use plimsoll_model::commands::{Command, Machine};
use plimsoll_text::{Layer, Place};

use crate::{Confidence, Findings, FixKind, Reference, Rule, Severity, Theme};

pub(crate) const RULE: Rule = Rule {
    code: "BLD-014",
    name: "archive-with-everything",
    title: "Transfer carries tests and documents",
    theme: Theme::TransferBuild,
    severity: Severity::Low,
    confidence: Confidence::High,
    worse_near_node: false,
    fix: FixKind::None,
    references: &[Reference { title: "Git, git-archive", url: "https://git-scm.com/docs/git-archive" }],
    doc: include_str!("archive_with_everything.md"),
    check,
};

/// Words in the names of folders that serve the making of a program, not its running.
const IDLE: &[&str] = &[
    "docs",
    "doc",
    "documentation",
    "test",
    "tests",
    "e2e",
    "spec",
    "specs",
    "examples",
    "notes",
    "agent",
    "agents",
    "plans",
    "procedures",
    "github",
    "vscode",
    "idea",
    "adr",
];

fn check(facts: &Facts, findings: &mut Findings<'_>) {
    let mut found: BTreeMap<Vec<Utf8PathBuf>, Vec<Place>> = BTreeMap::new();
    // Most transfers start from one folder.
    let mut bases: BTreeMap<Utf8PathBuf, Base> = BTreeMap::new();
    for command in facts.commands.iter() {
        if facts.commands.is_only_read(command.unit)
            || command.machine != Machine::Workstation
            || !command.takes_whole_folder()
        {
            continue;
        }
        let Some(base) = base(facts, command) else { continue };
        let left_out = left_out(command);
        let Base { idle, all } = match bases.entry(base) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let found = Base::new(facts, new.key());
                new.insert(found)
            }
        };
        let taken = idle.iter().filter(|(folder, _)| !is_left_out(folder, &left_out));
        let carried: usize = taken.clone().map(|(_, files)| files).sum();
        let idle: Vec<Utf8PathBuf> = taken.map(|(folder, _)| folder.clone()).collect();
        if idle.len() < 2 && carried * 5 < *all || idle.is_empty() {
            continue;
        }
        found.entry(idle).or_default().push(command.place);
    }
    for (idle, places) in found {
        let mut rest = places.into_iter();
        let Some(first) = rest.next() else { continue };
        let shown: Vec<String> = idle.iter().take(3).map(|folder| format!("`{folder}`")).collect();
        let finding = findings.add(first, format!("{} go along to the server", shown.join(", ")));
        finding.label("takes the whole folder");
        for folder in idle.iter().take(5) {
            let file = facts.inventory.below(folder).find_map(|path| facts.files.find(path));
            if let Some(id) = file {
                let place = Layer::whole(id, facts.files.get(id)).place(0..0);
                finding.related(place, format!("one of {} files in `{folder}`", count(facts, folder)));
            }
        }
        for place in rest {
            finding.related(place, "takes them, too");
        }
        finding
            .note("each transfer takes longer than it has to, and whoever gets into the server reads how it was made")
            .help("name the folders that the build needs, or pack with `git archive` and `export-ignore`");
    }
}

fn count(facts: &Facts, folder: &Utf8Path) -> usize {
    facts.inventory.below(folder).count()
}

/// The folder of the repository that is taken: where the last `cd` or `-C` leads, else the root.
fn base(facts: &Facts, command: &Command) -> Option<Utf8PathBuf> {
    let option = command.option(&["-C", "--directory"]).map(|option| option.text.to_owned());
    let before = facts.commands.of_unit(command.unit).iter().take_while(|other| other.id < command.id);
    let moved = before
        .filter(|other| other.program == "cd" && other.machine == command.machine)
        .filter(|other| other.function == command.function || other.function.is_none())
        .last()
        .and_then(|cd| cd.operands().next())
        .map(|arg| arg.value.text.clone());
    let Some(text) = option.or(moved) else { return Some(Utf8PathBuf::new()) };
    let known: Vec<&str> = text
        .split('/')
        .rev()
        .take_while(|part| !part.contains(['$', '{', '(', ')', '}']) && !part.is_empty())
        .collect();
    let mut folder = Utf8PathBuf::new();
    for part in known.iter().rev().filter(|part| !matches!(**part, "." | "..")) {
        folder.push(part);
    }
    (folder.as_str().is_empty() || facts.inventory.has_folder(&folder)).then_some(folder)
}

/// Patterns of `--exclude`.
fn left_out(command: &Command) -> Vec<String> {
    let mut out = Vec::new();
    for (index, arg) in command.args.iter().enumerate() {
        let text = arg.value.text.as_str();
        let pattern = match text.strip_prefix("--exclude") {
            Some("") => command.arg(index + 1),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(pattern) = pattern {
            let pattern = pattern
                .trim_matches(['"', '\''])
                .trim_start_matches("./")
                .trim_start_matches("**/")
                .trim_start_matches("*/");
            out.push(pattern.trim_end_matches("/*").trim_matches('/').to_owned());
        }
    }
    out
}

fn is_left_out(folder: &Utf8Path, patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| {
        folder.ends_with(pattern)
            || folder.starts_with(pattern)
            || folder.components().any(|part| {
                pattern.split_once('*').is_some_and(|(start, end)| {
                    part.as_str().starts_with(start) && part.as_str().ends_with(end)
                })
            })
    })
}

/// A folder that is taken, with how many files it holds.
struct Base {
    /// The idle folders below it, in path order.
    idle: Vec<(Utf8PathBuf, usize)>,
    all: usize,
}

impl Base {
    fn new(facts: &Facts, base: &Utf8Path) -> Self {
        let mut idle: Vec<(Utf8PathBuf, usize)> = Vec::new();
        for folder in facts.inventory.below(base).filter_map(|path| idle_folder(path, base)) {
            if !idle.iter().any(|(known, _)| *known == folder) {
                let files = count(facts, &folder);
                idle.push((folder, files));
            }
        }
        Self { idle, all: count(facts, base) }
    }
}

/// The idle folder that a file lies in, among the upper two levels.
fn idle_folder(path: &Utf8Path, base: &Utf8Path) -> Option<Utf8PathBuf> {
    let inner = path.strip_prefix(base).ok()?;
    let folders: Vec<&str> = inner.parent()?.components().map(|part| part.as_str()).collect();
    let at = folders.iter().take(2).position(|folder| {
        let lower = folder.to_ascii_lowercase();
        lower.split(['_', '-', '.']).any(|word| IDLE.contains(&word))
    })?;
    Some(base.join(folders.get(..=at)?.join("/")))
}
