//! The whole way from files to a project.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::dotenv;
use plimsoll_syntax::yaml::Stream;
use plimsoll_text::{FileId, Files, Layer, Place};

use super::environment::{Environment, Evaluated, evaluate};
use super::interpolate::interpolate;
use super::load::{Context, Loader, join, pass_through};
use super::{
    Compose, EnvEntry, EnvOrigin, Problem, ProblemKind, Service, VariableSource, check, read_project,
};

/// What to resolve. All paths are relative to the evaluated root.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The files there are.
    pub files: &'a Files,
    /// Compose files that are parsed already; others are parsed when they are needed.
    pub streams: BTreeMap<FileId, Arc<Stream>>,
    /// The `-f` files in order.
    pub compose_files: Vec<Utf8PathBuf>,
    /// The project directory; nothing means the directory of the first file.
    pub directory: Option<Utf8PathBuf>,
    /// The name of the evaluated root's own directory, which names a project in the root.
    pub root_name: String,
    /// The project's name (`-p`).
    pub name: Option<String>,
    /// The dotenv files (`--env-file`); none means `.env` in the project directory, if it is there.
    pub env_files: Vec<Utf8PathBuf>,
    /// The environment in which Compose is run.
    pub environment: Environment,
    /// The profiles (`--profile`); none means those of `COMPOSE_PROFILES`.
    pub profiles: Vec<String>,
}

/// A resolved project with what Compose would say about it.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// The project as far as it could be resolved.
    pub compose: Compose,
    /// Errors and warnings in the order of their places.
    pub problems: Vec<Problem>,
}

impl Resolution {
    /// Whether Compose would refuse the project.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.problems.iter().any(|problem| problem.is_error)
    }
}

impl<'a> Request<'a> {
    /// A request for these Compose files with an empty environment.
    #[must_use]
    pub fn new(files: &'a Files, compose_files: Vec<Utf8PathBuf>) -> Self {
        Self {
            files,
            streams: BTreeMap::new(),
            compose_files,
            directory: None,
            root_name: String::new(),
            name: None,
            env_files: Vec::new(),
            environment: Environment::default(),
            profiles: Vec::new(),
        }
    }
}

/// The files that Compose reads in a directory when none is named: the first name that is there, and its override.
#[must_use]
pub fn default_files(files: &Files, directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let first = |names: &[&str]| {
        names.iter().map(|name| join(directory, name)).find(|path| files.find(path).is_some())
    };
    let main = first(&["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]);
    let over = first(&[
        "compose.override.yml",
        "compose.override.yaml",
        "docker-compose.override.yml",
        "docker-compose.override.yaml",
    ]);
    main.map(|main| [main].into_iter().chain(over).collect()).unwrap_or_default()
}

/// Resolves a project by the rules of the Compose specification. Total: what cannot be resolved is reported, and the
/// rest is there.
#[must_use]
pub fn resolve(request: &Request<'_>) -> Resolution {
    let mut loader = Loader::new(request.files);
    loader.streams.clone_from(&request.streams);
    let first = request.compose_files.first().and_then(|path| path.parent()).unwrap_or(Utf8Path::new(""));
    let directory = join(request.directory.as_deref().unwrap_or(first), "");
    let mut found = Vec::new();
    for path in &request.compose_files {
        match loader.find(path) {
            Some(file) => found.push(file),
            None => {
                let message = format!("the Compose file `{path}` is not there");
                loader.report.error(ProblemKind::MissingFile, None, message);
            }
        }
    }
    let Some(main) = found.first().copied() else {
        if request.compose_files.is_empty() {
            loader.report.error(ProblemKind::MissingFile, None, "no Compose file is given");
        }
        return Resolution { problems: loader.report.problems, ..Resolution::default() };
    };

    let mut environment = request.environment.clone();
    let given: Vec<(Utf8PathBuf, Option<Place>)> = match request.env_files.as_slice() {
        [] => vec![(join(&directory, ".env"), None)],
        files => files.iter().map(|file| (file.clone(), None)).collect(),
    };
    for path in &request.env_files {
        if loader.find(path).is_some() {
            continue;
        }
        loader.report.error(ProblemKind::MissingFile, None, format!("the dotenv file `{path}` is not there"));
    }
    let added = loader.env_files(&environment, &given);
    environment.fill(added);

    let (name, name_place) = project_name(request, &mut loader, &found, &directory, &environment);
    if name.is_empty() {
        loader.report.error(ProblemKind::Schema, name_place, "the project has no name");
    }
    environment.set("COMPOSE_PROJECT_NAME", name.clone(), VariableSource::Compose);

    let context = Context { directory: directory.clone().into(), environment: Arc::new(environment) };
    let mut model = loader.empty(main, &context);
    for file in &found {
        model = loader.file(*file, &context, model, &[]);
    }
    if model.map().is_none_or(super::Map::is_empty) {
        let place = Place::new(main, plimsoll_text::Span::default());
        loader.report.error(ProblemKind::Schema, place, "the Compose file is empty");
    }
    pass_through(&mut model, &context.environment);

    let mut compose = read_project::project(name, model, &mut loader.report);
    compose.name_place = name_place;
    compose.directory = directory;
    for (service, extends) in std::mem::take(&mut loader.extended) {
        if let Some(service) = compose.services.get_mut(&service) {
            service.extends = Some(extends);
        }
    }
    choose(&mut compose, &profiles(request, &context.environment));
    check::check(&compose, &mut loader.report);
    let both = [&mut compose.services, &mut compose.disabled];
    for (index, services) in both.into_iter().enumerate() {
        for service in services.values_mut() {
            container_environment(service, &mut loader, &context.environment, index == 0);
            build_arguments(service, &context.environment);
        }
    }
    compose.files = loader.read;
    compose.env_files = loader.env_files;
    compose.variables = loader.report.variables;
    let key = |variable: &super::Variable| (variable.place, variable.name.clone());
    compose.variables.sort_by_key(key);
    compose.variables.dedup();
    let mut problems = loader.report.problems;
    problems.sort_by(|a, b| (a.place, &a.message).cmp(&(b.place, &b.message)));
    Resolution { compose, problems }
}

/// The name: as asked for, from the environment, from the last file that has one, or that of the directory.
fn project_name(
    request: &Request<'_>,
    loader: &mut Loader<'_>,
    files: &[FileId],
    directory: &Utf8Path,
    environment: &Environment,
) -> (String, Option<Place>) {
    let asked = request.name.as_deref().filter(|name| !name.is_empty());
    let from_environment = environment.get("COMPOSE_PROJECT_NAME").map(|(name, _)| name);
    if let Some(name) = asked.or(from_environment.filter(|name| !name.is_empty())) {
        if normalise(name) != name {
            let message =
                format!("`{name}` is no name of a project: small letters, digits, `-` and `_` make one");
            loader.report.error(ProblemKind::Schema, None, message);
        }
        return (name.to_owned(), None);
    }
    let mut named: Option<(String, Place)> = None;
    let lookup = |name: &str| environment.get(name).map(|(value, source)| (value.to_owned(), source));
    for file in files {
        let stream = loader.stream_of(*file);
        for document in &stream.documents {
            let Some(scalar) = document.get("name").and_then(|name| name.scalar()) else { continue };
            if !scalar.value.is_empty() {
                let done = interpolate(&scalar.layer, &lookup);
                named = Some((normalise(done.layer.text()), scalar.layer.full_place()));
            }
        }
    }
    match named.filter(|(name, _)| !name.is_empty()) {
        Some((name, place)) => (name, Some(place)),
        None => (normalise(directory.file_name().unwrap_or(&request.root_name)), None),
    }
}

/// A name of a project made of any text.
fn normalise(name: &str) -> String {
    let kept: String = name
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
        .collect();
    kept.trim_start_matches(['-', '_']).to_owned()
}

fn profiles(request: &Request<'_>, environment: &Environment) -> Vec<String> {
    if !request.profiles.is_empty() {
        return request.profiles.clone();
    }
    let chosen = environment.get("COMPOSE_PROFILES").map(|(value, _)| value).unwrap_or_default();
    chosen.split(',').filter(|profile| !profile.is_empty()).map(ToOwned::to_owned).collect()
}

/// Sets aside the services that no chosen profile starts.
fn choose(compose: &mut Compose, profiles: &[String]) {
    let all = std::mem::take(&mut compose.services);
    for (name, service) in all {
        let starts = service.profiles.is_empty()
            || profiles
                .iter()
                .any(|chosen| chosen == "*" || service.profiles.iter().any(|p| p.value == *chosen));
        let target = if starts { &mut compose.services } else { &mut compose.disabled };
        target.insert(name, service);
    }
}

/// Puts the entries of env files under those of `environment`.
fn container_environment(
    service: &mut Service,
    loader: &mut Loader<'_>,
    environment: &Environment,
    starts: bool,
) {
    let mut all: BTreeMap<String, EnvEntry> = BTreeMap::new();
    for env_file in &mut service.env_files {
        let path = &env_file.path.value.resolved;
        let Some(file) = loader.find(path) else {
            if env_file.required && starts {
                let message = format!("the env file `{}` is not there", env_file.path.value.written);
                loader.report.error(ProblemKind::MissingFile, env_file.path.place, message);
            }
            continue;
        };
        env_file.found = true;
        let layer = Layer::whole(file, loader.files.get(file));
        let is_raw = env_file.format.as_ref().is_some_and(|format| format.value == "raw");
        let parsed = if is_raw { dotenv::parse_raw(&layer) } else { dotenv::parse(&layer) };
        if let Some(format) = env_file.format.as_ref().filter(|format| format.value != "raw") {
            let message = format!("`{}` is no format of an env file; there is `raw`", format.value);
            loader.report.error(ProblemKind::Schema, format.place, message);
        }
        for error in &parsed.errors {
            loader.report.error(ProblemKind::Syntax, error.place, error.message.clone());
        }
        let lookup = |name: &str| {
            let own = all.get(name).and_then(|entry| entry.value.clone().map(|value| (value, entry.place)));
            own.map(|(value, place)| (value, VariableSource::EnvFile(place)))
                .or_else(|| environment.get(name).map(|(value, source)| (value.to_owned(), source)))
        };
        let mut mistakes = Vec::new();
        let evaluated = evaluate(&parsed, file, &lookup, &mut mistakes);
        loader.report.mistakes(mistakes);
        for Evaluated { key, value, entry, value_place, variables } in evaluated {
            let origin = EnvOrigin::EnvFile;
            let entry = EnvEntry {
                key: key.clone(),
                value: Some(value),
                place: entry,
                value_place,
                origin,
                variables,
            };
            all.insert(key, entry);
        }
    }
    for (name, entry) in std::mem::take(&mut service.environment) {
        all.insert(name, entry);
    }
    for entry in all.values_mut().filter(|entry| entry.value.is_none()) {
        let found = environment.get(&entry.key);
        let source = found.map_or(VariableSource::Unset, |(_, source)| source);
        entry.value = found.map(|(value, _)| value.to_owned());
        entry.origin = EnvOrigin::PassedThrough(source);
    }
    service.environment = all;
}

/// Takes over named build arguments from the environment.
fn build_arguments(service: &mut Service, environment: &Environment) {
    let arguments = service.build.iter_mut().flat_map(|build| build.args.values_mut());
    for argument in arguments.filter(|argument| argument.value.is_none()) {
        let found = environment.get(&argument.key);
        argument.value = found.map(|(value, _)| value.to_owned());
        let source = found.map_or(VariableSource::Unset, |(_, source)| source);
        argument.origin = EnvOrigin::PassedThrough(source);
    }
}
