//! A merged model to the typed project.

use std::collections::BTreeMap;

use plimsoll_text::Place;

use super::fields::{Fields, host_path, text_map};
use super::load::Report;
use super::read_service::service;
use super::{
    Compose, Condition, Dependency, FileObject, Item, Kind, Map, Network, ProblemKind, Resource, Service,
    ServiceNetwork, Value,
};

/// Reads a model whose project has this name.
pub(super) fn project(name: String, model: Value, report: &mut Report) -> Compose {
    let Kind::Map(mut map) = model.kind else { return Compose { name, ..Compose::default() } };
    let mut section = |key: &str| match map.remove(key).map(|item| item.value.kind) {
        Some(Kind::Map(map)) => map,
        _ => Map::new(),
    };
    let (services, volumes, networks) = (section("services"), section("volumes"), section("networks"));
    let (secrets, configs) = (section("secrets"), section("configs"));
    let mut compose = Compose { name: name.clone(), ..Compose::default() };
    compose.extensions = map
        .into_iter()
        .filter(|(key, _)| key.starts_with("x-"))
        .map(|(key, item)| (key, item.value))
        .collect();
    for (key, item) in services {
        let mut service = service(&key, item, report);
        imply(&mut service);
        compose.services.insert(key, service);
    }
    compose.volumes =
        volumes.into_iter().map(|(key, item)| (key.clone(), volume(&name, &key, item, report))).collect();
    compose.networks =
        networks.into_iter().map(|(key, item)| (key.clone(), network(&name, &key, item, report))).collect();
    compose.secrets = secrets
        .into_iter()
        .map(|(key, item)| (key.clone(), file_object(&name, &key, item, "secrets", report)))
        .collect();
    compose.configs = configs
        .into_iter()
        .map(|(key, item)| (key.clone(), file_object(&name, &key, item, "configs", report)))
        .collect();
    let uses_default = compose.services.values().any(|service| service.networks.contains_key("default"));
    if uses_default && !compose.networks.contains_key("default") {
        compose.networks.insert("default".to_owned(), implicit_network(&name));
    }
    compose
}

/// What a service has without saying so: the default network, and dependencies on what it shares.
fn imply(service: &mut Service) {
    if service.networks.is_empty() && service.network_mode.is_none() {
        service.networks.insert("default".to_owned(), ServiceNetwork::default());
    }
    let mut implied: Vec<(String, Place, bool)> = Vec::new();
    for link in &service.links {
        let name = link.value.split(':').next().unwrap_or(&link.value);
        implied.push((name.to_owned(), link.place, true));
    }
    let shared = [&service.network_mode, &service.ipc, &service.pid, &service.uts, &service.cgroup];
    for mode in shared.into_iter().flatten() {
        if let Some(name) = mode.value.strip_prefix("service:") {
            implied.push((name.to_owned(), mode.place, true));
        }
    }
    for volumes in &service.volumes_from {
        if !volumes.value.starts_with("container:") {
            let name = volumes.value.split(':').next().unwrap_or(&volumes.value);
            implied.push((name.to_owned(), volumes.place, false));
        }
    }
    for (name, place, restart) in implied {
        let dependency =
            Dependency { place, condition: Condition::Started, restart, required: true, explicit: false };
        service.depends_on.entry(name).or_insert(dependency);
    }
}

/// The name in the engine: as written, else the key, with the project in front unless it is external.
fn engine_name(f: &mut Fields<'_>, project: &str, key: &str, is_external: bool) -> String {
    match f.text("name") {
        Some(name) => name.value,
        None if is_external => key.to_owned(),
        None => format!("{project}_{key}"),
    }
}

fn volume(project: &str, key: &str, item: Item, report: &mut Report) -> Resource {
    let mut f = Fields::of(item.value, report);
    let external = f.boolean("external");
    let is_external = external.as_ref().is_some_and(|external| external.value);
    let name = engine_name(&mut f, project, key, is_external);
    let driver = f.text("driver");
    let options = f.value("driver_opts");
    let option = |key: &str| options.as_ref().and_then(|options| options.get(key));
    let is_bind = driver.as_ref().is_some_and(|driver| driver.value == "local")
        && option("o").and_then(Value::text) == Some("bind");
    let device = option("device").filter(|_| is_bind);
    let device = device.and_then(|device| Some(device.resolved(host_path(device)?)));
    let mut volume = Resource {
        place: item.key,
        name,
        external,
        driver,
        driver_opts: options.as_ref().map(text_map).unwrap_or_default(),
        device,
        labels: f.text_map("labels"),
        other: BTreeMap::new(),
    };
    volume.other = f.rest();
    if is_external && (volume.driver.is_some() || !volume.driver_opts.is_empty() || !volume.labels.is_empty())
    {
        report.error(
            ProblemKind::Conflict,
            item.key,
            format!("the external volume `{key}` has other keys than `name`"),
        );
    }
    volume
}

fn network(project: &str, key: &str, item: Item, report: &mut Report) -> Network {
    let mut f = Fields::of(item.value, report);
    let external = f.boolean("external");
    let is_external = external.as_ref().is_some_and(|external| external.value);
    let name = engine_name(&mut f, project, key, is_external);
    let mut network = Network {
        place: Some(item.key),
        name,
        external,
        driver: f.text("driver"),
        driver_opts: f.text_map("driver_opts"),
        internal: f.boolean("internal"),
        attachable: f.boolean("attachable"),
        enable_ipv6: f.boolean("enable_ipv6"),
        labels: f.text_map("labels"),
        ipam: f.value("ipam"),
        other: BTreeMap::new(),
    };
    network.other = f.rest();
    network
}

fn implicit_network(project: &str) -> Network {
    Network {
        place: None,
        name: format!("{project}_default"),
        external: None,
        driver: None,
        driver_opts: BTreeMap::new(),
        internal: None,
        attachable: None,
        enable_ipv6: None,
        labels: BTreeMap::new(),
        ipam: None,
        other: BTreeMap::new(),
    }
}

fn file_object(project: &str, key: &str, item: Item, section: &str, report: &mut Report) -> FileObject {
    let mut f = Fields::of(item.value, report);
    let external = f.boolean("external");
    let is_external = external.as_ref().is_some_and(|external| external.value);
    let name = engine_name(&mut f, project, key, is_external);
    let mut object = FileObject {
        place: item.key,
        name,
        file: f.path("file"),
        environment: f.text("environment"),
        content: f.text("content"),
        external,
        other: BTreeMap::new(),
    };
    object.other = f.rest();
    let sources = usize::from(object.file.is_some())
        + usize::from(object.environment.is_some())
        + usize::from(object.content.is_some());
    if sources > 1 {
        report.error(ProblemKind::Conflict, item.key, format!("`{section}.{key}` has more than one source"));
    } else if sources == 0 && object.external.is_none() && !object.other.contains_key("driver") {
        let message = format!("`{section}.{key}` needs a source: `file`, `environment` or `external`");
        report.error(ProblemKind::Schema, item.key, message);
    }
    object
}
