//! The cases against the Docker Compose of this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::case::{self, Case, HOME, PARENT, ROOT};
use crate::compare::differences;

/// The program that plays Compose, and whether it is a plugin of `docker`.
#[expect(clippy::disallowed_methods, reason = "the oracle is named by the tester")]
fn oracle() -> Option<(String, bool)> {
    let named = std::env::var("PLIMSOLL_COMPOSE").ok().map(|path| (path, false));
    let candidates = [("docker-compose".to_owned(), false), ("docker".to_owned(), true)];
    named.into_iter().chain(candidates).find(|(program, plugin)| {
        let mut command = Command::new(program);
        if *plugin {
            command.arg("compose");
        }
        command.arg("version").output().is_ok_and(|output| output.status.success())
    })
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the oracle is a process")]
fn run(case: &Case, oracle: &(String, bool), folder: &Path) -> Output {
    let mut command = Command::new(&oracle.0);
    command.current_dir(folder).env_clear().envs(&case.env).env("HOME", HOME);
    if oracle.1 {
        command.arg("compose");
    }
    for file in &case.files {
        command.args(["-f", file]);
    }
    for profile in &case.profiles {
        command.args(["--profile", profile]);
    }
    for file in &case.env_files {
        command.args(["--env-file", file]);
    }
    if let Some(directory) = &case.directory {
        command.args(["--project-directory", directory]);
    }
    if let Some(project) = &case.project {
        command.args(["--project-name", project]);
    }
    command.args(["config", "--format", "json"]).output().unwrap()
}

/// What Compose says of a case, with its folder replaced.
fn ask(case: &Case, oracle: &(String, bool)) -> Value {
    let base = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compose");
    let folder = base.join(&case.name);
    let _ = std::fs::remove_dir_all(&folder);
    copy(&case.folder, &folder);
    let folder = folder.canonicalize().unwrap();
    let outer = folder.parent().unwrap().to_string_lossy().into_owned();
    let output = run(case, oracle, &folder);
    let hide = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).replace(&*folder.to_string_lossy(), ROOT).replace(&*outer, PARENT)
    };
    if output.status.success() {
        return serde_json::from_str(&hide(&output.stdout)).unwrap();
    }
    let said = hide(&output.stderr);
    let lines = said.lines().filter(|line| !line.starts_with("time="));
    json!({ "error": lines.collect::<Vec<_>>().join("\n") })
}

#[test]
fn recorded_results_are_what_compose_says_today() {
    let Some(oracle) = oracle() else {
        println!("skipped: no Docker Compose here; on Debian 13: apt-get install docker-compose");
        return;
    };
    #[expect(clippy::disallowed_methods, reason = "the tester asks for new recordings")]
    let record = std::env::var("PLIMSOLL_RECORD").is_ok();
    let mut report = Vec::new();
    for case in case::all() {
        let said = ask(&case, &oracle);
        if record {
            let text = serde_json::to_string_pretty(&said).unwrap() + "\n";
            #[expect(clippy::disallowed_methods, reason = "a recording is a file")]
            std::fs::write(case.folder.join("expected.json"), text).unwrap();
        }
        let Some(expected) = case.expected() else {
            report.push(format!("{}: no expected.json", case.name));
            continue;
        };
        if expected.get("error").is_some() && said.get("error").is_some() {
            continue;
        }
        report.extend(differences(&expected, &said).iter().map(|line| format!("{}: {line}", case.name)));
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}
