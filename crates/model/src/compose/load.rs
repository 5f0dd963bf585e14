//! Files to one merged model: documents, `extends`, `include`, `!reset`, merging.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_syntax::dotenv;
use plimsoll_syntax::yaml::{self, Stream};
use plimsoll_text::{FileId, Files, Layer, Place};

use super::environment::{Environment, evaluate};
use super::interpolate::Mistake;
use super::path::Path;
use super::tree::Reader;
use super::{
    Extends, Item, Kind, Map, Problem, ProblemKind, Value, Variable, VariableSource, canonical, merge,
    schema, unique,
};

/// Documents that one project may read, includes and bases counted each time.
const MAX_LOADS: usize = 2000;

/// What a run has to say besides its result.
#[derive(Default)]
pub(super) struct Report {
    pub(super) problems: Vec<Problem>,
    said: BTreeSet<(Option<Place>, ProblemKind, bool, String)>,
    pub(super) variables: Vec<Variable>,
}

impl Report {
    pub(super) fn error(
        &mut self,
        kind: ProblemKind,
        place: impl Into<Option<Place>>,
        message: impl Into<String>,
    ) {
        self.add(true, kind, place.into(), message.into());
    }

    pub(super) fn warning(
        &mut self,
        kind: ProblemKind,
        place: impl Into<Option<Place>>,
        message: impl Into<String>,
    ) {
        self.add(false, kind, place.into(), message.into());
    }

    pub(super) fn mistakes(&mut self, mistakes: Vec<Mistake>) {
        for mistake in mistakes {
            let is_error = mistake.kind != ProblemKind::UnsetVariable;
            self.add(is_error, mistake.kind, Some(mistake.place), mistake.message);
        }
    }

    fn add(&mut self, is_error: bool, kind: ProblemKind, place: Option<Place>, message: String) {
        if self.said.insert((place, kind, is_error, message.clone())) {
            self.problems.push(Problem { is_error, kind, place, message });
        }
    }
}

/// Where a file is read: the directory to which its paths are relative and the variables that it sees.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) directory: Arc<Utf8Path>,
    pub(super) environment: Arc<Environment>,
}

/// A name in `extends`: the file that has the service, and the service.
type Link = (FileId, String);

pub(super) struct Loader<'a> {
    pub(super) files: &'a Files,
    pub(super) streams: BTreeMap<FileId, Arc<Stream>>,
    pub(super) report: Report,
    /// Compose files in the order in which they were first read.
    pub(super) read: Vec<FileId>,
    pub(super) env_files: Vec<FileId>,
    /// What each service's `extends` said.
    pub(super) extended: BTreeMap<String, Extends>,
    pub(super) loads: usize,
}

/// One document of a file as a model of its own.
struct Document {
    model: Value,
    resets: Vec<Path>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(files: &'a Files) -> Self {
        Self {
            files,
            streams: BTreeMap::new(),
            report: Report::default(),
            read: Vec::new(),
            env_files: Vec::new(),
            extended: BTreeMap::new(),
            loads: 0,
        }
    }

    /// The file at a path, absolute ones and those outside the root never being there.
    pub(super) fn find(&self, path: &Utf8Path) -> Option<FileId> {
        self.files.find(path)
    }

    pub(super) fn stream_of(&mut self, file: FileId) -> Arc<Stream> {
        if let Some(stream) = self.streams.get(&file) {
            return stream.clone();
        }
        let stream = Arc::new(yaml::parse(&Layer::whole(file, self.files.get(file))));
        self.streams.insert(file, stream.clone());
        stream
    }

    /// The documents of a file, in canonical form.
    fn documents(&mut self, file: FileId, context: &Context, is_base: bool) -> Vec<Document> {
        self.loads += 1;
        if self.loads > MAX_LOADS {
            let place = Place::new(file, plimsoll_text::Span::default());
            self.report.error(
                ProblemKind::Cycle,
                place,
                "includes and bases make this project too large to read",
            );
            return Vec::new();
        }
        if !self.read.contains(&file) {
            self.read.push(file);
        }
        let stream = self.stream_of(file);
        for error in &stream.errors {
            self.report.error(ProblemKind::Syntax, error.place, error.message.clone());
        }
        let environment = context.environment.clone();
        let lookup = |name: &str| environment.get(name).map(|(value, source)| (value.to_owned(), source));
        let mut documents = Vec::new();
        for node in &stream.documents {
            let mut reader = Reader {
                file,
                directory: context.directory.clone(),
                lookup: &lookup,
                report: &mut self.report,
                resets: Vec::new(),
            };
            let value = reader.value(node, &mut Path::default());
            let resets = reader.resets;
            let place = Place::new(file, node.span);
            let Some(mut model) = value.filter(|value| value.map().is_some()) else {
                if !(node.is_null() && stream.documents.len() > 1) {
                    self.report.error(
                        ProblemKind::Schema,
                        place,
                        "the top of a Compose file must be a mapping",
                    );
                }
                continue;
            };
            if !is_base {
                schema::check(&model, &mut self.report);
            }
            canonical::file(&mut model, &mut self.report);
            documents.push(Document { model, resets });
        }
        documents
    }

    /// Reads a file on top of what earlier files said.
    pub(super) fn file(
        &mut self,
        file: FileId,
        context: &Context,
        mut below: Value,
        included: &[FileId],
    ) -> Value {
        for mut document in self.documents(file, context, false) {
            self.extend_all(&mut document, file, context);
            reset(&mut below, &document.resets, &mut Path::default());
            let mut chain = included.to_vec();
            chain.push(file);
            self.include_all(&mut document.model, context, &chain);
            below = merge::merge(below, document.model, &Path::default(), &mut self.report);
            unique::enforce(&mut below);
        }
        below
    }

    fn extend_all(&mut self, document: &mut Document, file: FileId, context: &Context) {
        let Some(mut services) = document.model.map_mut().and_then(|map| map.remove("services")) else {
            return;
        };
        let names: Vec<String> =
            services.value.map().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        for name in names {
            let merged = self.extend(&name, &services.value, &document.resets, file, context, &[]);
            if let (Some(merged), Some(map)) = (merged, services.value.map_mut())
                && let Some(item) = map.get_mut(&name)
            {
                item.value = merged;
            }
        }
        if let Some(map) = document.model.map_mut() {
            map.insert("services".to_owned(), services);
        }
    }

    /// A service with what it extends merged below it.
    fn extend(
        &mut self,
        name: &str,
        services: &Value,
        resets: &[Path],
        file: FileId,
        context: &Context,
        chain: &[Link],
    ) -> Option<Value> {
        let mut service = services.get(name)?.clone();
        let Some(extends) = service.map_mut().and_then(|map| map.remove("extends")) else {
            return Some(service);
        };
        let extends = extends.value;
        let Some(base_name) = extends.get("service").and_then(Value::text).map(ToOwned::to_owned) else {
            return Some(service);
        };
        let link = (file, name.to_owned());
        if chain.contains(&link) {
            let names: Vec<&str> = chain.iter().map(|(_, name)| name.as_str()).chain([name]).collect();
            let message = format!("`extends` leads back to where it started: {}", names.join(" → "));
            self.report.error(ProblemKind::Cycle, extends.place, message);
            return Some(service);
        }
        let chain: Vec<Link> = chain.iter().cloned().chain([link]).collect();
        let other = extends.get("file").and_then(Value::text).map(ToOwned::to_owned);
        if chain.len() == 1 {
            let told = Extends { place: extends.place, service: base_name.clone(), file: other.clone() };
            self.extended.insert(name.to_owned(), told);
        }
        let unknown = |loader: &mut Self| {
            let place = extends.get("service").map_or(extends.place, |service| service.place);
            loader.report.error(
                ProblemKind::UnknownReference,
                place,
                format!("there is no service `{base_name}` to extend"),
            );
        };
        let mut all_resets = resets.to_vec();
        let base = match other {
            None => {
                if services.get(&base_name).is_none() {
                    unknown(self);
                    return Some(service);
                }
                self.extend(&base_name, services, resets, file, context, &chain)
            }
            Some(path) => {
                let full = join(&context.directory, &path);
                let place = extends.get("file").map_or(extends.place, |file| file.place);
                let Some(base_file) = self.find(&full) else {
                    let message = format!("the file `{path}` to extend from is not there");
                    self.report.error(ProblemKind::MissingFile, place, message);
                    return Some(service);
                };
                let directory: Arc<Utf8Path> = parent(&full).into();
                let base_context = Context { directory, environment: context.environment.clone() };
                let mut base_services: Option<Value> = None;
                for document in self.documents(base_file, &base_context, true) {
                    let Some(found) = document.model.get("services").cloned() else { continue };
                    all_resets.extend(document.resets);
                    base_services = Some(match base_services {
                        None => found,
                        Some(below) => merge::merge(below, found, &Path::of(&["services"]), &mut self.report),
                    });
                }
                let base_services = base_services.filter(|services| services.get(&base_name).is_some());
                let Some(base_services) = base_services else {
                    unknown(self);
                    return Some(service);
                };
                if let Some(base) = base_services.get(&base_name) {
                    schema::check_service(base, &base_name, &mut self.report);
                }
                let resets = all_resets.clone();
                self.extend(&base_name, &base_services, &resets, base_file, &base_context, &chain)
            }
        };
        let Some(mut base) = base.filter(|base| base.map().is_some()) else { return Some(service) };
        let mut path = Path::of(&["services", name]);
        reset(&mut base, &all_resets, &mut path);
        let mut merged = merge::merge(base, service, &path, &mut self.report);
        unique::enforce_at(&mut merged, &mut path);
        Some(merged)
    }

    fn include_all(&mut self, model: &mut Value, context: &Context, chain: &[FileId]) {
        let Some(includes) = model.map_mut().and_then(|map| map.remove("include")) else { return };
        for include in includes.value.items() {
            if let Some(imported) = self.include(include, context, chain) {
                import(imported, model, &mut self.report);
            }
        }
    }

    fn include(&mut self, include: &Value, context: &Context, chain: &[FileId]) -> Option<Value> {
        let texts = |key: &str| -> Vec<(String, Place)> {
            let Some(value) = include.get(key) else { return Vec::new() };
            let single = value.text().map(|text| (text.to_owned(), value.place));
            let items = value.items().iter();
            single
                .into_iter()
                .chain(items.filter_map(|item| Some((item.text()?.to_owned(), item.place))))
                .collect()
        };
        let mut files = Vec::new();
        let mut directory: Option<Utf8PathBuf> = None;
        for (index, (path, place)) in texts("path").into_iter().enumerate() {
            let full = join(&context.directory, &path);
            let Some(file) = self.find(&full) else {
                let message = format!("the file `{path}` to include is not there");
                self.report.error(ProblemKind::MissingFile, place, message);
                return None;
            };
            if index == 0 {
                if chain.contains(&file) {
                    let message = "`include` leads back to a file that includes this one".to_owned();
                    self.report.error(ProblemKind::Cycle, place, message);
                    return None;
                }
                let given = include.get("project_directory").and_then(Value::text);
                directory = Some(match given {
                    Some(given) => join(&context.directory, given),
                    None => parent(&full).to_owned(),
                });
            }
            files.push(file);
        }
        let directory: Arc<Utf8Path> = directory?.into();
        let mut env_paths: Vec<(Utf8PathBuf, Option<Place>)> = texts("env_file")
            .into_iter()
            .map(|(path, place)| (join(&context.directory, &path), Some(place)))
            .collect();
        if env_paths.is_empty() {
            env_paths.push((join(&directory, ".env"), None));
        }
        let mut environment = (*context.environment).clone();
        let added = self.env_files(&environment, &env_paths);
        environment.fill(added);
        let context = Context { directory, environment: Arc::new(environment) };
        let mut imported = self.empty(files.first().copied()?, &context);
        for file in files {
            imported = self.file(file, &context, imported, chain);
        }
        pass_through(&mut imported, &context.environment);
        Some(imported)
    }

    /// An empty model.
    pub(super) fn empty(&self, file: FileId, context: &Context) -> Value {
        let place = Place::new(file, plimsoll_text::Span::default());
        Value::new(Kind::Map(Map::new()), place, context.directory.clone())
    }

    /// The variables of dotenv files; a file with a place must be there.
    pub(super) fn env_files(
        &mut self,
        known: &Environment,
        paths: &[(Utf8PathBuf, Option<Place>)],
    ) -> Environment {
        let mut all = Environment::default();
        for (path, place) in paths {
            let Some(file) = self.find(path) else {
                if place.is_some() {
                    let message = format!("the dotenv file `{path}` is not there");
                    self.report.error(ProblemKind::MissingFile, *place, message);
                }
                continue;
            };
            if !self.env_files.contains(&file) {
                self.env_files.push(file);
            }
            let parsed = dotenv::parse(&Layer::whole(file, self.files.get(file)));
            for error in &parsed.errors {
                self.report.error(ProblemKind::Syntax, error.place, error.message.clone());
            }
            let lookup = |name: &str| {
                known.get(name).or_else(|| all.get(name)).map(|(value, source)| (value.to_owned(), source))
            };
            let mut mistakes = Vec::new();
            let evaluated = evaluate(&parsed, file, &lookup, &mut mistakes);
            self.report.mistakes(mistakes);
            for variable in evaluated {
                all.set(variable.key, variable.value, VariableSource::EnvFile(variable.entry));
            }
        }
        all
    }
}

/// Gives named variables without a value (`- NAME`) the value that an environment has.
pub(super) fn pass_through(model: &mut Value, environment: &Environment) {
    let services =
        model.map_mut().and_then(|map| map.get_mut("services")).and_then(|item| item.value.map_mut());
    for service in services.into_iter().flat_map(|services| services.values_mut()) {
        let entries = service.value.map_mut().and_then(|map| map.get_mut("environment"));
        for (name, item) in entries.and_then(|item| item.value.map_mut()).into_iter().flatten() {
            if item.value.is_null()
                && let Some((value, source)) = environment.get(name)
            {
                item.value.kind = Kind::Text(value.to_owned());
                item.value.passed = Some(source);
            }
        }
    }
}

/// Removes what `!reset` and `!override` name from an earlier model.
fn reset(value: &mut Value, resets: &[Path], path: &mut Path) {
    if resets.is_empty() {
        return;
    }
    let Some(map) = value.map_mut() else { return };
    map.retain(|key, item| {
        path.push(key);
        let keep = !resets.contains(path);
        if keep {
            reset(&mut item.value, resets, path);
        }
        path.pop();
        keep
    });
}

/// Adds the resources of an included model.
fn import(imported: Value, model: &mut Value, report: &mut Report) {
    let Kind::Map(mut imported) = imported.kind else { return };
    for section in ["services", "volumes", "networks", "secrets", "configs"] {
        let Some(from) = imported.remove(section) else { continue };
        let Some(target) = model.map_mut() else { return };
        let empty = Item { key: from.key, value: from.value.derived(Kind::Map(Map::new())) };
        let to = target.entry(section.to_owned()).or_insert(empty);
        if to.value.is_null() {
            to.value.kind = Kind::Map(Map::new());
        }
        let (Kind::Map(from), Some(to)) = (from.value.kind, to.value.map_mut()) else { continue };
        for (name, item) in from {
            match to.get(&name) {
                Some(own) if own.value == item.value => {}
                Some(own) => {
                    let message =
                        format!("`{section}.{name}` is also defined by an included file, differently");
                    report.error(ProblemKind::Conflict, own.key, message);
                }
                None => {
                    to.insert(name, item);
                }
            }
        }
    }
}

/// A path relative to a directory, `.` and `..` resolved as far as they can be; `..` may remain in front.
pub(super) fn join(directory: &Utf8Path, path: &str) -> Utf8PathBuf {
    let start = if path.starts_with(['/', '~']) { Utf8PathBuf::new() } else { directory.to_owned() };
    let whole = start.join(path);
    let absolute = whole.as_str().starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.as_str().split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    Utf8PathBuf::from(if absolute { format!("/{joined}") } else { joined })
}

fn parent(path: &Utf8Path) -> &Utf8Path {
    path.parent().unwrap_or(Utf8Path::new(""))
}
