//! The top level.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::super::{Compose, FileObject, MountKind, MountSource, Network, Resource, Service};
use super::object::{Object, Paths, doubled, plain, texts_of};
use super::service::render_service;

/// The project as Compose prints it: only what enabled services use, dollar signs doubled.
#[must_use]
pub fn render(compose: &Compose, paths: Paths<'_>) -> Json {
    let mut top = Object::default();
    top.put("name", json!(compose.name));
    let services =
        compose.services.iter().map(|(name, service)| (name.clone(), render_service(service, paths)));
    top.keep("services", Json::Object(services.collect()));
    let used = |find: &dyn Fn(&Service) -> Vec<String>| -> Vec<String> {
        compose.services.values().flat_map(find).collect()
    };
    let networks = used(&|service| service.networks.keys().cloned().collect());
    top.put("networks", section(&compose.networks, &networks, network));
    let volumes = used(&|service| {
        let named = service.volumes.iter().filter(|mount| mount.kind == MountKind::Volume);
        named
            .filter_map(|mount| match &mount.source {
                Some(MountSource::Volume(name)) => Some(name.clone()),
                _ => None,
            })
            .collect()
    });
    top.put("volumes", section(&compose.volumes, &volumes, |found| volume(found, paths)));
    let secrets = used(&|service| {
        let built = service.build.iter().flat_map(|build| &build.secrets);
        service.secrets.iter().chain(built).map(|secret| secret.source.value.clone()).collect()
    });
    top.put("secrets", section(&compose.secrets, &secrets, |found| file_object(found, paths)));
    let configs = used(&|service| service.configs.iter().map(|config| config.source.value.clone()).collect());
    top.put("configs", section(&compose.configs, &configs, |found| file_object(found, paths)));
    for (key, value) in &compose.extensions {
        top.keep(key, plain(value));
    }
    doubled(top.json())
}

fn section<T>(all: &BTreeMap<String, T>, used: &[String], show: impl Fn(&T) -> Json) -> Json {
    let used = all.iter().filter(|(key, _)| used.contains(key));
    Json::Object(used.map(|(key, value)| (key.clone(), show(value))).collect())
}

fn network(network: &Network) -> Json {
    let mut o = Object::default();
    o.put("name", json!(network.name));
    o.text("driver", &network.driver);
    o.map("driver_opts", &network.driver_opts);
    o.keep("ipam", network.ipam.as_ref().map_or(json!({}), plain));
    o.flag("external", &network.external);
    o.flag("internal", &network.internal);
    o.flag("attachable", &network.attachable);
    if let Some(enabled) = &network.enable_ipv6 {
        o.keep("enable_ipv6", json!(enabled.value));
    }
    o.map("labels", &network.labels);
    o.rest(&network.other);
    o.json()
}

fn volume(volume: &Resource, paths: Paths<'_>) -> Json {
    let mut o = Object::default();
    o.put("name", json!(volume.name));
    o.text("driver", &volume.driver);
    let mut options = volume.driver_opts.clone();
    if let (Some(device), Some(option)) = (&volume.device, options.get_mut("device")) {
        option.value = paths.of(&device.value);
    }
    o.map("driver_opts", &options);
    o.flag("external", &volume.external);
    o.map("labels", &volume.labels);
    o.json()
}

fn file_object(object: &FileObject, paths: Paths<'_>) -> Json {
    let mut o = Object::default();
    o.put("name", json!(object.name));
    o.put("file", json!(object.file.as_ref().map(|file| paths.of(&file.value))));
    o.text("environment", &object.environment);
    o.text("content", &object.content);
    o.flag("external", &object.external);
    for (key, value) in object.other.iter().filter(|(key, _)| !key.starts_with("x-")) {
        o.put(
            key,
            if matches!(key.as_str(), "labels" | "driver_opts") { texts_of(value) } else { plain(value) },
        );
    }
    o.json()
}
