//! The model in the words of `docker compose config --format json`.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_model::compose::{
    Build, Command, Compose, Condition, EnvEntry, FileMount, FileObject, HealthTest, HostPath, Kind, Mount,
    MountKind, MountSource, Network, Resolved, Resource, Resources, Service, Ulimit, Value,
};
use serde_json::{Map, Value as Json, json};

use crate::case::{HOME, ROOT};

/// An object that leaves out what Compose leaves out.
#[derive(Default)]
struct Object(Map<String, Json>);

impl Object {
    fn put(&mut self, key: &str, value: Json) {
        let is_empty = match &value {
            Json::Null => true,
            Json::Bool(value) => !value,
            Json::Number(number) => number.as_f64() == Some(0.0),
            Json::String(text) => text.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Object(map) => map.is_empty(),
        };
        if !is_empty {
            self.0.insert(key.to_owned(), value);
        }
    }

    /// A value that stays even if it is empty.
    fn keep(&mut self, key: &str, value: Json) {
        self.0.insert(key.to_owned(), value);
    }

    fn text(&mut self, key: &str, value: &Option<Resolved<String>>) {
        self.put(key, json!(value.as_ref().map(|value| &value.value)));
    }

    fn flag(&mut self, key: &str, value: &Option<Resolved<bool>>) {
        self.put(key, json!(value.as_ref().map(|value| value.value)));
    }

    fn texts(&mut self, key: &str, values: &[Resolved<String>]) {
        self.put(key, values.iter().map(|value| value.value.clone()).collect());
    }

    fn duration(&mut self, key: &str, value: &Option<Resolved<Duration>>) {
        // Pointers: zero stays.
        if let Some(value) = value {
            self.keep(key, json!(go_duration(value.value)));
        }
    }

    fn map(&mut self, key: &str, values: &BTreeMap<String, Resolved<String>>) {
        self.put(key, values.iter().map(|(key, value)| (key.clone(), json!(value.value))).collect());
    }

    /// Values without a type, except extensions.
    fn rest(&mut self, values: &BTreeMap<String, Value>) {
        for (key, value) in values.iter().filter(|(key, _)| !key.starts_with("x-")) {
            self.put(key, plain(value));
        }
    }

    fn json(self) -> Json {
        Json::Object(self.0)
    }
}

/// The project as Compose prints it: only what enabled services use, dollar signs doubled.
pub(crate) fn render(compose: &Compose) -> Json {
    let mut top = Object::default();
    top.put("name", json!(compose.name));
    let services = compose.services.iter().map(|(name, service)| (name.clone(), render_service(service)));
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
    top.put("volumes", section(&compose.volumes, &volumes, volume));
    let secrets = used(&|service| {
        let built = service.build.iter().flat_map(|build| &build.secrets);
        service.secrets.iter().chain(built).map(|secret| secret.source.value.clone()).collect()
    });
    top.put("secrets", section(&compose.secrets, &secrets, file_object));
    let configs = used(&|service| service.configs.iter().map(|config| config.source.value.clone()).collect());
    top.put("configs", section(&compose.configs, &configs, file_object));
    for (key, value) in &compose.extensions {
        top.keep(key, plain(value));
    }
    doubled(top.json())
}

fn section<T>(all: &BTreeMap<String, T>, used: &[String], show: fn(&T) -> Json) -> Json {
    let used = all.iter().filter(|(key, _)| used.contains(key));
    Json::Object(used.map(|(key, value)| (key.clone(), show(value))).collect())
}

fn doubled(value: Json) -> Json {
    match value {
        Json::String(text) => Json::String(text.replace('$', "$$")),
        Json::Array(items) => items.into_iter().map(doubled).collect(),
        Json::Object(map) => {
            map.into_iter().map(|(key, value)| (key.replace('$', "$$"), doubled(value))).collect()
        }
        other => other,
    }
}

fn plain(value: &Value) -> Json {
    match &value.kind {
        Kind::Null => Json::Null,
        Kind::Bool(value) => json!(value),
        Kind::Integer(value) => json!(value),
        Kind::Float(value) => json!(value),
        Kind::Text(text) => json!(text),
        Kind::List(items) => items.iter().map(plain).collect(),
        Kind::Map(map) => map.iter().map(|(key, item)| (key.clone(), plain(&item.value))).collect(),
    }
}

/// Every scalar of a mapping as a text.
fn texts_of(value: &Value) -> Json {
    let entries = value.map().into_iter().flatten();
    entries.map(|(key, item)| (key.clone(), json!(item.value.display().unwrap_or_default()))).collect()
}

fn path(path: &HostPath) -> String {
    // Compose leaves absolute paths as they are written.
    if path.written.starts_with('/') || path.written.get(1..2) == Some(":") {
        return path.written.clone();
    }
    absolute(path.resolved.as_str())
}

fn absolute(path: &str) -> String {
    if let Some(rest) = path.strip_prefix('~') {
        return format!("{HOME}{rest}");
    }
    if path.starts_with('/')
        || path.contains("://")
        || path.starts_with("git@")
        || path.starts_with("github.com/")
    {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = ROOT.split('/').collect();
    for part in path.split('/').filter(|part| *part != ".") {
        if part == ".." {
            parts.truncate(parts.len().saturating_sub(1).max(1));
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

fn go_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let fraction = |value: u128, unit: u128| {
        let text = format!("{}.{:0width$}", value / unit, value % unit, width = unit.ilog10() as usize);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", fraction(nanos, 1_000_000)),
        _ => {
            let seconds = fraction(nanos % 60_000_000_000, 1_000_000_000);
            let minutes = nanos / 60_000_000_000;
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

fn environment(entries: &BTreeMap<String, EnvEntry>, keep_missing: bool) -> Json {
    let shown = entries.values().filter(|entry| keep_missing || entry.value.is_some());
    shown.map(|entry| (entry.key.clone(), json!(entry.value))).collect()
}

fn command(command: &Option<Resolved<Command>>) -> Json {
    json!(command.as_ref().map(|command| &command.value.words))
}

fn bytes(value: &Option<Resolved<plimsoll_model::compose::Bytes>>) -> Json {
    json!(value.as_ref().map(|value| value.value.0.to_string()))
}

fn render_service(service: &Service) -> Json {
    let mut o = Object::default();
    o.texts("profiles", &service.profiles);
    o.put("build", service.build.as_ref().map_or(Json::Null, build));
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
    o.put("volumes", service.volumes.iter().map(mount).collect());
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
        o.put(key, other(key, value));
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
fn other(key: &str, value: &Value) -> Json {
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
                    o["path"] = json!(absolute(written.trim_start_matches("./")));
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
            let map = device.as_object().unwrap();
            *device = map
                .iter()
                .map(|(key, value)| match key.as_str() {
                    "rate" => ("Rate".to_owned(), json!(size(value.as_str().unwrap()).to_string())),
                    "weight" => ("Weight".to_owned(), value.clone()),
                    _ => ("Path".to_owned(), value.clone()),
                })
                .collect();
        }
    }
    shown
}

fn device_requests(value: &Value) -> Json {
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

fn size(text: &str) -> i64 {
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
    let factor =
        match text.get(digits.len()..).unwrap_or_default().chars().next().map(|c| c.to_ascii_lowercase()) {
            Some('k') => 1 << 10,
            Some('m') => 1 << 20,
            Some('g') => 1 << 30,
            _ => 1,
        };
    digits.parse::<i64>().unwrap() * factor
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

fn render_deploy(deploy: &plimsoll_model::compose::Deploy, scale: Option<i64>) -> Json {
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

fn build(build: &Build) -> Json {
    let mut o = Object::default();
    o.put("context", json!(path(&build.context.value)));
    o.text("dockerfile", &build.dockerfile);
    o.text("dockerfile_inline", &build.dockerfile_inline);
    o.text("target", &build.target);
    o.put("args", environment(&build.args, false));
    o.map("labels", &build.labels);
    o.put("secrets", build.secrets.iter().map(file_mount).collect());
    let contexts = build.additional_contexts.iter();
    o.put(
        "additional_contexts",
        contexts.map(|(key, value)| (key.clone(), json!(path(&value.value)))).collect(),
    );
    o.texts("tags", &build.tags);
    o.texts("platforms", &build.platforms);
    for (key, value) in build.other.iter().filter(|(key, _)| !key.starts_with("x-")) {
        let shown = match key.as_str() {
            "shm_size" => json!(size(&value.display().unwrap()).to_string()),
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
                let mut lines: Vec<String> =
                    value.items().iter().map(|item| item.display().unwrap().replacen(':', "=", 1)).collect();
                lines.sort();
                json!(lines)
            }
            _ => plain(value),
        };
        o.put(key, shown);
    }
    o.json()
}

fn mount(mount: &Mount) -> Json {
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
            Some(MountSource::Path(host)) => json!(path(host)),
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

fn file_mount(mount: &FileMount) -> Json {
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

fn volume(volume: &Resource) -> Json {
    let mut o = Object::default();
    o.put("name", json!(volume.name));
    o.text("driver", &volume.driver);
    let mut options = volume.driver_opts.clone();
    if let (Some(device), Some(option)) = (&volume.device, options.get_mut("device")) {
        option.value = path(&device.value);
    }
    o.map("driver_opts", &options);
    o.flag("external", &volume.external);
    o.map("labels", &volume.labels);
    o.json()
}

fn file_object(object: &FileObject) -> Json {
    let mut o = Object::default();
    o.put("name", json!(object.name));
    o.put("file", json!(object.file.as_ref().map(|file| path(&file.value))));
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
