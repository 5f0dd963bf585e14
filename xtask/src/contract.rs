//! The table of endpoints that the lab carries, made from the vendor's contract files.
//!
//! The contract files are large and no part of the repository. The table keeps what a node needs to judge a request: names, types,
//! ranges and privileges of the endpoints in `crates/lab/contract/endpoints.txt`, and of every other endpoint that it exists.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

/// Release, file of the contract, file of the table.
const RELEASES: [(&str, &str, &str); 2] =
    [("8.4.5", "pve-8.4.5.json", "8.4.json"), ("9.2.3", "pve-9.2.3.json", "9.2.json")];

/// What a schema needs to say for a value to be judged.
const KEPT: [&str; 15] = [
    "type",
    "optional",
    "default",
    "default_key",
    "keyAlias",
    "alias",
    "enum",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "min_length",
    "max_length",
    "items",
    "requires",
];

fn tables() -> Utf8PathBuf {
    Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/lab/contract"))
}

#[expect(clippy::disallowed_methods, reason = "a developer's tool that writes tables into the repository")]
fn read(path: &Utf8Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))
}

#[expect(clippy::disallowed_methods, reason = "the contract files stand outside the repository")]
fn directory() -> Option<Utf8PathBuf> {
    let beside = Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/pve-api"));
    let directory = std::env::var("PLIMSOLL_PVE_API_DIR").map_or(beside, Utf8PathBuf::from);
    directory.is_dir().then_some(directory)
}

/// Writes the tables, or with `check` says whether they are what the contract files say.
pub(crate) fn run(check: bool) -> Result<String, String> {
    let Some(directory) = directory() else {
        return if check {
            Ok("skipped: the tables of endpoints, for the vendor's contract files are not there (PLIMSOLL_PVE_API_DIR)".to_owned())
        } else {
            Err("the vendor's contract files are not there; set PLIMSOLL_PVE_API_DIR".to_owned())
        };
    };
    let listed = read(&tables().join("endpoints.txt"))?;
    let listed: BTreeSet<&str> =
        listed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut known = Vec::new();
    for (release, from, to) in RELEASES {
        let contract: Value = serde_json::from_str(&read(&directory.join(from))?)
            .map_err(|error| format!("{from}: {error}"))?;
        known.push(endpoints(&contract));
        keep(check, &tables().join(to), &table(release, &contract, &listed))?;
    }
    keep(check, &tables().join("../../../docs/lab-endpoints.md"), &page(&listed, &known))?;
    Ok(if check { "tables of endpoints are what the contract says" } else { "wrote tables of endpoints" }
        .to_owned())
}

/// Writes a file, or with `check` says whether it is as it should be.
fn keep(check: bool, path: &Utf8Path, text: &str) -> Result<(), String> {
    match check {
        false => write(path, text),
        true if read(path)? == text => Ok(()),
        true => Err(format!("{path} is not what the contract says; run `cargo xtask contract`")),
    }
}

/// Verbs and paths of a release.
fn endpoints(contract: &Value) -> BTreeSet<String> {
    let all = contract["endpoints"].as_array().into_iter().flatten();
    let text = |endpoint: &Value, key: &str| endpoint[key].as_str().unwrap_or_default().to_owned();
    all.map(|endpoint| format!("{} {}", text(endpoint, "verb"), text(endpoint, "path"))).collect()
}

/// The page that says which endpoint the lab answers for which release.
fn page(listed: &BTreeSet<&str>, known: &[BTreeSet<String>]) -> String {
    let mut out = "# Endpoints of the lab\n\nWritten by `cargo xtask contract`. What stands here is answered; everything else of a release \
                   is refused with 501 and its name.\n\n| endpoint | 8.4 | 9.2 |\n|---|---|---|\n"
        .to_owned();
    let mut sorted: Vec<(&str, &str)> = listed.iter().filter_map(|line| line.split_once(' ')).collect();
    sorted.sort_by_key(|(verb, path)| (*path, *verb));
    for (verb, path) in sorted {
        let _ = write!(out, "| `{verb} {path}` |");
        for release in known {
            let _ = write!(
                out,
                " {} |",
                if release.contains(&format!("{verb} {path}")) { "yes" } else { "not in this release" }
            );
        }
        out.push('\n');
    }
    out
}

#[expect(clippy::disallowed_methods, reason = "a developer's tool that writes tables into the repository")]
fn write(path: &Utf8Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {path}: {error}"))
}

/// One schema and one endpoint a line. Equal schemas are written once and referred to by number.
fn table(release: &str, contract: &Value, listed: &BTreeSet<&str>) -> String {
    let mut schemas: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    let empty = Vec::new();
    for endpoint in contract["endpoints"].as_array().unwrap_or(&empty) {
        let (verb, path) =
            (endpoint["verb"].as_str().unwrap_or_default(), endpoint["path"].as_str().unwrap_or_default());
        if !listed.contains(format!("{verb} {path}").as_str()) {
            lines.push(json!([verb, path]).to_string());
            continue;
        }
        let mut params = Map::new();
        for (name, schema) in endpoint["parameters"].as_object().into_iter().flatten() {
            let text = slim(schema).to_string();
            let number = schemas.iter().position(|known| *known == text).unwrap_or_else(|| {
                schemas.push(text);
                schemas.len() - 1
            });
            params.insert(name.clone(), number.into());
        }
        let permissions = &endpoint["permissions"];
        let check = &permissions["expression"]["check"];
        let user = if permissions.is_null() { json!("root") } else { permissions["user"].clone() };
        let token = endpoint["allow_token"].as_bool().unwrap_or(true);
        lines.push(json!([verb, path, params, check, user, token]).to_string());
    }
    let mut out = format!("{{\"release\":\"{release}\",\n\"schemas\":[\n");
    let _ = write!(out, "{}\n],\n\"endpoints\":[\n{}\n]}}\n", schemas.join(",\n"), lines.join(",\n"));
    out
}

fn slim(schema: &Value) -> Value {
    let mut out = Map::new();
    for key in KEPT {
        let value = schema.get(key).or_else(|| schema["extra"].get(key));
        match (key, value) {
            (_, None | Some(Value::Null)) => {}
            ("optional", Some(flag)) if *flag == false || *flag == 0 => {}
            ("optional", Some(_)) => {
                out.insert(key.to_owned(), json!(1));
            }
            ("format", Some(Value::Object(keys))) => {
                let keys: Map<String, Value> =
                    keys.iter().map(|(name, schema)| (name.clone(), slim(schema))).collect();
                out.insert(key.to_owned(), Value::Object(keys));
            }
            ("items", Some(items)) => {
                out.insert(key.to_owned(), slim(items));
            }
            (_, Some(value)) => {
                out.insert(key.to_owned(), value.clone());
            }
        }
    }
    Value::Object(out)
}

#[test]
fn tables_of_endpoints_are_what_the_contract_says() {
    crate::say(&run(true).unwrap());
}
