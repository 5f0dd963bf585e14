//! CI workflows as jobs that test, build and deploy.

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::commands::{Command, HopKind, Machine, Origin, Procedure};
use plimsoll_model::{Facts, Kind, Stack};
use plimsoll_syntax::yaml::{Entry, Node};
use plimsoll_text::{FileId, Place};

/// A workflow.
pub(super) struct Workflow<'a> {
    /// Its file.
    pub file: FileId,
    /// Where it says that a push starts it.
    pub push: Option<Place>,
    /// An input by which a person may skip something.
    pub skip_input: Option<Place>,
    /// Its jobs in order.
    pub jobs: Vec<Job<'a>>,
}

/// A job.
pub(super) struct Job<'a> {
    /// Its key.
    pub name: &'a str,
    /// Where the key stands.
    pub place: Place,
    node: &'a Node,
}

/// All workflows in path order.
pub(super) fn workflows(facts: &Facts) -> Vec<Workflow<'_>> {
    facts
        .trees
        .yaml_of(Kind::Workflow)
        .filter_map(|(file, stream)| {
            let document = stream.documents.first()?;
            let jobs = document.get("jobs")?.entries().iter().filter_map(|entry| {
                Some(Job {
                    name: entry.key.as_str()?,
                    place: Place::new(file, entry.key.span),
                    node: &entry.value,
                })
            });
            Some(Workflow {
                file,
                push: document.get("on").and_then(|on| push(file, on)),
                skip_input: skip_input(file, document),
                jobs: jobs.collect(),
            })
        })
        .collect()
}

/// Where a trigger names a push to a branch; tags are releases.
fn push(file: FileId, on: &Node) -> Option<Place> {
    if let Some(entry) = on.entry("push") {
        let only_tags = entry.value.get("tags").is_some() && entry.value.get("branches").is_none();
        return (!only_tags).then(|| Place::new(file, entry.key.span));
    }
    if on.as_str() == Some("push") {
        return Some(Place::new(file, on.span));
    }
    on.items().iter().find(|item| item.as_str() == Some("push")).map(|item| Place::new(file, item.span))
}

fn skip_input(file: FileId, document: &Node) -> Option<Place> {
    let inputs = document.at(&["on", "workflow_dispatch", "inputs"])?;
    let skips = |entry: &&Entry| entry.key.as_str().is_some_and(|name| name.contains("skip"));
    inputs.entries().iter().find(skips).map(|entry| Place::new(file, entry.key.span))
}

impl<'a> Job<'a> {
    /// Its commands, those of the tasks and scripts that it calls included.
    fn commands<'b>(&'b self, facts: &'b Facts) -> impl Iterator<Item = &'b Command> {
        let of_job = move |procedure: &&Procedure| {
            let unit = facts.commands.unit(procedure.unit);
            unit.file == self.place.file
                && matches!(&unit.origin, Origin::WorkflowStep { job } if job == self.name)
        };
        facts
            .commands
            .procedures()
            .iter()
            .filter(of_job)
            .flat_map(|procedure| procedure.commands(&facts.commands))
    }

    /// Steps that call an action: its name, its inputs and its place.
    fn actions(&self) -> impl Iterator<Item = (&'a str, Option<&'a Node>, Place)> {
        let file = self.place.file;
        self.node.get("steps").map(|steps| steps.items()).unwrap_or_default().iter().filter_map(move |step| {
            let uses = step.entry("uses")?;
            Some((
                uses.value.as_str()?,
                step.get("with").map(|with| &**with),
                Place::new(file, uses.value.span),
            ))
        })
    }

    /// Whether it runs tests or checks.
    pub(super) fn tests(&self, facts: &Facts) -> bool {
        const PROGRAMS: &[&str] =
            &["pytest", "vitest", "jest", "ruff", "mypy", "eslint", "phpunit", "tox", "nox", "playwright"];
        let named = |text: &str| {
            text.split([':', '-', '_', '/', ' ']).any(|word| {
                matches!(
                    word,
                    "test" | "tests" | "lint" | "check" | "quality" | "pytest" | "vitest" | "clippy"
                )
            })
        };
        self.commands(facts).any(|command| {
            PROGRAMS.contains(&command.program.as_str())
                || matches!(
                    command.program.as_str(),
                    "npm"
                        | "pnpm"
                        | "yarn"
                        | "bun"
                        | "task"
                        | "make"
                        | "just"
                        | "go"
                        | "cargo"
                        | "uv"
                        | "poetry"
                ) && command.arg_texts().any(named)
        })
    }

    /// Whether it changes a server.
    pub(super) fn deploys(&self, facts: &Facts) -> bool {
        let by_action =
            self.actions().any(|(name, ..)| name.contains("ssh-action") || name.contains("scp-action"));
        by_action
            || self.commands(facts).any(|command| {
                matches!(command.machine, Machine::Node | Machine::Guest)
                    || matches!(command.program.as_str(), "ansible-playbook" | "rsync" | "scp")
                    || command.hops.iter().any(|hop| matches!(hop.kind, HopKind::Ssh { .. }))
            })
    }

    /// Whether its name says that it deploys.
    pub(super) fn named_deploy(&self) -> bool {
        let title = self.node.get("name").and_then(|name| name.as_str()).unwrap_or_default();
        [self.name, title].iter().any(|text| text.to_lowercase().contains("deploy"))
    }

    /// Whether it is a workflow of its own that is called.
    pub(super) fn calls_workflow(&self) -> bool {
        self.node.get("uses").is_some()
    }

    /// Its condition.
    pub(super) fn condition(&self) -> Option<(&'a str, Place)> {
        let entry = self.node.entry("if")?;
        Some((entry.value.as_str()?, Place::new(self.place.file, entry.key.span.cover(entry.value.span))))
    }

    /// The jobs that it needs.
    pub(super) fn needs(&self) -> Vec<&'a str> {
        let Some(needs) = self.node.get("needs") else { return Vec::new() };
        needs.as_str().into_iter().chain(needs.items().iter().filter_map(|item| item.as_str())).collect()
    }

    /// The Dockerfiles that it builds, with the command or action; no path when it cannot be told.
    pub(super) fn builds(&self, facts: &Facts) -> Vec<(Option<Utf8PathBuf>, Place)> {
        let mut out = Vec::new();
        for (name, with, place) in self.actions() {
            if name.starts_with("docker/bake-action") {
                out.push((None, place));
            }
            if name.starts_with("docker/build-push-action") {
                let input = |key: &str| with.and_then(|with| with.get(key)).and_then(|value| value.as_str());
                let context = Utf8Path::new(input("context").unwrap_or("."));
                let file = input("file").map_or_else(|| context.join("Dockerfile"), Utf8PathBuf::from);
                out.push(((!file.as_str().contains("${{")).then_some(file), place));
            }
        }
        for command in self.commands(facts).filter(|command| command.machine == Machine::Workstation) {
            let directory = facts.commands.unit(command.unit).directory.clone().unwrap_or_default();
            let directory = Utf8Path::new(&directory);
            if command.is("docker", &["compose"]) {
                out.extend(compose_builds(facts, command).into_iter().map(|path| (path, command.place)));
            } else if command.is("docker", &["build"]) || command.is("docker", &["buildx", "build"]) {
                let context = command.operands().last().map_or(".", |arg| arg.value.text.as_str());
                let file = command.option(&["-f", "--file"]).map(|option| Utf8PathBuf::from(option.text));
                let path = file.unwrap_or_else(|| Utf8Path::new(context).join("Dockerfile"));
                let known = !path.as_str().contains('$');
                out.push((known.then(|| directory.join(path)), command.place));
            }
        }
        out
    }
}

/// The Dockerfiles of the projects that a Compose command builds or starts.
fn compose_builds(facts: &Facts, command: &Command) -> Vec<Option<Utf8PathBuf>> {
    let builds =
        ["build", "up", "config", "run"].iter().any(|verb| command.arg_texts().any(|arg| arg == *verb));
    if !builds {
        return Vec::new();
    }
    let Some(file) = command.option(&["-f", "--file"]) else {
        return facts
            .stacks
            .iter()
            .filter(|stack| stack.compose.directory.as_str().is_empty())
            .filter(|stack| {
                stack.files.iter().any(|id| {
                    let name = facts.files.get(*id).name();
                    matches!(
                        name,
                        "compose.yaml" | "compose.yml" | "docker-compose.yml" | "docker-compose.yaml"
                    )
                })
            })
            .flat_map(Stack::services)
            .filter_map(dockerfile)
            .map(Some)
            .collect();
    };
    let named =
        |stack: &&Stack| stack.files.iter().any(|id| file.text.ends_with(facts.files.get(*id).name()));
    facts.stacks.iter().filter(named).flat_map(Stack::services).filter_map(dockerfile).map(Some).collect()
}

fn dockerfile(service: &plimsoll_model::compose::Service) -> Option<Utf8PathBuf> {
    let build = service.build.as_ref()?;
    let name = build.dockerfile.as_ref().map_or("Dockerfile", |name| name.value.as_str());
    Some(build.context.value.resolved.join(name))
}
