//! Named formats of values, in the node's words.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::validate::{judge, matches};

/// A value of a named format. What the lab has no rule for passes.
pub(crate) fn check(format: &str, value: &str) -> Result<(), String> {
    if let Some(single) = format.strip_suffix("-list") {
        let parts = value.split([',', ';', ' ', '\0']).filter(|part| !part.is_empty());
        return parts.into_iter().try_for_each(|part| check(single, part));
    }
    if let Some(single) = format.strip_suffix("-opt") {
        return if value.is_empty() { Ok(()) } else { check(single, value) };
    }
    let looks = |fits: bool, what: &str| {
        if fits { Ok(()) } else { Err(format!("value does not look like a valid {what}")) }
    };
    match format {
        "pve-vmid" => looks(matches("[1-9][0-9]{2,8}", value), "VM ID"),
        "pve-node" => looks(matches("[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?", value), "node name"),
        "dns-name" => looks(dns_name(value), "DNS name"),
        "pve-configid" if !matches("[A-Za-z][A-Za-z0-9_-]+", value) => {
            Err(format!("invalid configuration ID '{value}'"))
        }
        "pve-storage-id" if !matches("[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]", value) => {
            Err(format!("storage ID '{value}' contains illegal characters"))
        }
        "pve-userid" if !matches("[^\\s:/]+@[A-Za-z][A-Za-z0-9._-]+", value) => {
            Err(format!("value '{value}' does not look like a valid user name"))
        }
        "pve-tokenid" if !matches("[^\\s:/]+@[A-Za-z][A-Za-z0-9._-]+![A-Za-z][A-Za-z0-9._-]+", value) => {
            Err(format!("value '{value}' does not look like a valid token ID"))
        }
        "pve-roleid" if !matches("[A-Za-z0-9._-]+", value) => {
            Err(format!("value '{value}' does not look like a valid role name"))
        }
        "pve-poolid" if !matches("[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+){0,2}", value) => {
            Err(format!("value '{value}' contains illegal characters"))
        }
        "pve-tag" if !matches("(?i:[a-z0-9_][a-z0-9_+.-]*)", value) => {
            Err("invalid characters in tag".to_owned())
        }
        "pve-iface" => {
            looks(matches("[a-zA-Z][a-zA-Z0-9_]{1,20}([:.][0-9]+)?", value), "network interface name")
        }
        "urlencoded" if !matches("[-%a-zA-Z0-9_.!~*'()]*", value) => {
            Err(format!("invalid urlencoded string: {value}"))
        }
        "mac-addr" => looks(mac(value), "unicast MAC address"),
        "ip" | "address" => {
            looks(value.parse::<IpAddr>().is_ok() || format == "address" && dns_name(value), "IP address")
        }
        "ipv4" => looks(value.parse::<std::net::Ipv4Addr>().is_ok(), "IPv4 address"),
        "ipv6" => looks(value.parse::<std::net::Ipv6Addr>().is_ok(), "IPv6 address"),
        "pve-ipv4-config" => {
            looks(matches!(value, "dhcp" | "manual") || cidr(value, true), "ipv4 network configuration")
        }
        "pve-ipv6-config" => looks(
            matches!(value, "auto" | "dhcp" | "manual") || cidr(value, false),
            "ipv6 network configuration",
        ),
        "CIDRv4" => looks(cidr(value, true), "IPv4 network"),
        "CIDRv6" => looks(cidr(value, false), "IPv6 network"),
        "CIDR" | "IPorCIDR" => looks(
            cidr(value, true)
                || cidr(value, false)
                || format == "IPorCIDR" && value.parse::<IpAddr>().is_ok(),
            "CIDR network",
        ),
        "disk-size" if !matches("\\d+(\\.\\d+)?[KMGT]?", value) => {
            Err("value does not look like a valid disk size".to_owned())
        }
        "pve-lxc-mp-string" => mount_path(value),
        "pve-volume-id" if !matches("[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]:.+", value) => {
            Err(format!("unable to parse volume ID '{value}'"))
        }
        "pve-qm-ipconfig" => keyed(value, &["gw", "gw6", "ip", "ip6"], None),
        "pve-startup-order" => keyed(value, &["order", "up", "down"], Some("order")),
        "pve-storage-content" if !CONTENT.contains(&value) => Err(format!("invalid content type '{value}'")),
        _ => Ok(()),
    }
}

/// Kinds of content of storages.
pub(crate) const CONTENT: [&str; 8] =
    ["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import", "none"];

fn dns_name(text: &str) -> bool {
    matches("[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*", text)
}

fn mac(text: &str) -> bool {
    matches("(?i:[0-9a-f][02468ace](:[0-9a-f]{2}){5})", text)
}

fn cidr(text: &str, four: bool) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), length.parse::<u8>()) else { return false };
    address.is_ipv4() == four && length >= 1 && length <= if four { 32 } else { 128 }
}

fn mount_path(text: &str) -> Result<(), String> {
    let dotted = text.split('/').any(|part| matches!(part, "." | ".."));
    if text.starts_with('/') && dotted { Err(format!("invalid path '{text}'")) } else { Ok(()) }
}

fn keyed(value: &str, keys: &[&str], default: Option<&str>) -> Result<(), String> {
    for part in value.split(',') {
        match part.split_once('=') {
            Some((key, _)) if keys.contains(&key) => {}
            None if default.is_some() => {}
            _ => return Err(format!("invalid option '{part}'")),
        }
    }
    Ok(())
}

/// A property string by the schemas of its keys. Errors name the parameter and the key.
pub(crate) fn properties(keys: &Map<String, Value>, value: &str, name: &str) -> Result<(), String> {
    let default = keys.iter().find(|(_, schema)| schema["default_key"] == 1).map(|(key, _)| key.as_str());
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for part in value.split(',').filter(|part| !part.trim().is_empty()) {
        let (key, text) = match part.split_once('=') {
            Some((key, text))
                if !key.is_empty() && !text.is_empty() && (keys.contains_key(key) || default.is_none()) =>
            {
                (key, text)
            }
            _ => match default {
                Some(default) => (default, part),
                None => return Err("value without key, but schema does not define a default key".to_owned()),
            },
        };
        let Some(schema) = keys.get(key) else {
            wrong.push(format!(
                "{name}.{key}: property is not defined in schema and the schema does not allow additional properties"
            ));
            continue;
        };
        if !seen.insert(key) {
            return Err(format!("duplicate key in comma-separated list property: {key}"));
        }
        seen.extend(schema["keyAlias"].as_str());
        seen.extend(schema["alias"].as_str());
        if let Err(text) = judge(schema, spelled(schema, text), key) {
            wrong.push(format!("{name}.{key}: {text}"));
        }
    }
    for (key, schema) in keys {
        if schema["optional"] != 1 && !seen.contains(key.as_str()) && schema["alias"].is_null() {
            wrong.push(format!("{name}.{key}: property is missing and it is not optional"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// Inside property strings flags may be spelled out.
fn spelled(schema: &Value, text: &str) -> String {
    match (schema["type"] == "boolean", text) {
        (true, "on" | "yes" | "true") => "1".to_owned(),
        (true, "off" | "no" | "false") => "0".to_owned(),
        _ => text.to_owned(),
    }
}
