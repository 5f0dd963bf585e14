//! Merging a model over another by the rules of the Compose specification.

use super::canonical::is_key_value;
use super::load::Report;
use super::path::Path;
use super::{Kind, Map, ProblemKind, Value};

/// Values that replace what was there, whatever it was.
const REPLACED: &[&str] = &[
    "services.*.command",
    "services.*.entrypoint",
    "services.*.healthcheck.test",
    "services.*.ulimits.*",
    "services.*.build.ulimits.*",
];

/// Puts a value over another one.
pub(super) fn merge(below: Value, over: Value, path: &Path, report: &mut Report) -> Value {
    if REPLACED.iter().any(|pattern| path.fits(pattern)) {
        return over;
    }
    if path.fits("services.*.logging") && differs_in_driver(&below, &over) {
        return over;
    }
    if path.fits("networks.*.ipam.config") {
        return pools(&below, over, path, report);
    }
    if is_key_value(path) {
        return key_values(below, over);
    }
    if over.is_null() {
        return below;
    }
    match (below.kind, over.kind) {
        (Kind::Map(below), Kind::Map(above)) => {
            let kind = Kind::Map(maps(below, above, path, report));
            Value { kind, ..over }
        }
        (Kind::List(mut items), Kind::List(more)) => {
            let hosts = path.last() == Some("extra_hosts");
            for item in more {
                if !hosts || !items.contains(&item) {
                    items.push(item);
                }
            }
            Value { kind: Kind::List(items), ..over }
        }
        (kind @ (Kind::Map(_) | Kind::List(_)), other) => {
            report.error(
                ProblemKind::Conflict,
                over.place,
                format!("{path} cannot take the place of a value of another shape"),
            );
            drop(kind);
            Value { kind: other, ..over }
        }
        (_, kind) => Value { kind, ..over },
    }
}

fn maps(mut below: Map, above: Map, path: &Path, report: &mut Report) -> Map {
    for (key, item) in above {
        let merged = match below.remove(&key) {
            Some(old) if !key.starts_with("x-") => {
                let place = item.key;
                let value = merge(old.value, item.value, &path.then(&key), report);
                super::Item { key: place, value }
            }
            _ => item,
        };
        below.insert(key, merged);
    }
    below
}

/// Environments, labels and the like: an entry without a value still replaces the one below.
fn key_values(below: Value, over: Value) -> Value {
    match (below.kind, over.kind) {
        (Kind::Map(mut entries), Kind::Map(above)) => {
            entries.extend(above);
            Value { kind: Kind::Map(entries), ..over }
        }
        (kind, Kind::Null) => Value { kind, ..over },
        (_, kind) => Value { kind, ..over },
    }
}

fn differs_in_driver(below: &Value, over: &Value) -> bool {
    match (below.get("driver"), over.get("driver")) {
        (Some(below), Some(over)) => below != over,
        _ => false,
    }
}

/// Address pools are the same when their subnets are.
fn pools(below: &Value, over: Value, path: &Path, report: &mut Report) -> Value {
    let mut all: Vec<Value> = below.items().to_vec();
    for pool in over.items() {
        match all.iter_mut().find(|old| old.get("subnet") == pool.get("subnet")) {
            Some(old) => *old = merge(old.clone(), pool.clone(), &path.then("[]"), report),
            None => all.push(pool.clone()),
        }
    }
    Value { kind: Kind::List(all), ..over }
}
