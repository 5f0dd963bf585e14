//! Exchanges recorded from real Proxmox VE code, asked again of the lab: same status, same words up to names, same shape of data.
//!
//! The recordings stand outside the repository: `PLIMSOLL_PVE_API_DIR`, or `../shared/pve-api` beside the checkout.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says why it stops and what it skips")]

mod compare;
mod world;

use std::path::PathBuf;

use serde_json::Value;

use compare::compare;
use world::World;

/// Recordings that the lab does not follow, each with its reason. A name may end in `*`.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("http-596-proxy-timeout", "the recording machine was slow; the fault `status` gives the same"),
    ("lxc-termproxy", "consoles are not implemented"),
    ("lxc-vncproxy", "consoles are not implemented"),
    ("nodes-unknown", "the text depends on the machine's name service"),
    ("http-json-invalid", "the text is that of Perl's JSON reader, with its line numbers"),
    ("qemu-cloudinit-regenerate-failed", "an artefact of the recording machine"),
    ("qemu-start-no-kvm*", "an artefact of the recording machine"),
    ("qemu-start-task-failed-task-*", "an artefact of the recording machine"),
    ("qemu-create-import-copy-failed-task-*", "an artefact of the recording machine"),
    ("vzdump-task-*", "the recording machine had no mail program"),
    (
        "lxc-rollback-while-start-task-runs-task-*",
        "locks of migration are not simulated: the start is over sooner",
    ),
    (
        "lxc-snapshot-delete-while-start-task-runs-task-*",
        "locks of migration are not simulated: the start is over sooner",
    ),
    ("tasks-stop-task-*", "the text names the command that was running"),
];

#[expect(clippy::disallowed_methods, reason = "tests look for files that are not part of the repository")]
fn recordings() -> Option<Vec<(String, Value)>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/pve-api");
    let directory =
        std::env::var("PLIMSOLL_PVE_API_DIR").map_or_else(|_| PathBuf::from(beside), PathBuf::from);
    let directory = directory.join("transcripts");
    let Ok(entries) = std::fs::read_dir(&directory) else {
        eprintln!("skipped: {} is not there; set PLIMSOLL_PVE_API_DIR", directory.display());
        return None;
    };
    let files = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"));
    let mut found: Vec<(String, Value)> = files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap())
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    Some(found)
}

fn excepted(name: &str) -> bool {
    EXCEPTIONS.iter().any(|(known, _)| match known.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => *known == name,
    })
}

#[test]
fn recordings_are_answered_alike() {
    let Some(recordings) = recordings() else { return };
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for (name, recording) in recordings.iter().filter(|(name, _)| !excepted(name)) {
        let base =
            name.split("-task-status").next().unwrap_or(name).split("-task-log").next().unwrap_or(name);
        let about_task = base != name;
        let first = recordings.iter().find(|(other, _)| other == base);
        if about_task && first.is_none() {
            continue;
        }
        let mut world = World::for_recording(base);
        let answer = match first.filter(|_| about_task) {
            Some((_, first)) => {
                let answer = world.ask(base, first);
                let Some(upid) = answer.upid() else { continue };
                world.ask_about_task(&upid, name)
            }
            None => world.ask(name, recording),
        };
        checked += 1;
        if let Err(text) = compare(name, recording, &answer) {
            wrong.push(format!("{name}: {text}"));
        }
    }
    for (name, reason) in EXCEPTIONS {
        let used = recordings.iter().any(|(known, _)| known.starts_with(name.trim_end_matches('*')));
        assert!(used, "no recording is called {name} any more ({reason})");
    }
    eprintln!("{checked} recordings compared, {} excepted", EXCEPTIONS.len());
    assert!(wrong.is_empty(), "{} of {checked} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked > 200, "only {checked} recordings were compared");
}
