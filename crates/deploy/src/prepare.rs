//! From a checkout to what should run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use plimsoll_model::compose::{
    Compose, EnvOrigin, Environment, HealthTest, MountKind, MountSource, Paths, Request, VariableSource,
    render, resolve,
};
use plimsoll_text::{Files, Place};
use serde_json::Value as Json;

use crate::digest::{self, Hasher};
use crate::order;
use crate::spec::{Build, Check, Hook, Options, Service, Source, Spec, Values, reference, referred};
use crate::tree::{Tree, TreeError};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// The app.
    pub app: String,
    /// The target.
    pub target: String,
    /// What is deployed, in the user's words.
    pub version: Option<String>,
    /// The directory to which the paths of `files` are relative.
    pub root: &'a Path,
    /// The checkout's text files.
    pub files: &'a Files,
    /// The Compose files in order.
    pub compose_files: Vec<Utf8PathBuf>,
    /// The profiles.
    pub profiles: Vec<String>,
    /// Variables that the project sees, besides those of `.env`.
    pub environment: BTreeMap<String, String>,
    /// Values to keep out of everything that is shown or recorded; they win over the environment.
    pub secrets: Values,
    /// What runs before services are switched.
    pub hooks: Vec<Hook>,
    /// What must hold from outside.
    pub checks: Vec<Check>,
    /// How careful to be.
    pub options: Options,
}

/// A checkout that cannot be deployed.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Compose would refuse it.
    #[error("the Compose project cannot be used:\n  {}", .0.join("\n  "))]
    Compose(Vec<String>),
    /// Something that is not supported.
    #[error("{0}")]
    Unsupported(String),
    /// Files cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// Works out what should run.
pub fn prepare(wanted: &Wanted<'_>) -> Result<Spec, PrepareError> {
    let mut values = wanted.secrets.0.clone();
    let first = project(wanted, &values)?;
    for variable in &first.variables {
        let is_given = matches!(variable.source, VariableSource::Shell | VariableSource::EnvFile(_));
        if is_given && is_secret(&variable.name) && !values.contains_key(&variable.name) {
            values.insert(variable.name.clone(), variable.value.clone());
        }
    }
    let mut compose = project(wanted, &values)?;
    hide(&mut compose, &mut values);
    let mut spec = Spec {
        app: wanted.app.clone(),
        target: wanted.target.clone(),
        version: wanted.version.clone(),
        compose: Json::Null,
        services: Vec::new(),
        values: Values::default(),
        files: BTreeMap::new(),
        contexts: BTreeMap::new(),
        hooks: wanted.hooks.clone(),
        checks: wanted.checks.clone(),
        options: wanted.options,
        warnings: Vec::new(),
    };
    mounts(wanted, &mut compose, &mut spec)?;
    let base = format!("/var/lib/plimsoll/{}/data", wanted.app);
    spec.compose = render(&compose, Paths { root: &base, home: "/root" });
    let used = referred(&spec.compose.to_string());
    values.retain(|name, _| used.contains(name));
    spec.values = Values(values);
    for name in in_order(&compose) {
        let service = service(wanted, &compose, &name, &mut spec)?;
        spec.services.push(service);
    }
    for hook in &spec.hooks {
        if spec.service(&hook.service).is_none() {
            return Err(PrepareError::Unsupported(format!(
                "there is no service `{}` for a hook",
                hook.service
            )));
        }
    }
    Ok(spec)
}

fn project(wanted: &Wanted<'_>, values: &BTreeMap<String, String>) -> Result<Compose, PrepareError> {
    let mut environment = Environment::from_shell(wanted.environment.clone());
    for name in values.keys() {
        environment.set(name.clone(), reference(name), VariableSource::Shell);
    }
    let resolution = resolve(&Request {
        name: Some(wanted.app.clone()),
        environment,
        profiles: wanted.profiles.clone(),
        ..Request::new(wanted.files, wanted.compose_files.clone())
    });
    let errors: Vec<String> = resolution
        .problems
        .iter()
        .filter(|problem| problem.is_error)
        .map(|problem| match problem.place {
            Some(place) => format!("{}: {}", line(wanted.files, place), problem.message),
            None => problem.message.clone(),
        })
        .collect();
    if errors.is_empty() { Ok(resolution.compose) } else { Err(PrepareError::Compose(errors)) }
}

/// `file:line` for people.
pub(crate) fn line(files: &Files, place: Place) -> String {
    let file = files.get(place.file);
    format!("{}:{}", file.path(), file.line_column(place.span.start).line)
}

/// Whether a name speaks of something to keep.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let parts: Vec<&str> = name.split('_').collect();
    let words = ["PASSWORD", "PASS", "PASSWD", "SECRET", "TOKEN", "KEY", "CREDENTIALS", "DSN"];
    parts.iter().any(|part| words.contains(part)) || name.ends_with("PASSWORD") || name == "DATABASE_URL"
}

/// Values that stand in the files themselves, and those of env files, go the same way as other secrets.
fn hide(compose: &mut Compose, values: &mut BTreeMap<String, String>) {
    for (service, found) in &mut compose.services {
        for (key, entry) in &mut found.environment {
            let Some(value) = entry.value.clone() else { continue };
            let is_open = matches!(entry.origin, EnvOrigin::Compose) && !is_secret(key);
            if is_open || value.is_empty() || !referred(&value).is_empty() {
                continue;
            }
            let owner: String = service
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect();
            let key: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            let name = format!("PLIMSOLL_{owner}_{key}");
            entry.value = Some(reference(&name));
            values.insert(name, value);
        }
    }
}

/// Files of the checkout that containers mount go along; what is written stays between releases.
fn mounts(wanted: &Wanted<'_>, compose: &mut Compose, spec: &mut Spec) -> Result<(), PrepareError> {
    let store = format!("/var/lib/plimsoll/{}/files", wanted.app);
    for (name, service) in &mut compose.services {
        for mount in &mut service.volumes {
            let (MountKind::Bind, Some(MountSource::Path(path))) = (mount.kind, &mut mount.source) else {
                continue;
            };
            if path.resolved.is_absolute() || path.resolved.starts_with("~") {
                continue;
            }
            let on_disk = wanted.root.join(&path.resolved);
            let goes_along = on_disk.is_file() || on_disk.is_dir() && mount.read_only;
            if !goes_along {
                if on_disk.is_dir() {
                    spec.warnings.push(format!(
                        "{}: {name} writes to `{}`; on the guest it starts empty and stays between releases",
                        line(wanted.files, mount.place),
                        path.written
                    ));
                }
                continue;
            }
            path.written = keep(&store, &on_disk, &mut spec.files)?;
        }
    }
    let objects = compose.secrets.values_mut().chain(compose.configs.values_mut());
    for file in objects.filter_map(|object| object.file.as_mut()) {
        if file.value.resolved.is_absolute() || file.value.resolved.starts_with("~") {
            continue;
        }
        file.value.written = keep(&store, &wanted.root.join(&file.value.resolved), &mut spec.files)?;
    }
    Ok(())
}

/// Where a file or directory stands on the guest.
fn keep(store: &str, on_disk: &Path, files: &mut BTreeMap<String, Tree>) -> Result<String, PrepareError> {
    let is_folder = on_disk.is_dir();
    let tree = if is_folder { Tree::read(on_disk, None, &[])? } else { Tree::file(on_disk)? };
    let name = if is_folder { None } else { tree.entries.keys().next().map(|name| format!("/{name}")) };
    let path = format!("{store}/{}{}", tree.root, name.unwrap_or_default());
    files.insert(tree.root.clone(), tree);
    Ok(path)
}

/// Services after those that they depend on, else by name.
fn in_order(compose: &Compose) -> Vec<String> {
    fn visit(compose: &Compose, name: &str, seen: &mut BTreeSet<String>, order: &mut Vec<String>) {
        let Some(service) = compose.services.get(name) else { return };
        if !seen.insert(name.to_owned()) {
            return;
        }
        for need in service.depends_on.keys() {
            visit(compose, need, seen, order);
        }
        order.push(name.to_owned());
    }
    let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
    for name in compose.services.keys() {
        visit(compose, name, &mut seen, &mut order);
    }
    order
}

/// The services that a service depends on, directly or not.
fn needs(compose: &Compose, name: &str) -> BTreeSet<String> {
    let mut needs = BTreeSet::new();
    let mut open = vec![name];
    while let Some(next) = open.pop() {
        for need in compose.services.get(next).into_iter().flat_map(|service| service.depends_on.keys()) {
            if needs.insert(need.clone()) {
                open.push(need);
            }
        }
    }
    needs
}

fn service(
    wanted: &Wanted<'_>,
    compose: &Compose,
    name: &str,
    spec: &mut Spec,
) -> Result<Service, PrepareError> {
    let found =
        compose.services.get(name).ok_or_else(|| PrepareError::Unsupported(format!("no service {name}")))?;
    let image = match (&found.build, &found.image) {
        (Some(build), _) => Source::Build(self::build(wanted, name, build, spec)?),
        (None, Some(image)) => Source::Registry(image.value.clone()),
        (None, None) => {
            let place = line(wanted.files, found.place);
            return Err(PrepareError::Unsupported(format!("{place}: {name} has no image and no build")));
        }
    };
    let replicas = found.scale.as_ref().map(|scale| scale.value);
    let replicas =
        replicas.or(found.deploy.as_ref().and_then(|deploy| Some(deploy.replicas.as_ref()?.value)));
    let replicas = u32::try_from(replicas.unwrap_or(1)).unwrap_or(1);
    let check = found.healthcheck.as_ref();
    let second = Duration::from_secs(1);
    let start_period =
        check.and_then(|check| check.start_period.as_ref()).map_or(Duration::ZERO, |period| period.value);
    let interval =
        check.and_then(|check| check.interval.as_ref()).map_or(second * 30, |interval| interval.value);
    let timeout = check.and_then(|check| check.timeout.as_ref()).map_or(second * 5, |timeout| timeout.value);
    let retries = check.and_then(|check| check.retries.as_ref()).map_or(3, |retries| retries.value);
    let tries = (interval + timeout.min(second * 30)).saturating_mul(u32::try_from(retries).unwrap_or(3));
    let has_check = check.is_some_and(|check| {
        check.disable.as_ref().is_none_or(|disable| !disable.value)
            && check.test.as_ref().is_none_or(|test| test.value != HealthTest::None)
    });
    if !has_check && matches!(image, Source::Registry(_)) {
        let place = line(wanted.files, found.place);
        spec.warnings.push(format!("{place}: {name} has no health check here; unless its image has one, that it runs is all that is looked at"));
    }
    Ok(Service {
        name: name.to_owned(),
        image,
        order: order::of(wanted.files, compose, found),
        replicas,
        is_job: order::is_job(compose, name),
        needs: needs(compose, name),
        deadline: wanted
            .options
            .health_deadline
            .unwrap_or((start_period + tries + second * 30).clamp(second * 30, second * 900)),
        start_period,
        grace: found.stop_grace_period.as_ref().map_or(second * 10, |grace| grace.value),
        digest: made_of(spec, name),
    })
}

/// Digest of what a service's containers are made of.
fn made_of(spec: &Spec, name: &str) -> String {
    let mut hasher = Hasher::default();
    let mut service = spec.compose.get("services").and_then(|all| all.get(name)).cloned().unwrap_or_default();
    if let Some(map) = service.as_object_mut() {
        for key in ["build", "image", "depends_on", "profiles", "develop"] {
            map.shift_remove(key);
        }
    }
    let uses = |kind: &str| service.get(kind).is_some();
    let shared = ["secrets", "configs"]
        .into_iter()
        .filter(|kind| uses(kind))
        .filter_map(|kind| spec.compose.get(kind));
    let text =
        std::iter::once(&service).chain(shared).map(ToString::to_string).collect::<Vec<_>>().join("\n");
    hasher.text(&text);
    for name in referred(&text) {
        hasher.text(&name);
        hasher.text(spec.values.0.get(&name).map_or("", String::as_str));
    }
    hasher.finish()
}

fn build(
    wanted: &Wanted<'_>,
    name: &str,
    build: &plimsoll_model::compose::Build,
    spec: &mut Spec,
) -> Result<Build, PrepareError> {
    let place = line(wanted.files, build.place);
    let refused = |what: &str| Err(PrepareError::Unsupported(format!("{place}: {name}: {what}")));
    let context = &build.context.value.resolved;
    if context.as_str().contains("://") || context.as_str().starts_with("git@") {
        return refused("a build context that is an address is not supported; check it out first");
    }
    if build.dockerfile_inline.is_some() || !build.additional_contexts.is_empty() || !build.secrets.is_empty()
    {
        return refused(
            "`dockerfile_inline`, `additional_contexts` and `secrets` of a build are not supported yet",
        );
    }
    let dockerfile = build.dockerfile.as_ref().map_or("Dockerfile", |file| &file.value);
    let dockerfile = dockerfile.trim_start_matches("./").to_owned();
    if dockerfile.starts_with('/') || dockerfile.starts_with("..") {
        return refused("the Dockerfile must be in the build context");
    }
    let base = wanted.root.join(context);
    let own = wanted.files.find(&context.join(format!("{dockerfile}.dockerignore")));
    let ignore = own.or_else(|| wanted.files.find(&context.join(".dockerignore")));
    let ignore = ignore.map(|file| wanted.files.get(file).text());
    let slug = slug(context);
    if !spec.contexts.contains_key(&slug) {
        let keep: Vec<&str> = vec![&dockerfile];
        spec.contexts.insert(slug.clone(), Tree::read(&base, ignore, &keep)?);
    }
    let Some(tree) = spec.contexts.get_mut(&slug) else { return refused("its context is gone") };
    if !tree.entries.contains_key(Utf8Path::new(&dockerfile)) {
        // Another service shares the context, and its ignore file left this Dockerfile out.
        let file = Tree::read(&base, ignore, &[&dockerfile])?;
        tree.add(file);
    }
    let args: BTreeMap<String, String> =
        build.args.iter().filter_map(|(key, entry)| Some((key.clone(), entry.value.clone()?))).collect();
    if let Some(key) = args.iter().find(|(_, value)| !referred(value).is_empty()).map(|(key, _)| key) {
        return refused(&format!("the build argument {key} holds a secret, which would stay in the image"));
    }
    let target = build.target.as_ref().map(|target| target.value.clone());
    let mut hasher = Hasher::default();
    hasher.text(&tree.root);
    hasher.text(&dockerfile);
    hasher.text(target.as_deref().unwrap_or_default());
    for (key, value) in &args {
        hasher.text(key);
        hasher.text(value);
    }
    Ok(Build { context: slug, dockerfile, target, args, key: hasher.finish() })
}

/// A name for a directory that a path has nowhere to go wrong in.
fn slug(path: &Utf8Path) -> String {
    let kept: String = path
        .as_str()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' })
        .collect();
    let kept = kept.trim_matches(['.', '-']);
    let short = digest::of(path.as_str().as_bytes());
    format!("{}-{}", if kept.is_empty() { "root" } else { kept }, short.get(..6).unwrap_or_default())
}
