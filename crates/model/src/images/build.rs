//! Stages with what they inherit.

use std::sync::Arc;

use camino::Utf8PathBuf;
use plimsoll_syntax::dockerfile::{
    self, Command, Copy, Dockerfile, ImageReference, Instruction, InstructionKind, Pair, Source, expand,
};
use plimsoll_text::Spanned;

use super::context;
use super::image::{
    Base, CommandLine, CopyFact, CopyFrom, HealthcheckFact, Image, ImageSource, Images, Package,
    PackageManager, Program, Stage, UserFact,
};
use super::install::effects;
use super::known::{KnownImage, Os};
use super::packages::programs;
use super::run::commands;
use crate::Inventory;
use crate::application::Project;

impl Images {
    /// Reads Dockerfiles and works out what their stages hold. The projects tell what `pip install .` brings.
    #[must_use]
    pub fn new(sources: Vec<ImageSource>, projects: &[Project], inventory: &Inventory) -> Self {
        let folders: Vec<Utf8PathBuf> = projects.iter().map(|project| project.folder.clone()).collect();
        let images = sources.into_iter().map(|source| {
            let tree = dockerfile::parse(&source.layer);
            let written = source.written_by.is_some();
            let context =
                source.context.or_else(|| context::find(&tree, &source.path, written, inventory, &folders));
            let here: Vec<&Project> =
                projects.iter().filter(|project| Some(&project.folder) == context.as_ref()).collect();
            let stages = stages(&tree, &here);
            Image {
                path: source.path,
                file: source.layer.file(),
                written_by: source.written_by,
                context,
                tree: Arc::new(tree),
                stages,
            }
        });
        Self { images: images.collect() }
    }
}

fn stages(tree: &Dockerfile, projects: &[&Project]) -> Vec<Stage> {
    let mut out: Vec<Stage> = Vec::new();
    for parsed in &tree.stages {
        let mut stage = start(parsed, tree, &out);
        for instruction in &parsed.instructions {
            apply(&mut stage, instruction, &out, projects);
        }
        out.push(stage);
    }
    out
}

/// The stage before its first instruction.
fn start(parsed: &dockerfile::Stage, tree: &Dockerfile, earlier: &[Stage]) -> Stage {
    let written = parsed.base.written.value.to_lowercase();
    let index = parsed.index;
    let name = parsed.name.as_ref().map(|name| name.value.clone());
    let parent = earlier.iter().find(|stage| stage.name.as_deref() == Some(written.as_str()));
    if let Some(parent) = parent {
        let base = Base::Stage(parent.index);
        return Stage { index, name, place: parsed.place, base, ..parent.clone() };
    }
    let base = match &parsed.base.reference {
        _ if written == "scratch" => Base::Scratch,
        Some(reference) => Base::Image(reference.clone()),
        None => Base::Unknown,
    };
    let reference = parsed.base.reference.clone().filter(|_| base != Base::Scratch);
    let known = reference.as_ref().and_then(KnownImage::find);
    let os = match &reference {
        Some(reference) => Os::of(reference, known),
        None if base == Base::Scratch => Os::Scratch,
        None => Os::Unknown,
    };
    Stage {
        index,
        name,
        place: parsed.place,
        base,
        known,
        root: reference.map(|reference| Spanned::new(reference, parsed.base.written.place)),
        os,
        packages: Vec::new(),
        env: std::collections::BTreeMap::new(),
        user: None,
        workdir: None,
        exposed: Vec::new(),
        volumes: Vec::new(),
        entrypoint: None,
        cmd: None,
        healthcheck: None,
        copies: Vec::new(),
        runs: Vec::new(),
        programs: Vec::new(),
        opaque: Vec::new(),
        environments: Vec::new(),
        arguments: tree
            .global_args
            .iter()
            .filter_map(|pair| Some((pair.name.value.clone(), pair.value.as_ref()?.value.clone())))
            .collect(),
    }
}

fn apply(stage: &mut Stage, instruction: &Instruction, earlier: &[Stage], projects: &[&Project]) {
    let place = instruction.place;
    match &instruction.kind {
        InstructionKind::Arg(pairs) => {
            for pair in pairs {
                if let Some(value) = pair.value.as_ref().and_then(|value| stage.filled(&value.value)) {
                    stage.arguments.insert(pair.name.value.clone(), value);
                }
            }
        }
        InstructionKind::Env(pairs) => {
            for Pair { name, value, .. } in pairs {
                if let Some(value) = value {
                    stage.env.insert(name.value.clone(), value.clone());
                }
            }
        }
        InstructionKind::Run(run) => {
            stage.runs.push(Spanned::new(run.command.clone(), place));
            installed(stage, &run.command, projects);
        }
        InstructionKind::Copy(copy) => copied(stage, copy, place, earlier),
        InstructionKind::Cmd(command) => stage.cmd = Some(command_line(command, place)),
        InstructionKind::Entrypoint(command) => {
            stage.entrypoint = Some(command_line(command, place));
            // A new entry point resets the command of the base image, not one of this file.
        }
        InstructionKind::Healthcheck(check) => {
            stage.healthcheck = Some(HealthcheckFact { command: check.command.clone(), place });
        }
        InstructionKind::User(user) => {
            let name = user.value.split(':').next().unwrap_or_default().to_owned();
            let root = stage.filled(&name).map(|name| matches!(name.as_str(), "root" | "0"));
            stage.user = Some(UserFact { name, root, place: user.place });
        }
        InstructionKind::Workdir(folder) => {
            let joined = absolute(stage, &folder.value);
            stage.workdir = Some(Spanned::new(joined, folder.place));
        }
        InstructionKind::Expose(ports) => {
            for port in ports {
                let number = stage.filled(&port.value).unwrap_or_default();
                let number = number.split(['/', '-']).next().unwrap_or_default();
                if let Ok(number) = number.parse() {
                    stage.exposed.push(Spanned::new(number, port.place));
                }
            }
        }
        InstructionKind::Volume(paths) => stage.volumes.extend(paths.iter().cloned()),
        InstructionKind::Label(_)
        | InstructionKind::Shell(_)
        | InstructionKind::Stopsignal(_)
        | InstructionKind::Onbuild(_)
        | InstructionKind::Other { .. } => {}
    }
}

impl Stage {
    /// A text with arguments and environment filled in.
    fn filled(&self, text: &str) -> Option<String> {
        expand(text, &|name| {
            let env = self.env.get(name).map(|value| value.value.clone());
            env.filter(|value| !value.contains('$')).or_else(|| self.arguments.get(name).cloned())
        })
    }
}

fn absolute(stage: &Stage, path: &str) -> String {
    let path = stage.filled(path).unwrap_or_else(|| path.to_owned());
    if path.starts_with('/') || path.starts_with('$') {
        return path;
    }
    let base = stage.workdir.as_ref().map_or("/", |folder| folder.value.as_str());
    let relative = path.trim_start_matches("./");
    if matches!(relative, "" | ".") {
        base.to_owned()
    } else {
        format!("{}/{relative}", base.trim_end_matches('/'))
    }
}

fn command_line(command: &Command, place: plimsoll_text::Place) -> CommandLine {
    let words = match command {
        Command::Exec(words) => words.clone(),
        Command::Shell(layer) => commands(layer)
            .into_iter()
            .next()
            .unwrap_or_default()
            .into_iter()
            .map(|word| Spanned::new(word.text, word.place))
            .collect(),
    };
    CommandLine { command: command.clone(), words, place }
}

fn installed(stage: &mut Stage, command: &Command, projects: &[&Project]) {
    let effects = effects(command);
    for environment in &effects.environments {
        let folder = absolute(stage, environment);
        stage.environments.push(folder);
    }
    for package in effects.packages {
        let folder = folder_of(stage, &package);
        for name in brought(&package, projects) {
            let why = format!("installed by `{}`", package.manager.command());
            stage.programs.push(Program { name, folder: folder.clone(), why, place: package.place });
        }
        if package.is_project() && projects.is_empty() {
            let why = format!("`{}` installs what the project depends on", package.manager.command());
            stage.opaque.push(Spanned::new(why, package.place));
        }
        stage.packages.push(package);
    }
    for (path, place) in effects.files {
        let path = absolute(stage, &path);
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let why = "created by this command".to_owned();
        stage.programs.push(Program { name: name.to_owned(), folder: Some(folder.to_owned()), why, place });
    }
    stage.opaque.extend(effects.opaque.into_iter().map(|(why, place)| Spanned::new(why, place)));
}

/// The programs that a package brings, for a project those of everything it depends on.
fn brought(package: &Package, projects: &[&Project]) -> Vec<String> {
    if !package.is_project() {
        return programs(package);
    }
    let mut out = Vec::new();
    for project in projects {
        out.extend(project.programs.iter().map(|program| program.value.clone()));
        if package.manager == PackageManager::Npm {
            continue;
        }
        for dependency in &project.dependencies {
            let dependency = super::packages::package(PackageManager::Pip, &dependency.value, package.place);
            out.extend(programs(&dependency));
        }
    }
    out
}

/// Where a package's programs land.
fn folder_of(stage: &Stage, package: &Package) -> Option<String> {
    match package.manager {
        PackageManager::Apt | PackageManager::Apk | PackageManager::Dnf => Some("/usr/bin".to_owned()),
        PackageManager::Pip | PackageManager::Uv | PackageManager::PythonProject => {
            let workdir = stage.workdir.as_ref().map_or("", |folder| folder.value.as_str());
            let active = stage.env.get("VIRTUAL_ENV").map(|value| value.value.clone());
            if let Some(folder) = active.or_else(|| stage.environments.last().cloned()) {
                return Some(format!("{}/bin", folder.trim_end_matches('/')));
            }
            if package.is_project() && package.manager != PackageManager::Pip {
                return (package.manager == PackageManager::Uv).then(|| format!("{workdir}/.venv/bin"));
            }
            let system_python =
                stage.os == Os::Alpine && stage.known.is_none_or(|known| known.name() != "python");
            Some(if system_python { "/usr/bin" } else { "/usr/local/bin" }.to_owned())
        }
        PackageManager::Npm => (!package.is_project()).then(|| "/usr/local/bin".to_owned()),
        PackageManager::Cargo => Some("/usr/local/cargo/bin".to_owned()),
        PackageManager::Go => Some("/go/bin".to_owned()),
        PackageManager::Gem => Some("/usr/local/bundle/bin".to_owned()),
    }
}

fn copied(stage: &mut Stage, copy: &Copy, place: plimsoll_text::Place, earlier: &[Stage]) {
    let from = match copy.from() {
        None => CopyFrom::Context,
        Some(name) => {
            let wanted = name.value.to_lowercase();
            let by_name = earlier.iter().find(|stage| stage.name.as_deref() == Some(wanted.as_str()));
            let by_index = || wanted.parse::<usize>().ok().and_then(|index| earlier.get(index));
            match by_name.or_else(by_index) {
                Some(source) => CopyFrom::Stage(source.index, name.place),
                None => match stage.filled(&name.value).and_then(|text| ImageReference::parse(&text)) {
                    Some(reference) => CopyFrom::Image(reference, name.place),
                    None => CopyFrom::Unknown(name.place),
                },
            }
        }
    };
    let mut fact = CopyFact {
        add: copy.add,
        from,
        sources: Vec::new(),
        heredocs: Vec::new(),
        destination: Spanned::new(absolute(stage, &copy.destination.value), copy.destination.place),
        owner: copy.flag("chown").cloned(),
        place,
    };
    for source in &copy.sources {
        match source {
            Source::Path(path) => fact.sources.push(path.clone()),
            Source::Heredoc(heredoc) => fact.heredocs.push((heredoc.name.clone(), heredoc.body.clone())),
        }
    }
    let added = super::provides::copied_programs(&fact, earlier);
    stage.programs.extend(added);
    stage.copies.push(fact);
}
