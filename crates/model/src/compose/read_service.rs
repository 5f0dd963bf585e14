//! A merged service to its typed form.

use std::collections::BTreeMap;

use plimsoll_text::Place;

use super::fields::{
    Fields, boolean, context_path, env_entries, host_path, integer, number, text_map, texts,
};
use super::load::Report;
use super::{
    Build, Bytes, Command, Condition, Dependency, Deploy, Device, EnvFile, FileMount, HealthTest,
    Healthcheck, Item, Kind, Logging, Mount, MountKind, MountSource, Port, ProblemKind, Resolved, Resources,
    Service, ServiceNetwork, Ulimit, Value, short, units,
};

/// Reads a service. Its environment holds only what `environment` says; env files come later.
pub(super) fn service(name: &str, item: Item, report: &mut Report) -> Service {
    let place = item.key;
    let mut fields = Fields::of(item.value, report);
    let f = &mut fields;
    let mut service = Service {
        name: name.to_owned(),
        place,
        image: f.text("image"),
        build: f.take("build").map(|item| build(item.value, f.report)),
        command: command(f, "command"),
        entrypoint: command(f, "entrypoint"),
        environment: f.value("environment").map(|value| env_entries(&value)).unwrap_or_default(),
        env_files: f.value("env_file").map(|value| env_files(&value, f.report)).unwrap_or_default(),
        ports: f.value("ports").map(|value| ports(&value, f.report)).unwrap_or_default(),
        expose: f.texts("expose"),
        volumes: f.value("volumes").map(|value| mounts(&value, f.report)).unwrap_or_default(),
        depends_on: f.value("depends_on").map(|value| dependencies(&value)).unwrap_or_default(),
        healthcheck: f.value("healthcheck").map(|value| healthcheck(value, f.report)),
        restart: f.text("restart"),
        user: f.text("user"),
        privileged: f.boolean("privileged"),
        cap_add: f.texts("cap_add"),
        cap_drop: f.texts("cap_drop"),
        security_opt: f.texts("security_opt"),
        read_only: f.boolean("read_only"),
        tmpfs: f.texts("tmpfs"),
        devices: f.value("devices").map(|value| devices(&value)).unwrap_or_default(),
        group_add: f.texts("group_add"),
        network_mode: f.text("network_mode"),
        networks: f.value("networks").map(|value| networks(&value)).unwrap_or_default(),
        pid: f.text("pid"),
        ipc: f.text("ipc"),
        uts: f.text("uts"),
        userns_mode: f.text("userns_mode"),
        cgroup: f.text("cgroup"),
        sysctls: f.text_map("sysctls"),
        ulimits: f.value("ulimits").map(|value| ulimits(&value)).unwrap_or_default(),
        mem_limit: f.bytes("mem_limit"),
        mem_reservation: f.bytes("mem_reservation"),
        cpus: f.number("cpus"),
        pids_limit: f.integer("pids_limit"),
        shm_size: f.bytes("shm_size"),
        deploy: f.value("deploy").map(|value| deploy(value, f.report)),
        scale: f.integer("scale"),
        logging: f.value("logging").map(|value| logging(value, f.report)),
        labels: f.text_map("labels"),
        container_name: f.text("container_name"),
        hostname: f.text("hostname"),
        profiles: f.texts("profiles"),
        init: f.boolean("init"),
        stop_grace_period: f.duration("stop_grace_period"),
        stop_signal: f.text("stop_signal"),
        secrets: f.value("secrets").map(|value| file_mounts(&value, true, f.report)).unwrap_or_default(),
        configs: f.value("configs").map(|value| file_mounts(&value, false, f.report)).unwrap_or_default(),
        pull_policy: f.text("pull_policy"),
        platform: f.text("platform"),
        runtime: f.text("runtime"),
        working_dir: f.text("working_dir"),
        extra_hosts: f.value("extra_hosts").map(|value| hosts(&value, f.report)).unwrap_or_default(),
        // An unset variable leaves no name server.
        dns: f.texts("dns").into_iter().filter(|server| !server.value.is_empty()).collect(),
        links: f.texts("links"),
        volumes_from: f.texts("volumes_from"),
        stdin_open: f.boolean("stdin_open"),
        tty: f.boolean("tty"),
        extends: None,
        other: BTreeMap::new(),
    };
    service.other = fields.rest();
    if let Some(policy) = &mut service.pull_policy
        && policy.value == "if_not_present"
    {
        "missing".clone_into(&mut policy.value);
    }
    service
}

fn command(f: &mut Fields<'_>, key: &str) -> Option<Resolved<Command>> {
    let value = f.value(key)?;
    let command = match &value.kind {
        Kind::List(_) => {
            Command { words: texts(&value).into_iter().map(|text| text.value).collect(), is_text: false }
        }
        _ => {
            let text = value.display()?;
            let Some(words) = units::words(&text) else {
                let message = format!("`{key}` is no command line: a quote or a parenthesis is not closed");
                f.report.error(ProblemKind::Schema, value.place, message);
                return Some(value.resolved(Command { words: vec![text], is_text: true }));
            };
            Command { words, is_text: true }
        }
    };
    Some(value.resolved(command))
}

fn build(value: Value, report: &mut Report) -> Build {
    let place = value.place;
    let here = value.derived(Kind::Text(".".to_owned()));
    let mut fields = Fields::of(value, report);
    let f = &mut fields;
    let context = f.value("context").unwrap_or(here);
    let path = context_path(&context).unwrap_or_else(|| super::HostPath {
        written: ".".to_owned(),
        resolved: context.directory.to_path_buf(),
    });
    let dockerfile_inline = f.text("dockerfile_inline");
    let dockerfile = f
        .text("dockerfile")
        .or_else(|| dockerfile_inline.is_none().then(|| Resolved::new("Dockerfile".to_owned(), place)));
    let contexts = f.value("additional_contexts");
    let contexts = contexts.as_ref().and_then(Value::map).into_iter().flatten();
    let additional_contexts = contexts
        .filter_map(|(name, item)| Some((name.clone(), item.value.resolved(context_path(&item.value)?))))
        .collect();
    let mut build = Build {
        place,
        context: context.resolved(path),
        dockerfile,
        dockerfile_inline,
        target: f.text("target"),
        args: f.value("args").map(|value| env_entries(&value)).unwrap_or_default(),
        labels: f.text_map("labels"),
        secrets: f.value("secrets").map(|value| file_mounts(&value, false, f.report)).unwrap_or_default(),
        additional_contexts,
        tags: f.texts("tags"),
        platforms: f.texts("platforms"),
        other: BTreeMap::new(),
    };
    build.other = fields.rest();
    build
}

fn env_files(value: &Value, report: &mut Report) -> Vec<EnvFile> {
    let mut files = Vec::new();
    for item in value.items() {
        let mut f = Fields::of(item.clone(), report);
        let Some(path) = f.path("path") else { continue };
        let required = f.boolean("required").is_none_or(|required| required.value);
        files.push(EnvFile { path, required, format: f.text("format"), found: false });
    }
    files
}

fn ports(value: &Value, report: &mut Report) -> Vec<Port> {
    let mut ports = Vec::new();
    for item in value.items() {
        let mut f = Fields::of(item.clone(), report);
        let Some(target) = f.integer("target") else {
            f.report.error(ProblemKind::Schema, item.place, "a port needs a `target`");
            continue;
        };
        let Ok(target_port) = u16::try_from(target.value) else {
            f.report.error(ProblemKind::Schema, target.place, format!("`{}` is no port", target.value));
            continue;
        };
        let mut variables = item.variables.clone();
        let mut text = |key: &str| {
            let text = f.text(key)?;
            variables
                .extend(text.variables.into_iter().filter(|variable| !item.variables.contains(variable)));
            Some(text.value).filter(|text| !text.is_empty())
        };
        ports.push(Port {
            place: item.place,
            host_ip: text("host_ip"),
            published: text("published"),
            protocol: text("protocol").unwrap_or("tcp".to_owned()),
            mode: Some(text("mode").unwrap_or("ingress".to_owned())),
            name: text("name"),
            app_protocol: text("app_protocol"),
            target: target_port,
            variables,
        });
    }
    ports
}

fn mounts(value: &Value, report: &mut Report) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for item in value.items() {
        let is_short = item.map().is_some_and(|map| map.values().all(|part| part.value.place == item.place));
        let mut fields = Fields::of(item.clone(), report);
        let f = &mut fields;
        let kind = match f.text("type").as_ref().map(|kind| kind.value.as_str()) {
            Some("bind") => MountKind::Bind,
            Some("tmpfs") => MountKind::Tmpfs,
            Some("npipe") => MountKind::NamedPipe,
            Some("cluster") => MountKind::Cluster,
            _ => MountKind::Volume,
        };
        let mut variables = item.variables.clone();
        let mut note = |of: &Value| {
            variables
                .extend(of.variables.iter().filter(|variable| !item.variables.contains(variable)).cloned());
        };
        let source = f.value("source").and_then(|source| {
            note(&source);
            Some(match kind {
                MountKind::Bind => MountSource::Path(host_path(&source)?),
                _ => MountSource::Volume(source.display()?),
            })
        });
        if kind == MountKind::Bind && source.is_none() {
            f.report.error(ProblemKind::Schema, item.place, "a bind mount needs a `source`");
        }
        let target = f.value("target");
        if let Some(target) = &target {
            note(target);
        } else {
            f.report.error(ProblemKind::Schema, item.place, "a mount needs a `target`");
        }
        let target = target.and_then(|target| target.display()).unwrap_or_default();
        let read_only = f.boolean("read_only").is_some_and(|read_only| read_only.value);
        mounts.push(Mount {
            place: item.place,
            variables,
            kind,
            source,
            target: short::clean(&target),
            read_only,
            is_short,
            options: fields.rest(),
        });
    }
    mounts
}

fn devices(value: &Value) -> Vec<Device> {
    let mut devices = Vec::new();
    for item in value.items() {
        let part = |key: &str| item.get(key).and_then(Value::display);
        let Some(source) = part("source") else { continue };
        devices.push(Device {
            place: item.place,
            variables: item.variables.clone(),
            target: part("target").unwrap_or_default(),
            permissions: part("permissions"),
            source,
        });
    }
    devices
}

fn dependencies(value: &Value) -> BTreeMap<String, Dependency> {
    let mut dependencies = BTreeMap::new();
    for (name, item) in value.map().into_iter().flatten() {
        let flag = |key: &str, default| item.value.get(key).and_then(boolean).unwrap_or(default);
        let condition = match item.value.get("condition").and_then(Value::text) {
            Some("service_healthy") => Condition::Healthy,
            Some("service_completed_successfully") => Condition::CompletedSuccessfully,
            _ => Condition::Started,
        };
        let dependency = Dependency {
            place: item.key,
            condition,
            restart: flag("restart", false),
            required: flag("required", true),
            explicit: true,
        };
        dependencies.insert(name.clone(), dependency);
    }
    dependencies
}

fn healthcheck(value: Value, report: &mut Report) -> Healthcheck {
    let place = value.place;
    let mut f = Fields::of(value, report);
    let test = f.value("test").map(|test| {
        let read = match &test.kind {
            Kind::List(_) => health_test(texts(&test).into_iter().map(|text| text.value).collect()),
            _ => HealthTest::Shell(test.display().unwrap_or_default()),
        };
        test.resolved(read)
    });
    let mut check = Healthcheck {
        place,
        test,
        interval: f.duration("interval"),
        timeout: f.duration("timeout"),
        start_period: f.duration("start_period"),
        start_interval: f.duration("start_interval"),
        retries: f.integer("retries").map(|retries| retries.map(|number| u64::try_from(number).unwrap_or(0))),
        disable: f.boolean("disable"),
        other: BTreeMap::new(),
    };
    check.other = f.rest();
    check
}

fn health_test(words: Vec<String>) -> HealthTest {
    let mut rest = words.iter().cloned();
    match (rest.next().as_deref(), words.len()) {
        (Some("CMD"), _) => HealthTest::Exec(rest.collect()),
        (Some("CMD-SHELL"), 2) => HealthTest::Shell(rest.next().unwrap_or_default()),
        (Some("NONE"), 1) => HealthTest::None,
        _ => HealthTest::Other(words),
    }
}

fn networks(value: &Value) -> BTreeMap<String, ServiceNetwork> {
    let entries = value.map().into_iter().flatten();
    entries
        .map(|(name, item)| {
            let options = item.value.map().into_iter().flatten();
            let options = options.map(|(key, option)| (key.clone(), option.value.clone())).collect();
            (name.clone(), ServiceNetwork { place: Some(item.key), options })
        })
        .collect()
}

fn ulimits(value: &Value) -> BTreeMap<String, Resolved<Ulimit>> {
    let entries = value.map().into_iter().flatten();
    entries
        .filter_map(|(name, item)| {
            let part = |key: &str| item.value.get(key).and_then(integer);
            let limit = match integer(&item.value) {
                Some(number) => Ulimit::Single(number),
                None => Ulimit::Pair { soft: part("soft")?, hard: part("hard")? },
            };
            Some((name.clone(), item.value.resolved(limit)))
        })
        .collect()
}

fn resources(value: Value) -> Resources {
    let Kind::Map(mut map) = value.kind else { return Resources::default() };
    let mut take = |key: &str| map.remove(key).map(|item| item.value);
    let cpus = take("cpus").and_then(|value| Some(value.resolved(number(&value)?)));
    let memory = take("memory").and_then(|value| Some(value.resolved(units::bytes(&value.display()?)?)));
    let pids = take("pids").and_then(|value| Some(value.resolved(integer(&value)?)));
    let other = map.into_iter().map(|(key, item)| (key, item.value)).collect();
    Resources { cpus, memory: memory as Option<Resolved<Bytes>>, pids, other }
}

fn deploy(value: Value, report: &mut Report) -> Deploy {
    let place = value.place;
    let mut f = Fields::of(value, report);
    let replicas = f.integer("replicas");
    let labels = f.text_map("labels");
    let mut parts = Fields::of(f.value("resources").unwrap_or_else(|| empty(place)), f.report);
    let limits = parts.value("limits").map(resources);
    let reservations = parts.value("reservations").map(resources);
    Deploy { place, replicas, limits, reservations, labels, other: f.rest() }
}

fn empty(place: Place) -> Value {
    Value::new(Kind::Null, place, camino::Utf8Path::new("").into())
}

fn logging(value: Value, report: &mut Report) -> Logging {
    let place = value.place;
    let mut f = Fields::of(value, report);
    let driver = f.text("driver");
    let options = f.value("options").map(|value| text_map(&value)).unwrap_or_default();
    Logging { place, driver, options, other: f.rest() }
}

fn file_mounts(value: &Value, is_secret: bool, report: &mut Report) -> Vec<FileMount> {
    let mut mounts = Vec::new();
    for item in value.items() {
        let mut f = Fields::of(item.clone(), report);
        let Some(source) = f.text("source") else { continue };
        let target = f
            .text("target")
            .or_else(|| is_secret.then(|| source.clone().map(|name| format!("/run/secrets/{name}"))));
        mounts.push(FileMount {
            place: item.place,
            target,
            uid: f.text("uid"),
            gid: f.text("gid"),
            mode: f.integer("mode"),
            other: f.rest(),
            source,
        });
    }
    mounts
}

fn hosts(value: &Value, report: &mut Report) -> BTreeMap<String, Vec<Resolved<String>>> {
    let mut hosts: BTreeMap<String, Vec<Resolved<String>>> = BTreeMap::new();
    for item in value.items() {
        let Some(text) = item.display() else { continue };
        let Some((host, address)) = text.split_once('=').or_else(|| text.split_once(':')) else {
            report.error(ProblemKind::Schema, item.place, format!("`{text}` has no address"));
            continue;
        };
        if host.is_empty() || host.contains([':', '=']) {
            report.error(ProblemKind::Schema, item.place, format!("`{host}` is no host name"));
            continue;
        }
        let address = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(address);
        hosts.entry(host.to_owned()).or_default().push(item.resolved(address.to_owned()));
    }
    hosts
}
