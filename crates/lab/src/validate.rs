//! Parameters held against the contract, in the node's words (pve-common, `JSONSchema.pm`).

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

use crate::contract::Detail;
use crate::formats;
use crate::reply::Refusal;

/// A value as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    /// Text of a form or a query, or a scalar of JSON.
    Text(String),
    /// A repeated name of a form, or an array of JSON.
    List(Vec<String>),
}

/// Parameters that have been judged, as texts. Flags are `1` and `0`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args(pub(crate) BTreeMap<String, Vec<String>>);

impl Args {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.first().map(String::as_str)
    }

    /// A parameter that the contract demands, and so is there.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    pub(crate) fn vmid(&self) -> u32 {
        self.get("vmid").and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let text = self.0.get(name).map(|values| values.join(",")).unwrap_or_default();
        text.split([',', ';', ' ', '\0']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)?.into_iter().next()
    }
}

/// The schema of a parameter: its own, or that of a numbered one.
pub(crate) fn schema<'a>(params: &'a BTreeMap<String, Value>, name: &str) -> Option<&'a Value> {
    params.get(name).or_else(|| {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if stem.len() == name.len() { None } else { params.get(&format!("{stem}[n]")) }
    })
}

pub(crate) fn validate(detail: &Detail, given: BTreeMap<String, Raw>) -> Result<Args, Refusal> {
    let (mut args, mut errors) = (Args::default(), BTreeMap::new());
    for (name, raw) in given {
        let Some(schema) = schema(&detail.params, &name) else {
            let text =
                "property is not defined in schema and the schema does not allow additional properties";
            errors.insert(name, text.to_owned());
            continue;
        };
        let values = match raw {
            Raw::Text(text) => vec![text],
            Raw::List(list) if is_array(schema) => list,
            Raw::List(list) => vec![list.join(",")],
        };
        let item = if is_array(schema) { &schema["items"] } else { schema };
        let mut kept = Vec::new();
        for value in values {
            match judge(item, value, &name) {
                Ok(value) => kept.push(value),
                Err(text) => {
                    errors.insert(name.clone(), text);
                }
            }
        }
        args.0.insert(name, kept);
    }
    for (name, schema) in &detail.params {
        let numbered = name.ends_with("[n]");
        if !numbered && schema["optional"] != 1 && !args.0.contains_key(name) && !errors.contains_key(name) {
            errors.insert(name.clone(), "property is missing and it is not optional".to_owned());
        }
        if let Some(needs) = schema["requires"].as_str()
            && args.0.contains_key(name)
            && !args.0.contains_key(needs)
        {
            errors.insert(needs.to_owned(), format!("missing property - '{name}' requires this property"));
        }
    }
    if errors.is_empty() { Ok(args) } else { Err(Refusal::parameters(errors)) }
}

fn is_array(schema: &Value) -> bool {
    schema["type"] == "array"
}

/// A value by its schema: what is kept of it, or what is wrong.
pub(crate) fn judge(schema: &Value, value: String, name: &str) -> Result<String, String> {
    let kind = schema["type"].as_str().unwrap_or("string");
    let wrong = || Err(format!("type check ('{kind}') failed - got '{value}'"));
    match kind {
        "integer" if value.parse::<i64>().is_err() => return wrong(),
        "number" if value.parse::<f64>().is_err() => return wrong(),
        "boolean" => {
            return match value.as_str() {
                "1" | "0" => Ok(value),
                _ => wrong(),
            };
        }
        _ => {}
    }
    match &schema["format"] {
        Value::Object(keys) => formats::properties(keys, &value, name)
            .map_err(|text| format!("invalid format - format error\n{text}\n"))?,
        Value::String(format) => {
            formats::check(format, &value).map_err(|text| format!("invalid format - {text}\n"))?;
        }
        _ => {}
    }
    if let Some(choices) = schema["enum"].as_array() {
        if !choices.iter().any(|choice| {
            choice.as_str() == Some(value.as_str())
                || choice.as_i64().is_some_and(|number| value.parse() == Ok(number))
        }) {
            let all: Vec<String> = choices
                .iter()
                .map(|choice| choice.as_str().map_or_else(|| choice.to_string(), str::to_owned))
                .collect();
            return Err(format!(
                "value '{value}' does not have a value in the enumeration '{}'",
                all.join(", ")
            ));
        }
        return Ok(value);
    }
    if matches!(kind, "integer" | "number") {
        let number: f64 = value.parse().unwrap_or_default();
        if let Some(least) = schema["minimum"].as_f64().filter(|least| number < *least) {
            return Err(format!("value must have a minimum value of {least}"));
        }
        if let Some(most) = schema["maximum"].as_f64().filter(|most| number > *most) {
            return Err(format!("value must have a maximum value of {most}"));
        }
        return Ok(value);
    }
    let length = value.chars().count() as u64;
    if let Some(least) = schema["min_length"].as_u64().filter(|least| length < *least) {
        return Err(format!("value must be at least {least} characters long"));
    }
    if let Some(most) = schema["max_length"].as_u64().filter(|most| length > *most) {
        return Err(format!("value may only be {most} characters long"));
    }
    match schema["pattern"].as_str() {
        Some(pattern) if !matches(pattern, &value) => {
            Err("value does not match the regex pattern".to_owned())
        }
        _ => Ok(value),
    }
}

/// The node's patterns are Perl's; a printed one carries its flags as `(?^i:…)`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern = pattern.replace("(?^i:", "(?i:").replace("(?^u:", "(?:").replace("(?^:", "(?:");
    Regex::new(&format!("^(?:{pattern})$")).map_or(true, |pattern| pattern.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Contract, Release};

    fn errors(verb: &str, path: &str, given: &[(&str, &str)]) -> BTreeMap<String, String> {
        let contract = Contract::of(Release::V9);
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        let (endpoint, places) = contract.find(verb, &path).unwrap();
        let mut all: BTreeMap<String, Raw> =
            given.iter().map(|(name, value)| ((*name).to_owned(), Raw::Text((*value).to_owned()))).collect();
        all.extend(places.into_iter().map(|(name, value)| (name, Raw::Text(value))));
        validate(endpoint.detail.as_ref().unwrap(), all)
            .map_or_else(|refusal| refusal.errors, |_| BTreeMap::new())
    }

    #[test]
    fn several_wrong_parameters_are_named_in_the_nodes_words() {
        let errors = errors(
            "POST",
            "nodes/pve1/lxc",
            &[
                ("vmid", "5"),
                ("ostemplate", "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst"),
                ("hostname", "bad_host!"),
                ("memory", "lots"),
                ("net0", "bridge=vmbr0"),
                ("password", "1234"),
                ("nosuch", "1"),
            ],
        );
        assert_eq!(errors["vmid"], "invalid format - value does not look like a valid VM ID\n");
        assert_eq!(errors["hostname"], "invalid format - value does not look like a valid DNS name\n");
        assert_eq!(errors["memory"], "type check ('integer') failed - got 'lots'");
        assert_eq!(
            errors["net0"],
            "invalid format - format error\nnet0.name: property is missing and it is not optional\n"
        );
        assert_eq!(errors["password"], "value must be at least 5 characters long");
        assert!(errors["nosuch"].starts_with("property is not defined in schema"));
    }

    #[test]
    fn good_requests_pass() {
        let good = errors(
            "POST",
            "nodes/pve1/lxc",
            &[
                ("vmid", "100"),
                ("ostemplate", "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst"),
                ("rootfs", "local-lvm:8"),
                ("net0", "name=eth0,bridge=vmbr0,ip=dhcp,firewall=1"),
                ("features", "nesting=1"),
                ("tags", "a;b"),
                ("startup", "order=1,up=10"),
            ],
        );
        assert!(good.is_empty(), "{good:?}");
    }

    #[test]
    fn missing_parameters_are_named() {
        let errors = errors("POST", "nodes/pve1/lxc", &[]);
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["ostemplate", "vmid"]);
    }
}
