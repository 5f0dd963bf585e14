//! Which crate may depend on which. An edge that is not drawn here is forbidden.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The allowed edges between crates of the workspace.
const EDGES: &[(&str, &[&str])] = &[
    ("plimsoll-text", &[]),
    ("plimsoll-syntax", &["plimsoll-text"]),
    ("plimsoll-model", &["plimsoll-text", "plimsoll-syntax"]),
    ("plimsoll-rules", &["plimsoll-text", "plimsoll-syntax", "plimsoll-model"]),
    ("plimsoll-fix", &["plimsoll-text", "plimsoll-model", "plimsoll-rules"]),
    ("plimsoll-judge", &["plimsoll-text", "plimsoll-syntax", "plimsoll-model", "plimsoll-rules"]),
    ("plimsoll-report", &["plimsoll-text", "plimsoll-model", "plimsoll-rules", "plimsoll-judge"]),
    ("plimsoll-config", &["plimsoll-text", "plimsoll-syntax"]),
    ("plimsoll-secrets", &["plimsoll-config"]),
    ("plimsoll-pve", &[]),
    ("plimsoll-lab", &["plimsoll-pve"]),
    ("plimsoll-backup", &["plimsoll-config", "plimsoll-lab", "plimsoll-pve"]),
    ("plimsoll-remote", &[]),
    ("plimsoll-doctor", &["plimsoll-config", "plimsoll-pve"]),
    ("plimsoll-provision", &["plimsoll-config", "plimsoll-pve", "plimsoll-remote", "plimsoll-lab"]),
    (
        "plimsoll-deploy",
        &[
            "plimsoll-text",
            "plimsoll-config",
            "plimsoll-model",
            "plimsoll-backup",
            "plimsoll-pve",
            "plimsoll-remote",
        ],
    ),
    (
        "plimsoll",
        &[
            "plimsoll-text",
            "plimsoll-syntax",
            "plimsoll-model",
            "plimsoll-rules",
            "plimsoll-fix",
            "plimsoll-lab",
            "plimsoll-provision",
            "plimsoll-backup",
            "plimsoll-pve",
            "plimsoll-remote",
            "plimsoll-config",
            "plimsoll-deploy",
            "plimsoll-doctor",
            "plimsoll-judge",
            "plimsoll-report",
            "plimsoll-secrets",
        ],
    ),
    ("xtask", &["plimsoll", "plimsoll-lab", "plimsoll-rules", "plimsoll-syntax", "plimsoll-text"]),
];

/// The crates that judge. They must build and test in seconds.
const PURE: [&str; 7] = [
    "plimsoll-text",
    "plimsoll-syntax",
    "plimsoll-model",
    "plimsoll-rules",
    "plimsoll-fix",
    "plimsoll-judge",
    "plimsoll-report",
];

/// What pure crates must not reach, however indirectly: runtimes, networks, clocks, processes, directories.
const IMPURE: [&str; 18] = [
    "async-std",
    "chrono",
    "fs-err",
    "hyper",
    "ignore",
    "jiff",
    "mio",
    "native-tls",
    "openssl-sys",
    "rand",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "tempfile",
    "time",
    "tokio",
    "walkdir",
];

/// Names of the packages that each package needs to run or build, tests left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let name_of: BTreeMap<&str, &str> = array(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    array(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let needs = array(&node["deps"])
                .iter()
                .filter(|dep| array(&dep["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev"))
                .filter_map(|dep| name_of.get(text(&dep["pkg"])).map(|name| (*name).to_owned()))
                .collect();
            (name_of.get(text(&node["id"])).copied().unwrap_or_default().to_owned(), needs)
        })
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "asks cargo about the workspace, in a test")]
fn metadata() -> Value {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn crates_depend_on_each_other_only_as_drawn() {
    let dependencies = dependencies();
    let own: BTreeSet<&str> = dependencies
        .keys()
        .map(String::as_str)
        .filter(|name| *name == "xtask" || *name == "plimsoll" || name.starts_with("plimsoll-"))
        .collect();
    let drawn: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(own, drawn, "draw the edges of each crate of the workspace");
    for (name, allowed) in EDGES {
        for need in dependencies[*name].iter().filter(|need| own.contains(need.as_str())) {
            assert!(allowed.contains(&need.as_str()), "{name} must not depend on {need}");
        }
    }
}

#[test]
fn crates_that_judge_reach_no_network_no_clock_and_no_directory() {
    let dependencies = dependencies();
    for start in PURE {
        let mut reached = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(name) = open.pop() {
            for need in &dependencies[name] {
                if reached.insert(need) {
                    open.push(need);
                }
            }
        }
        for name in IMPURE {
            assert!(!reached.contains(name), "{start} reaches {name}");
        }
    }
}

/// A rule that panics is caught and named, which needs unwinding.
#[test]
fn releases_unwind() {
    assert!(!include_str!("../../Cargo.toml").contains("panic = "), "a profile changes what a panic does");
}
