//! All checks of the project in one command, with a list of what this machine could not run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{browser, failed, foreign, guests, say};

/// What was not run here, and the line that enables it.
pub(crate) struct Skipped {
    pub(crate) what: String,
    pub(crate) enable: String,
}

impl Skipped {
    pub(crate) fn new(what: &str, enable: &str) -> Self {
        Self { what: what.to_owned(), enable: enable.to_owned() }
    }
}

/// Runs everything; the first failure ends the run.
pub(crate) fn run() -> Result<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the workspace has no folder")?;
    let mut skipped = Vec::new();
    let oracle = compose_oracle(root, &mut skipped);
    let client = foreign::client(root, &mut skipped);
    // Packages and images come while the project is compiled.
    let prepared = std::thread::spawn(|| {
        guests::prepare();
        browser::prepare();
    });
    let notes = root.join("target/skipped-tests");
    // There may be none from an earlier run.
    let _ = std::fs::remove_file(&notes);
    let environment = [
        ("PLIMSOLL_COMPOSE", oracle.as_deref()),
        ("PLIMSOLL_SKIPPED", Some(notes.as_path())),
        ("PLIMSOLL_TEST_LAB", Some(root)),
        ("PYTHONPATH", client.as_deref()),
    ];
    let cargo = |args: &[&str]| step(root, "cargo", args, &environment);

    cargo(&["fmt", "--all", "--check"])?;
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    cargo(&["test", "--workspace", "--no-run"])?;
    // What could not be prepared is missing, and told by the tests.
    let _ = prepared.join();
    if works("cargo", &["nextest", "--version"]) {
        cargo(&["nextest", "run", "--workspace", "--profile", "ci"])?;
    } else {
        skipped.push(Skipped::new(
            "running tests in parallel processes (they ran with `cargo test`)",
            "cargo install cargo-nextest --locked",
        ));
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests"])?;
    }
    cargo(&["test", "--workspace", "--doc"])?;
    cargo(&["xtask", "codegen", "--check"])?;
    cargo(&["xtask", "contract", "--check"])?;
    if works("cargo", &["deny", "--version"]) {
        cargo(&["deny", "--offline", "check", "licenses", "bans", "sources"])?;
    } else {
        skipped.push(Skipped::new(
            "licences, bans and sources of dependencies",
            "cargo install cargo-deny --locked",
        ));
    }
    skipped.extend(guests::skipped(&notes));
    for Skipped { what, enable } in &skipped {
        say(&format!("skipped: {what}; to enable: {enable}"));
    }
    Ok(format!("all checks passed, {} skipped", skipped.len()))
}

/// The program that says what Compose itself makes of a project. On Debian as root it is fetched once.
fn compose_oracle(root: &Path, skipped: &mut Vec<Skipped>) -> Option<PathBuf> {
    let fetched = root.join("target/oracle/docker-compose");
    if fetched.is_file() {
        return Some(fetched);
    }
    let fetch = root.join("xtask/fetch-compose.sh");
    if Path::new("/etc/debian_version").exists() && is_root() {
        say("== fetching Debian's docker-compose, to compare the Compose model with it");
        let done = command("sh").arg(&fetch).arg(&fetched).stdin(Stdio::null()).status();
        if done.is_ok_and(|status| status.success()) && fetched.is_file() {
            return Some(fetched);
        }
    }
    if works("docker-compose", &["version"]) && !is_version_one() {
        return Some(PathBuf::from("docker-compose"));
    }
    skipped.push(Skipped::new(
        "the comparison of the Compose model with Compose itself, live (recorded answers were compared)",
        "as root on Debian: sh xtask/fetch-compose.sh target/oracle/docker-compose",
    ));
    None
}

pub(crate) fn is_root() -> bool {
    command("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Compose 1 in Python knows another specification.
fn is_version_one() -> bool {
    command("docker-compose")
        .arg("version")
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("version 1."))
}

pub(crate) fn works(program: &str, args: &[&str]) -> bool {
    let status = command(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn step(
    root: &Path,
    program: &str,
    args: &[&str],
    environment: &[(&str, Option<&Path>)],
) -> Result<(), String> {
    say(&format!("== {program} {}", args.join(" ")));
    let mut command = command(program);
    command.args(args).current_dir(root);
    for (name, path) in environment {
        if let Some(path) = path {
            command.env(name, path);
        }
    }
    let status = command.status().map_err(|error| format!("cannot start `{program}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(failed(program, args)) }
}

#[expect(clippy::disallowed_methods, reason = "this tool exists to start other programs")]
pub(crate) fn command(program: &str) -> Command {
    Command::new(program)
}
