//! A service.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::super::{
    Bytes, Command, Condition, EnvEntry, FileMount, HealthTest, Mount, MountKind, MountSource, Resolved,
    Service, Ulimit, Value,
};
use super::build::{build, render_deploy};
use super::object::{Object, Paths, plain, size, texts_of};

pub(super) fn environment(entries: &BTreeMap<String, EnvEntry>, keep_missing: bool) -> Json {
    let shown = entries.values().filter(|entry| keep_missing || entry.value.is_some());
    shown.map(|entry| (entry.key.clone(), json!(entry.value))).collect()
}

fn command(command: &Option<Resolved<Command>>) -> Json {
    json!(command.as_ref().map(|command| &command.value.words))
}

pub(super) fn bytes(value: &Option<Resolved<Bytes>>) -> Json {
    json!(value.as_ref().map(|value| value.value.0.to_string()))
}

pub(super) fn render_service(service: &Service, paths: Paths<'_>) -> Json {
    let mut o = Object::default();
    o.texts("profiles", &service.profiles);
    o.put("build", service.build.as_ref().map_or(Json::Null, |found| build(found, paths)));
    o.keep("command", command(&service.command));
    o.keep("entrypoint", command(&service.entrypoint));
    o.put("environment", environment(&service.environment, true));
    o.text("image", &service.image);
    o.put(
        "ports",
        service
            .ports
            .iter()
            .map(|port| {
                let mut o = Object::default();
                o.put("name", json!(port.name));
                o.put("mode", json!(port.mode));
                o.put("host_ip", json!(port.host_ip));
                o.put("target", json!(port.target));
                o.put("published", json!(port.published));
                o.put("protocol", json!(port.protocol));
                o.put("app_protocol", json!(port.app_protocol));
                o.json()
            })
            .collect(),
    );
    o.texts("expose", &service.expose);
    o.put("volumes", service.volumes.iter().map(|found| mount(found, paths)).collect());
    o.put(
        "depends_on",
        service
            .depends_on
            .iter()
            .map(|(name, dependency)| {
                let mut o = Object::default();
                o.put(
                    "condition",
                    json!(match dependency.condition {
                        Condition::Started => "service_started",
                        Condition::Healthy => "service_healthy",
                        Condition::CompletedSuccessfully => "service_completed_successfully",
                    }),
                );
                o.put("restart", json!(dependency.restart));
                o.keep("required", json!(dependency.required));
                (name.clone(), o.json())
            })
            .collect(),
    );
    if let Some(check) = &service.healthcheck {
        let mut o2 = Object::default();
        o2.put(
            "test",
            check.test.as_ref().map_or(Json::Null, |test| match &test.value {
                HealthTest::Exec(words) => {
                    ["CMD"].into_iter().chain(words.iter().map(String::as_str)).collect()
                }
                HealthTest::Shell(text) => json!(["CMD-SHELL", text]),
                HealthTest::None => json!(["NONE"]),
                HealthTest::Other(words) => json!(words),
            }),
        );
        o2.duration("interval", &check.interval);
        o2.duration("timeout", &check.timeout);
        o2.duration("start_period", &check.start_period);
        o2.duration("start_interval", &check.start_interval);
        if let Some(retries) = &check.retries {
            o2.keep("retries", json!(retries.value));
        }
        o2.flag("disable", &check.disable);
        o.keep("healthcheck", o2.json());
    }
    for (key, value) in [
        ("restart", &service.restart),
        ("user", &service.user),
        ("network_mode", &service.network_mode),
        ("pid", &service.pid),
        ("ipc", &service.ipc),
        ("uts", &service.uts),
        ("userns_mode", &service.userns_mode),
        ("cgroup", &service.cgroup),
        ("container_name", &service.container_name),
        ("hostname", &service.hostname),
        ("stop_signal", &service.stop_signal),
        ("pull_policy", &service.pull_policy),
        ("platform", &service.platform),
        ("runtime", &service.runtime),
        ("working_dir", &service.working_dir),
    ] {
        o.text(key, value);
    }
    for (key, value) in [
        ("privileged", &service.privileged),
        ("read_only", &service.read_only),
        ("stdin_open", &service.stdin_open),
        ("tty", &service.tty),
    ] {
        o.flag(key, value);
    }
    if let Some(init) = &service.init {
        o.keep("init", json!(init.value));
    }
    for (key, values) in [
        ("cap_add", &service.cap_add),
        ("cap_drop", &service.cap_drop),
        ("security_opt", &service.security_opt),
        ("tmpfs", &service.tmpfs),
        ("group_add", &service.group_add),
        ("dns", &service.dns),
        ("links", &service.links),
        ("volumes_from", &service.volumes_from),
    ] {
        o.texts(key, values);
    }
    o.put(
        "devices",
        service
            .devices
            .iter()
            .map(|device| {
                let mut o = Object::default();
                o.put("source", json!(device.source));
                o.put("target", json!(device.target));
                o.put("permissions", json!(device.permissions));
                o.json()
            })
            .collect(),
    );
    o.put(
        "networks",
        service
            .networks
            .iter()
            .map(|(name, network)| {
                let mut o = Object::default();
                o.rest(&network.options);
                let is_bare = network.options.is_empty();
                (name.clone(), if is_bare { Json::Null } else { o.json() })
            })
            .collect(),
    );
    o.map("sysctls", &service.sysctls);
    o.map("labels", &service.labels);
    o.put(
        "ulimits",
        service.ulimits.iter().map(|(name, limit)| (name.clone(), ulimit(limit.value))).collect(),
    );
    o.put("mem_limit", bytes(&service.mem_limit));
    o.put("mem_reservation", bytes(&service.mem_reservation));
    o.put("shm_size", bytes(&service.shm_size));
    o.put("cpus", json!(service.cpus.as_ref().map(|cpus| cpus.value)));
    o.put("pids_limit", json!(service.pids_limit.as_ref().map(|limit| limit.value)));
    if let Some(scale) = &service.scale {
        o.keep("scale", json!(scale.value));
    }
    if let Some(deploy) = &service.deploy {
        o.keep("deploy", render_deploy(deploy, service.scale.as_ref().map(|scale| scale.value)));
    }
    if let Some(logging) = &service.logging {
        let mut o2 = Object::default();
        o2.text("driver", &logging.driver);
        o2.map("options", &logging.options);
        o.keep("logging", o2.json());
    }
    o.duration("stop_grace_period", &service.stop_grace_period);
    o.put("secrets", service.secrets.iter().map(file_mount).collect());
    o.put("configs", service.configs.iter().map(file_mount).collect());
    o.put("extra_hosts", hosts(service.extra_hosts.iter()));
    for (key, value) in service.other.iter().filter(|(key, _)| !key.starts_with("x-")) {
        o.put(key, other(key, value, paths));
    }
    if let Some(attach) = service.other.get("attach") {
        o.keep("attach", plain(attach));
    }
    o.json()
}

fn hosts<'a>(all: impl Iterator<Item = (&'a String, &'a Vec<Resolved<String>>)>) -> Json {
    let mut lines: Vec<String> = all
        .flat_map(|(host, addresses)| addresses.iter().map(move |a| format!("{host}={}", a.value)))
        .collect();
    lines.sort();
    json!(lines)
}

/// Keys of a service that have no type of their own.
fn other(key: &str, value: &Value, paths: Paths<'_>) -> Json {
    match key {
        "annotations" | "storage_opt" => texts_of(value),
        "memswap_limit" | "mem_swappiness" => {
            json!(value.display().map(|text| size(&text).to_string()))
        }
        "gpus" => device_requests(value),
        "blkio_config" => block_io(value),
        "develop" => {
            let watch = value.get("watch").map(Value::items).unwrap_or_default();
            let watch: Json = watch
                .iter()
                .map(|trigger| {
                    let mut o = plain(trigger);
                    let written = trigger.get("path").and_then(Value::text).unwrap_or_default();
                    o["path"] = json!(paths.absolute(written.trim_start_matches("./")));
                    if o.get("exec").is_none() {
                        o["exec"] = json!({"command": null});
                    }
                    o
                })
                .collect();
            json!({ "watch": watch })
        }
        "post_start" | "pre_stop" => value
            .items()
            .iter()
            .map(|hook| {
                let mut o = plain(hook);
                let words =
                    hook.get("command").and_then(Value::text).map(|text| text.split(' ').collect::<Vec<_>>());
                if let Some(words) = words {
                    o["command"] = json!(words);
                }
                o
            })
            .collect(),
        _ => plain(value),
    }
}

/// Compose prints the keys of devices with capital letters.
fn block_io(value: &Value) -> Json {
    let mut shown = plain(value);
    for devices in shown.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Json::as_array_mut)
    {
        for device in devices {
            let entries = device.as_object().into_iter().flatten();
            *device = entries
                .map(|(key, value)| match key.as_str() {
                    "rate" => {
                        ("Rate".to_owned(), json!(size(value.as_str().unwrap_or_default()).to_string()))
                    }
                    "weight" => ("Weight".to_owned(), value.clone()),
                    _ => ("Path".to_owned(), value.clone()),
                })
                .collect();
        }
    }
    shown
}

pub(super) fn device_requests(value: &Value) -> Json {
    value
        .items()
        .iter()
        .map(|request| {
            let mut o = plain(request);
            let has_ids = o.get("device_ids").is_some();
            match o.get("count").cloned() {
                None if !has_ids => o["count"] = json!(-1),
                Some(Json::String(text)) => o["count"] = text.parse::<i64>().map_or(json!(-1), |n| json!(n)),
                _ => {}
            }
            o
        })
        .collect()
}

fn ulimit(limit: Ulimit) -> Json {
    match limit {
        // Compose prints nothing for zero.
        Ulimit::Single(0) => json!({}),
        Ulimit::Single(value) => json!(value),
        Ulimit::Pair { soft, hard } => {
            let mut o = Object::default();
            o.put("soft", json!(soft));
            o.put("hard", json!(hard));
            o.json()
        }
    }
}

fn mount(mount: &Mount, paths: Paths<'_>) -> Json {
    let mut o = Object::default();
    o.put(
        "type",
        json!(match mount.kind {
            MountKind::Volume => "volume",
            MountKind::Bind => "bind",
            MountKind::Tmpfs => "tmpfs",
            MountKind::NamedPipe => "npipe",
            MountKind::Cluster => "cluster",
        }),
    );
    o.put(
        "source",
        match &mount.source {
            Some(MountSource::Path(host)) => json!(paths.of(host)),
            Some(MountSource::Volume(name)) => json!(name),
            None => Json::Null,
        },
    );
    o.put("target", json!(mount.target));
    o.put("read_only", json!(mount.read_only));
    for (key, value) in mount.options.iter().filter(|(key, _)| !key.starts_with("x-")) {
        let mut shown = plain(value);
        if key == "tmpfs"
            && let Some(bytes) = value.get("size").and_then(Value::display)
        {
            shown["size"] = json!(size(&bytes).to_string());
        }
        if let Some(map) = shown.as_object_mut() {
            map.retain(|_, value| *value != json!(false));
        }
        o.keep(key, shown);
    }
    o.json()
}

pub(super) fn file_mount(mount: &FileMount) -> Json {
    let mut o = Object::default();
    o.put("source", json!(mount.source.value));
    o.text("target", &mount.target);
    o.text("uid", &mount.uid);
    o.text("gid", &mount.gid);
    if let Some(mode) = &mount.mode {
        o.keep("mode", json!(mode.value));
    }
    o.json()
}
