//! `build` and `deploy`.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::super::{Build, Deploy, Resources};
use super::object::{Object, Paths, go_duration, plain, size};
use super::service::{bytes, device_requests, environment, file_mount};

fn resources(resources: &Resources) -> Json {
    let mut o = Object::default();
    o.put("cpus", json!(resources.cpus.as_ref().map(|cpus| cpus.value)));
    o.put("memory", bytes(&resources.memory));
    o.put("pids", json!(resources.pids.as_ref().map(|pids| pids.value)));
    for (key, value) in resources.other.iter().filter(|(key, _)| !key.starts_with("x-")) {
        o.put(key, if key == "devices" { device_requests(value) } else { plain(value) });
    }
    o.json()
}

pub(super) fn render_deploy(deploy: &Deploy, scale: Option<i64>) -> Json {
    let mut o = Object::default();
    if let Some(replicas) = scale.or(deploy.replicas.as_ref().map(|replicas| replicas.value)) {
        o.keep("replicas", json!(replicas));
    }
    o.map("labels", &deploy.labels);
    let mut parts = Object::default();
    if let Some(limits) = &deploy.limits {
        parts.keep("limits", resources(limits));
    }
    if let Some(reservations) = &deploy.reservations {
        parts.keep("reservations", resources(reservations));
    }
    o.keep("resources", parts.json());
    o.keep("placement", json!({}));
    o.rest(&deploy.other);
    let mut json = o.json();
    fix_durations(&mut json);
    json
}

/// Durations as Go writes them.
fn fix_durations(value: &mut Json) {
    let Some(map) = value.as_object_mut() else { return };
    for (key, value) in map {
        match value {
            Json::String(text) if matches!(key.as_str(), "delay" | "window" | "monitor") => {
                let seconds = text.strip_suffix('s').and_then(|text| text.parse().ok());
                let minutes = text.strip_suffix('m').and_then(|text| text.parse::<u64>().ok());
                if let Some(seconds) = seconds.or(minutes.map(|minutes| minutes * 60)) {
                    *text = go_duration(Duration::from_secs(seconds));
                }
            }
            other => fix_durations(other),
        }
    }
}

pub(super) fn build(build: &Build, paths: Paths<'_>) -> Json {
    let mut o = Object::default();
    o.put("context", json!(paths.of(&build.context.value)));
    o.text("dockerfile", &build.dockerfile);
    o.text("dockerfile_inline", &build.dockerfile_inline);
    o.text("target", &build.target);
    o.put("args", environment(&build.args, false));
    o.map("labels", &build.labels);
    o.put("secrets", build.secrets.iter().map(file_mount).collect());
    let contexts = build.additional_contexts.iter();
    o.put(
        "additional_contexts",
        contexts.map(|(key, value)| (key.clone(), json!(paths.of(&value.value)))).collect(),
    );
    o.texts("tags", &build.tags);
    o.texts("platforms", &build.platforms);
    for (key, value) in build.other.iter().filter(|(key, _)| !key.starts_with("x-")) {
        let shown = match key.as_str() {
            "shm_size" => json!(size(&value.display().unwrap_or_default()).to_string()),
            "ssh" => value
                .map()
                .into_iter()
                .flatten()
                .map(|(key, item)| match item.value.text() {
                    Some(path) => json!(format!("{key}={path}")),
                    None => json!(key),
                })
                .collect(),
            "extra_hosts" => {
                let mut lines: Vec<String> = value
                    .items()
                    .iter()
                    .map(|item| item.display().unwrap_or_default().replacen(':', "=", 1))
                    .collect();
                lines.sort();
                json!(lines)
            }
            _ => plain(value),
        };
        o.put(key, shown);
    }
    o.json()
}
