//! Short forms to long ones.

use plimsoll_text::Place;

use super::load::Report;
use super::path::Path;
use super::{Item, Kind, Map, ProblemKind, Value, short};

/// Where a list of `KEY=value` is another form of a mapping.
const KEY_VALUES: &[&str] = &[
    "services.*.environment",
    "services.*.labels",
    "services.*.annotations",
    "services.*.sysctls",
    "services.*.build.args",
    "services.*.build.labels",
    "services.*.build.additional_contexts",
    "services.*.deploy.labels",
    "services.*.deploy.resources.reservations.devices.*.options",
    "services.*.gpus.*.options",
    "services.*.post_start.*.environment",
    "services.*.pre_stop.*.environment",
    "services.*.develop.watch.*.exec.environment",
    "networks.*.labels",
    "volumes.*.labels",
    "secrets.*.labels",
    "configs.*.labels",
];

/// Where one text is a list of one.
const LISTS: &[&str] = &[
    "services.*.dns",
    "services.*.dns_search",
    "services.*.tmpfs",
    "services.*.label_file",
    "services.*.env_file",
];

/// Whether a path holds `KEY=value` pairs.
pub(super) fn is_key_value(path: &Path) -> bool {
    KEY_VALUES.iter().any(|pattern| path.fits(pattern))
}

/// Spells out every short form of a file.
pub(super) fn file(model: &mut Value, report: &mut Report) {
    walk(model, &mut Path::default(), report);
}

fn walk(value: &mut Value, path: &mut Path, report: &mut Report) {
    spell_out(value, path, report);
    match &mut value.kind {
        Kind::Map(map) => {
            for (key, item) in map {
                if key.starts_with("x-") {
                    continue;
                }
                path.push(key);
                walk(&mut item.value, path, report);
                path.pop();
            }
        }
        Kind::List(items) => {
            path.push("[]");
            for item in items {
                walk(item, path, report);
            }
            path.pop();
        }
        _ => {}
    }
}

fn spell_out(value: &mut Value, path: &Path, report: &mut Report) {
    let fits = |pattern: &str| path.fits(pattern);
    if is_key_value(path) {
        key_values(value, report);
    } else if LISTS.iter().any(|pattern| fits(pattern)) {
        if value.text().is_some() {
            let item = value.clone();
            *value = value.derived(Kind::List(vec![item]));
        }
    } else if fits("services.*.extra_hosts") || fits("services.*.build.extra_hosts") {
        hosts(value);
    } else if fits("services.*.build") {
        wrap(value, "context");
    } else if fits("services.*.extends") {
        wrap(value, "service");
    } else if fits("services.*.secrets.*")
        || fits("services.*.configs.*")
        || fits("services.*.build.secrets.*")
    {
        wrap(value, "source");
    } else if fits("include.*") || fits("services.*.env_file.*") {
        wrap(value, "path");
    } else if fits("services.*.depends_on") || fits("services.*.networks") {
        names(value, fits("services.*.depends_on"));
    } else if fits("services.*.build.ssh") {
        ssh(value);
    } else if fits("services.*.gpus") {
        gpus(value);
    } else if fits("services.*.ports") {
        expand(value, short::ports, report);
    } else if fits("services.*.volumes") {
        expand(value, short::volume, report);
    } else if fits("services.*.devices") {
        expand(value, short::device, report);
    } else if fits("volumes.*") || fits("networks.*") || fits("secrets.*") || fits("configs.*") {
        external(value, report);
    }
}

/// A text as a mapping with one key.
fn wrap(value: &mut Value, key: &str) {
    if value.text().is_some() {
        let item = Item { key: value.place, value: value.clone() };
        *value = value.derived(Kind::Map(Map::from([(key.to_owned(), item)])));
    }
}

/// `[KEY=value, KEY]` as a mapping; the places of keys and values are exact.
fn key_values(value: &mut Value, report: &mut Report) {
    let Kind::List(items) = &mut value.kind else { return };
    let mut map = Map::new();
    for item in std::mem::take(items) {
        let (Some(text), Some(layer)) = (item.display(), item.layer.clone()) else {
            match item.kind {
                // `- KEY: value` is refused elsewhere; what it means is clear.
                Kind::Map(inner) => map.extend(inner),
                _ => {
                    let text = item.display().unwrap_or_default();
                    map.insert(text, Item { key: item.place, value: item.derived(Kind::Null) });
                }
            }
            continue;
        };
        let (name, found) = match text.split_once('=') {
            Some((name, rest)) => (name.to_owned(), Some(rest.to_owned())),
            None => (text.clone(), None),
        };
        let key = layer.place(0..name.len());
        let mut entry = item.clone();
        entry.layer = None;
        match found {
            Some(rest) => {
                let from = name.len() + 1;
                entry.place = layer.place(from..text.len());
                entry.layer = Some(layer.slice(from..text.len()));
                entry.kind = Kind::Text(rest);
            }
            None => {
                entry.place = key;
                entry.kind = Kind::Null;
            }
        }
        if name.is_empty() {
            report.warning(ProblemKind::Schema, item.place, "an entry without a name");
        }
        map.insert(name, Item { key, value: entry });
    }
    value.kind = Kind::Map(map);
}

/// `extra_hosts` as a list of `host=address`.
fn hosts(value: &mut Value) {
    let Kind::Map(map) = &value.kind else { return };
    let mut items = Vec::new();
    for (host, item) in map {
        let single = item.value.display().map(|_| &item.value);
        for address in single.into_iter().chain(item.value.items()) {
            let text = format!("{host}={}", address.display().unwrap_or_default());
            items.push(address.derived(Kind::Text(text)));
        }
    }
    value.kind = Kind::List(items);
}

/// A list of names as a mapping.
fn names(value: &mut Value, with_condition: bool) {
    let Kind::List(items) = &value.kind else { return };
    let mut map = Map::new();
    for item in items {
        let Some(name) = item.display() else { continue };
        let kind = if with_condition {
            let entry = |kind| Item { key: item.place, value: item.derived(kind) };
            Kind::Map(Map::from([
                ("condition".to_owned(), entry(Kind::Text("service_started".to_owned()))),
                ("required".to_owned(), entry(Kind::Bool(true))),
            ]))
        } else {
            Kind::Null
        };
        map.insert(name, Item { key: item.place, value: item.derived(kind) });
    }
    value.kind = Kind::Map(map);
}

/// `gpus: all`, or a number of them, as a list of one request.
fn gpus(value: &mut Value) {
    if value.display().is_some() {
        let count = Item { key: value.place, value: value.clone() };
        let request = value.derived(Kind::Map(Map::from([("count".to_owned(), count)])));
        *value = value.derived(Kind::List(vec![request]));
    }
}

fn ssh(value: &mut Value) {
    let Kind::List(items) = &value.kind else { return };
    let mut map = Map::new();
    for item in items {
        let Some(text) = item.text() else { continue };
        let (id, path) = text.split_once('=').map_or((text, None), |(id, path)| (id, Some(path)));
        let kind = path.map_or(Kind::Null, |path| Kind::Text(path.to_owned()));
        map.insert(id.to_owned(), Item { key: item.place, value: item.derived(kind) });
    }
    value.kind = Kind::Map(map);
}

/// Replaces each short item of a list by what it stands for.
fn expand(value: &mut Value, read: fn(&Value, &str) -> Result<Vec<Map>, String>, report: &mut Report) {
    let Kind::List(items) = &mut value.kind else { return };
    let mut expanded = Vec::new();
    for item in std::mem::take(items) {
        let text = match &item.kind {
            Kind::Text(text) => text.clone(),
            Kind::Integer(number) => number.to_string(),
            Kind::Map(_) => {
                expanded.push(item);
                continue;
            }
            _ => continue,
        };
        match read(&item, &text) {
            Ok(maps) => expanded.extend(maps.into_iter().map(|map| item.derived(Kind::Map(map)))),
            Err(message) => report.error(ProblemKind::Schema, item.place, message),
        }
    }
    *items = expanded;
}

/// The old `external: {name: x}`.
fn external(value: &mut Value, report: &mut Report) {
    let Some(map) = value.map_mut() else { return };
    let Some(item) = map.get_mut("external") else { return };
    let Kind::Map(inner) = &item.value.kind else { return };
    let name = inner.get("name").cloned();
    let place: Place = item.value.place;
    item.value.kind = Kind::Bool(true);
    let Some(name) = name else { return };
    report.warning(
        ProblemKind::Obsolete,
        place,
        "`external.name` is obsolete; write `name` and `external: true`",
    );
    match map.get("name") {
        Some(own) if own.value != name.value => {
            report.error(ProblemKind::Conflict, place, "`name` and `external.name` differ");
        }
        Some(_) => {}
        None => {
            map.insert("name".to_owned(), name);
        }
    }
}
