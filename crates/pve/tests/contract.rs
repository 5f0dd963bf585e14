//! Every request that the client can make, held against the vendor's contract. The contract files stand outside the repository:
//! `PLIMSOLL_PVE_API_DIR`, or `../shared/pve-api` beside the checkout.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says why it stops and what it skips")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use plimsoll_pve::{Described, Version, api};
use serde_json::Value;

#[expect(clippy::disallowed_methods, reason = "tests look for files that are not part of the repository")]
fn contract(file: &str) -> Option<BTreeMap<(String, String), Value>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/pve-api");
    let directory =
        std::env::var("PLIMSOLL_PVE_API_DIR").map_or_else(|_| PathBuf::from(beside), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(directory.join(file)) else {
        eprintln!(
            "skipped: {} is not there; set PLIMSOLL_PVE_API_DIR to the vendor's contract files",
            directory.join(file).display()
        );
        return None;
    };
    let contract: Value = serde_json::from_str(&text).unwrap();
    let endpoints = contract["endpoints"].as_array().unwrap();
    let key = |endpoint: &Value| {
        (endpoint["verb"].as_str().unwrap().to_owned(), endpoint["path"].as_str().unwrap().to_owned())
    };
    Some(endpoints.iter().map(|endpoint| (key(endpoint), endpoint["parameters"].clone())).collect())
}

fn paths(request: &Described) -> Vec<String> {
    if request.path.contains("{kind}") {
        ["lxc", "qemu"].iter().map(|kind| request.path.replace("{kind}", kind)).collect()
    } else {
        vec![request.path.to_owned()]
    }
}

/// The contract's name of a numbered parameter: `net[n]` stands for `net0`.
fn known<'a>(parameters: &'a Value, name: &str) -> Option<&'a Value> {
    parameters.get(name)
}

fn check(file: &str, release: Version) {
    let Some(contract) = contract(file) else { return };
    let mut wrong = Vec::new();
    let mut checked = 0;
    for request in api::described() {
        if request.since.is_some_and(|since| since > release) {
            continue;
        }
        for path in paths(request) {
            let Some(parameters) = contract.get(&(request.method.to_string(), path.clone())) else {
                wrong.push(format!("{}: the contract has no {} {path}", request.name, request.method));
                continue;
            };
            checked += 1;
            for param in request.params.iter().filter(|param| !param.name.is_empty()) {
                let newer = param.since.is_some_and(|since| since > release);
                let own = param.name == "kind" && request.path.contains("{kind}");
                if !own && !newer && known(parameters, param.name).is_none() {
                    wrong.push(format!("{} {path} has no parameter `{}`", request.method, param.name));
                }
            }
            for (name, schema) in parameters.as_object().into_iter().flatten() {
                let required = !matches!(&schema["optional"], Value::Bool(true)) && schema["optional"] != 1;
                let sent = request.params.iter().any(|param| param.name == name && !param.optional);
                if required && !sent {
                    wrong.push(format!("{} {path} needs `{name}`", request.method));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{file}:\n{}", wrong.join("\n"));
    assert!(checked > 100, "only {checked} requests were checked");
}

#[test]
fn every_request_stands_in_the_contract_of_9() {
    check("pve-9.2.3.json", Version::new(9, 2, 3));
}

#[test]
fn every_request_stands_in_the_contract_of_8() {
    check("pve-8.4.5.json", Version::new(8, 4, 5));
}
