//! Names of files, tasks and services that do not exist.

use std::collections::BTreeSet;

use camino::Utf8Path;
use plimsoll_model::commands::Command;
use plimsoll_model::{Facts, Kind};

/// The names that programs may call; nothing where files cannot tell all of them.
pub(super) struct Known<'a> {
    targets: Option<BTreeSet<&'a str>>,
    tasks: Option<BTreeSet<&'a str>>,
}

impl<'a> Known<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        Self { targets: targets(facts), tasks: tasks(facts) }
    }
}

/// Targets of the one Makefile; nothing where it includes others or makes up names.
fn targets(facts: &Facts) -> Option<BTreeSet<&str>> {
    let mut makefiles = facts.trees.makefiles.values();
    let (makefile, None) = (makefiles.next()?, makefiles.next()) else { return None };
    let patterns = makefile.targets.iter().any(|target| target.name.value.contains(['%', '$']));
    let names = makefile.targets.iter().map(|target| &target.name).chain(&makefile.phony);
    (makefile.includes.is_empty() && !patterns).then(|| names.map(|name| name.value.as_str()).collect())
}

/// Tasks by the last part of their names; nothing where there are wildcards or other names for a task.
fn tasks(facts: &Facts) -> Option<BTreeSet<&str>> {
    let mut names = None;
    for (_, stream) in facts.trees.yaml_of(Kind::Taskfile) {
        let names = names.get_or_insert_with(BTreeSet::new);
        let tasks = stream.documents.iter().filter_map(|document| document.get("tasks"));
        for entry in tasks.flat_map(|tasks| tasks.entries()) {
            let key = entry.key.as_str().unwrap_or_default();
            if key.contains('*') || entry.value.get("aliases").is_some() {
                return None;
            }
            names.insert(key.rsplit(':').next().unwrap_or(key));
        }
    }
    names
}

/// What a command calls and nobody has, as a fragment.
pub(super) fn missing_name(facts: &Facts, known: &Known<'_>, command: &Command) -> Option<String> {
    let tested = command.guards.iter().any(|guard| {
        let text = facts.text(guard.condition);
        ["-f ", "-x ", "-e ", "-r ", "command -v", "which ", "-d "].iter().any(|test| text.contains(test))
    });
    if tested {
        return None;
    }
    let first = command.operands().next().map(|arg| arg.value.text.as_str());
    match command.program.as_str() {
        "make" | "gmake" => target(known, command, first?),
        "task" | "go-task" => task(known, first?),
        "npm" | "pnpm" | "yarn" => package_script(facts, command),
        "docker" | "docker-compose" => {
            compose_file(facts, command).or_else(|| compose_service(facts, command))
        }
        "bash" | "sh" | "source" | "." => script(facts, first?),
        _ => script(facts, facts.text(command.place).split_whitespace().next()?),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.'))
}

fn target(known: &Known<'_>, command: &Command, name: &str) -> Option<String> {
    let targets = known.targets.as_ref().filter(|_| command.flag(&["-C", "-f"]).is_none())?;
    (is_name(name) && !name.contains('=') && !targets.contains(name))
        .then(|| format!("target `{name}` in the Makefile"))
}

fn task(known: &Known<'_>, name: &str) -> Option<String> {
    let own = name.rsplit(':').next().unwrap_or(name);
    (is_name(name) && !known.tasks.as_ref()?.contains(own)).then(|| format!("task `{name}`"))
}

fn package_script(facts: &Facts, command: &Command) -> Option<String> {
    let mut words = command.operands().map(|arg| arg.value.text.as_str());
    let name = match words.next()? {
        "run" | "run-script" => words.next()?,
        _ => return None,
    };
    let mut projects =
        facts.application.projects.iter().filter(|project| !project.scripts.is_empty()).peekable();
    projects.peek()?;
    let manifests = facts.inventory.named("package.json");
    let known = projects.clone().count();
    let has = projects.any(|project| project.scripts.iter().any(|(key, _)| key.value == name));
    (is_name(name) && !has && known == manifests).then(|| format!("script `{name}` in any `package.json`"))
}

/// `-f FILE` of a file that neither the project has nor a command makes.
fn compose_file(facts: &Facts, command: &Command) -> Option<String> {
    if !command.is("docker", &["compose"]) {
        return None;
    }
    let mut takes_value = false;
    for arg in &command.args {
        let text = arg.value.text.as_str();
        let path = if std::mem::take(&mut takes_value) {
            text
        } else if matches!(text, "-f" | "--file") {
            takes_value = true;
            continue;
        } else if let Some(path) = text.strip_prefix("--file=") {
            path
        } else if matches!(text, "exec" | "run" | "logs" | "up") {
            return None;
        } else {
            continue;
        };
        let name = Utf8Path::new(path)
            .file_name()
            .filter(|name| name.ends_with(".yml") || name.ends_with(".yaml"))?;
        if !path.contains(['$', '{', '*', '<']) && !path.starts_with('/') && !exists(facts, name) {
            return Some(format!("file `{path}`"));
        }
    }
    None
}

fn compose_service(facts: &Facts, command: &Command) -> Option<String> {
    let mut stacks = facts.stacks.iter().peekable();
    stacks.peek()?;
    if !command.is("docker", &["compose"]) {
        return None;
    }
    let skip = if command.program == "docker-compose" { 0 } else { 1 };
    let mut words = command.operands().map(|arg| arg.value.text.as_str()).skip(skip);
    let one = match words.next()? {
        "exec" | "logs" | "restart" | "stop" | "start" => words.next()?,
        _ => return None,
    };
    let has = stacks.any(|stack| {
        stack.services().any(|service| {
            service.name == one || service.container_name.as_ref().is_some_and(|name| name.value == one)
        }) || stack.problems.iter().any(|problem| problem.is_error && problem.message.contains("include"))
    });
    // Files that the evaluation cannot see may name more services.
    let foreign =
        command.args.iter().any(|arg| arg.value.text.starts_with('/') || arg.value.text.contains('$'));
    (is_name(one) && !one.chars().all(|c| c.is_ascii_digit()) && !has && !foreign)
        .then(|| format!("service `{one}` in any Compose file"))
}

/// A relative path to a shell script of the project.
fn script(facts: &Facts, path: &str) -> Option<String> {
    let path = path.trim_matches(['"', '\'']);
    let relative = path.strip_prefix("./").unwrap_or(path);
    let ours = relative.contains('/') || path.starts_with("./");
    let plain = !path.starts_with(['/', '~', '$', '.']) || path.starts_with("./");
    let name = Utf8Path::new(relative).file_name()?;
    (ours
        && plain
        && name.ends_with(".sh")
        && !path.contains(['$', '{', '*', '<', '(', ' ', '\n'])
        && !exists(facts, name))
    .then(|| format!("script `{path}`"))
}

/// Whether the project has a file of this name, or a command makes one.
fn exists(facts: &Facts, name: &str) -> bool {
    facts.inventory.named(name) > 0
        || facts.commands.iter().any(|command| {
            let makes = matches!(
                command.program.as_str(),
                "cp" | "mv" | "ln" | "install" | "curl" | "wget" | "tee" | "scp" | "touch"
            );
            command.outputs.iter().any(|output| output.target.text.ends_with(name))
                || makes && command.arg_texts().any(|text| text.ends_with(name))
        })
}
