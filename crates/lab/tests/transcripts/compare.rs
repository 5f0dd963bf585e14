//! When two answers are alike.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::Answer;

/// Keys that the lab leaves out: figures of a kernel, and options that the node wrote of its own accord.
const LEFT_OUT: [&str; 22] = [
    "pressurecpufull",
    "pressurecpusome",
    "pressureiofull",
    "pressureiosome",
    "pressurememoryfull",
    "pressurememorysome",
    "memhost",
    "nics",
    "clipboard",
    "serial",
    "meta",
    "altnames",
    "vendor",
    "endtime",
    "exists",
    "bridge_fd",
    "gateway",
    "netmask",
    "address",
    "cidr",
    "running-machine",
    "running-qemu",
];

/// Names and numbers that differ between machines.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for word in text.trim().split_inclusive([' ', '\'', '"', '(', ')']) {
        let is_digest = word.len() > 30
            && word.trim_end_matches(['\'', '"']).bytes().all(|byte| byte.is_ascii_hexdigit());
        out.push_str(if is_digest { "DIGEST" } else { word });
    }
    out
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "flag",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

fn size(line: &Value) -> usize {
    line.as_object().map_or(0, serde_json::Map::len)
}

/// Whether data has the recorded shape: each key of the recording, with its type.
fn shape(at: &str, recorded: &Value, own: &Value) -> Result<(), String> {
    match (recorded, own) {
        (Value::Object(recorded), Value::Object(own)) => {
            for (key, value) in recorded.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())) {
                let Some(own) = own.get(key) else { return Err(format!("{at}.{key} is missing")) };
                shape(&format!("{at}.{key}"), value, own)?;
            }
            Ok(())
        }
        // Each kind of line that was recorded stands in the lab's list too.
        (Value::Array(recorded), Value::Array(own)) => {
            let by_kind = |list: &[Value]| -> BTreeMap<String, Value> {
                let mut kinds = BTreeMap::new();
                for line in list {
                    let kind = line["type"].as_str().unwrap_or_default().to_owned();
                    let kept = kinds.entry(kind).or_insert_with(|| line.clone());
                    if size(line) > size(kept) {
                        *kept = line.clone();
                    }
                }
                kinds
            };
            let own = by_kind(own);
            for (kind, line) in by_kind(recorded) {
                let other = own.get(&kind).or_else(|| own.values().max_by_key(|line| size(line)));
                match other {
                    Some(other) => shape(&format!("{at}[{kind}]"), &line, other)?,
                    None => return Err(format!("{at} is empty")),
                }
            }
            Ok(())
        }
        _ if kind(recorded) == kind(own) => Ok(()),
        _ => Err(format!("{at} is {} and was {}", kind(own), kind(recorded))),
    }
}

pub(crate) fn compare(name: &str, recording: &Value, answer: &Answer) -> Result<(), String> {
    let response = &recording["response"];
    let status = response["status"].as_u64().unwrap_or_default();
    let reason = response["reason"].as_str().unwrap_or_default();
    if u64::from(answer.status) != status {
        return Err(format!(
            "{} {} instead of {status} {reason}; {}",
            answer.status, answer.reason, answer.json
        ));
    }
    if plain(&answer.reason) != plain(reason) {
        return Err(format!("`{}` instead of `{reason}`", answer.reason));
    }
    let recorded = &response["json"];
    if recorded.is_null() != answer.json.is_null() {
        return Err(format!("body {} instead of {recorded}", answer.json));
    }
    if status >= 400 {
        return if recorded["errors"] == answer.json["errors"] && recorded["message"] == answer.json["message"]
        {
            Ok(())
        } else {
            Err(format!("{} instead of {recorded}", answer.json))
        };
    }
    if recorded["success"] != answer.json["success"] {
        return Err(format!("{} instead of {recorded}", answer.json));
    }
    if name.ends_with("-running") {
        return Ok(());
    }
    let (was, is) = (&recorded["data"], &answer.json["data"]);
    if let (Some(was), Some(is)) = (was["exitstatus"].as_str(), is["exitstatus"].as_str())
        && plain(was) != plain(is)
    {
        return Err(format!("the task ended with `{is}` instead of `{was}`"));
    }
    if was.as_array().is_some_and(Vec::is_empty) {
        return Ok(());
    }
    shape("data", was, is)
}
