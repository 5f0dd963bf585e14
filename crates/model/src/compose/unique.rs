//! Lists whose items have a key: the later item takes the place of the earlier one.

use std::collections::BTreeMap;

use super::path::Path;
use super::{Kind, Value};

/// How an item's key is found.
#[derive(Clone, Copy)]
enum By {
    /// The text before `=`.
    Name,
    /// The whole text.
    Text,
    Port,
    Target,
    Path,
    /// The target, or the source below a directory.
    Mount(&'static str),
}

const LISTS: &[(&str, By)] = &[
    ("services.*.build.tags", By::Name),
    ("services.*.cap_add", By::Name),
    ("services.*.cap_drop", By::Name),
    ("services.*.configs", By::Mount("")),
    ("services.*.devices", By::Target),
    ("services.*.dns", By::Name),
    ("services.*.dns_opt", By::Name),
    ("services.*.dns_search", By::Name),
    ("services.*.env_file", By::Path),
    ("services.*.expose", By::Text),
    ("services.*.label_file", By::Name),
    ("services.*.links", By::Name),
    ("services.*.networks.*.aliases", By::Name),
    ("services.*.networks.*.link_local_ips", By::Name),
    ("services.*.ports", By::Port),
    ("services.*.profiles", By::Name),
    ("services.*.secrets", By::Mount("/run/secrets")),
    ("services.*.tmpfs", By::Name),
    ("services.*.volumes", By::Target),
];

/// Drops items that later ones redefine, all over a model.
pub(super) fn enforce(model: &mut Value) {
    enforce_at(model, &mut Path::default());
}

/// Whether items of a list at a path replace each other.
pub(super) fn has_keys(path: &Path) -> bool {
    LISTS.iter().any(|(pattern, _)| path.fits(pattern))
}

/// The same for a part of a model.
pub(super) fn enforce_at(value: &mut Value, path: &mut Path) {
    match &mut value.kind {
        Kind::Map(map) => {
            for (key, item) in map {
                path.push(key);
                enforce_at(&mut item.value, path);
                path.pop();
            }
        }
        Kind::List(items) => {
            let Some((_, by)) = LISTS.iter().find(|(pattern, _)| path.fits(pattern)) else { return };
            let mut kept: Vec<Value> = Vec::new();
            let mut seen: BTreeMap<String, usize> = BTreeMap::new();
            for item in std::mem::take(items) {
                let key = key(&item, *by);
                let old = key.as_ref().and_then(|key| seen.get(key)).and_then(|at| kept.get_mut(*at));
                match old {
                    Some(old) => *old = item,
                    None => {
                        seen.extend(key.map(|key| (key, kept.len())));
                        kept.push(item);
                    }
                }
            }
            *items = kept;
        }
        _ => {}
    }
}

fn key(item: &Value, by: By) -> Option<String> {
    let part = |name: &str| item.get(name).and_then(Value::display);
    match by {
        By::Name => item.text().map(|text| text.split('=').next().unwrap_or(text).to_owned()),
        By::Text => item.display(),
        By::Path => part("path"),
        By::Target => part("target"),
        By::Mount(directory) => part("target").or_else(|| Some(format!("{directory}/{}", part("source")?))),
        By::Port => {
            let host = part("host_ip").unwrap_or("0.0.0.0".to_owned());
            let protocol = part("protocol").unwrap_or("tcp".to_owned());
            Some(format!("{host}:{}:{}/{protocol}", part("published").unwrap_or_default(), part("target")?))
        }
    }
}
