//! What runs from start to end.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use plimsoll_text::{FileId, Files, Place};

use super::{Command, CommandId, Commands, Origin, UnitId};

/// Calls in calls beyond which nothing is followed.
const DEPTH: usize = 8;
/// Commands of a procedure beyond which the rest is left out.
const LONGEST: usize = 5_000;

/// A program with the functions, scripts and tasks that it calls put in their place.
#[derive(Clone, Debug)]
pub struct Procedure {
    /// The program that starts it.
    pub unit: UnitId,
    /// Its file.
    pub file: FileId,
    /// Where it stands.
    pub place: Place,
    /// A name for people: the task, the recipe, the script's file name, the job.
    pub name: String,
    /// Commands in the order of execution; a command that carries others comes right before them.
    pub steps: Vec<CommandId>,
}

impl Procedure {
    /// The commands.
    pub fn commands<'a>(&'a self, set: &'a Commands) -> impl Iterator<Item = &'a Command> + Clone {
        self.steps.iter().filter_map(|id| set.get(*id))
    }
}

pub(super) fn procedures(set: &Commands, files: &Files) -> Vec<Procedure> {
    let sourced: BTreeSet<UnitId> = set.units().flat_map(|(id, _)| set.sources(id).iter().copied()).collect();
    let index = Index::new(set, files);
    set.units()
        .filter(|(id, unit)| !(unit.origin == Origin::Script && sourced.contains(id)))
        .map(|(id, unit)| {
            let name = match &unit.origin {
                Origin::Task { name }
                | Origin::Recipe { name }
                | Origin::PackageScript { name }
                | Origin::AnsibleTask { name } => name.clone(),
                Origin::WorkflowStep { job } => job.clone(),
                Origin::CodeBlock { heading } => heading.clone(),
                Origin::ServiceCommand { service } => service.clone(),
                Origin::WrittenScript { path } => path.text.clone(),
                _ => files.get(unit.file).name().to_owned(),
            };
            let mut steps = Vec::new();
            follow(set, &index, id, None, &mut steps, &mut Vec::new());
            Procedure { unit: id, file: unit.file, place: unit.place, name, steps }
        })
        .collect()
}

/// Scripts by file name, tasks and recipes by name; of several, the first is meant.
#[derive(Default)]
struct Index<'a> {
    scripts: BTreeMap<&'a str, Vec<(&'a Utf8Path, UnitId)>>,
    tasks: BTreeMap<&'a str, UnitId>,
    recipes: BTreeMap<&'a str, UnitId>,
}

impl<'a> Index<'a> {
    fn new(set: &'a Commands, files: &'a Files) -> Self {
        let mut index = Self::default();
        for (id, unit) in set.units() {
            match &unit.origin {
                Origin::Script => {
                    let path = files.get(unit.file).path();
                    index.scripts.entry(path.file_name().unwrap_or_default()).or_default().push((path, id));
                }
                Origin::Task { name } => {
                    index.tasks.entry(name).or_insert(id);
                }
                Origin::Recipe { name } => {
                    index.recipes.entry(name).or_insert(id);
                }
                _ => {}
            }
        }
        index
    }

    /// The program that a command starts.
    fn callee(&self, command: &Command) -> Option<UnitId> {
        match command.program.as_str() {
            "bash" | "sh" | "dash" | "zsh" => self.script(
                command.args.iter().find(|arg| !arg.value.text.starts_with('-'))?.value.text.as_str(),
            ),
            "task" | "go-task" => self.tasks.get(command.operands().next()?.value.text.as_str()).copied(),
            "make" | "gmake" | "just" => {
                self.recipes.get(command.operands().next()?.value.text.as_str()).copied()
            }
            program if program.ends_with(".sh") || program.ends_with(".bash") => self.script(program),
            _ => None,
        }
    }

    /// The script that a word names: the one at its path, else the first of its name.
    fn script(&self, word: &str) -> Option<UnitId> {
        let wanted = Utf8Path::new(word);
        let name = wanted.file_name().filter(|name| name.contains('.') || word.contains('/'))?;
        let same = self.scripts.get(name)?;
        let exact = same.iter().find(|(path, _)| {
            path.as_str().ends_with(word.trim_start_matches("./")) || wanted.as_str().ends_with(path.as_str())
        });
        exact.or_else(|| same.first()).map(|(_, id)| *id)
    }
}

fn follow(
    set: &Commands,
    index: &Index<'_>,
    unit: UnitId,
    function: Option<&str>,
    steps: &mut Vec<CommandId>,
    stack: &mut Vec<(UnitId, Option<String>)>,
) {
    if stack.len() >= DEPTH || stack.iter().any(|(u, f)| *u == unit && f.as_deref() == function) {
        return;
    }
    stack.push((unit, function.map(str::to_owned)));
    for command in set.of_unit(unit).iter().filter(|command| command.function.as_deref() == function) {
        if steps.len() >= LONGEST {
            break;
        }
        steps.push(command.id);
        if let Some((owner, callee)) = set.function(unit, &command.program) {
            follow(set, index, owner, Some(&callee.name), steps, stack);
        } else if let Some(callee) = index.callee(command) {
            follow(set, index, callee, None, steps, stack);
        }
    }
    stack.pop();
}
