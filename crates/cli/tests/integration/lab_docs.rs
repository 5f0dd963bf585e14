//! The examples of docs/lab.md, run as they stand there.

use std::path::Path;
use std::process::Output;

use plimsoll_lab::host::INSTALL;

use crate::sandbox::Sandbox;

const PAGE: &str = include_str!("../../../../docs/lab.md");

/// What an example needs, and its commands.
struct Example {
    needs: &'static str,
    script: String,
}

fn examples() -> Vec<Example> {
    let marked = PAGE.split("<!-- test: ").skip(1);
    marked
        .map(|part| {
            let (needs, rest) = part.split_once(" -->\n```").unwrap();
            let (kind, rest) = rest.split_once('\n').unwrap();
            let (body, _) = rest.split_once("\n```").unwrap();
            let script = if kind == "yaml" { steps(body) } else { body.to_owned() };
            Example { needs, script }
        })
        .collect()
}

/// Commands of the steps of a CI job. What installs packages is compared with the doctor's words, not run.
fn steps(job: &str) -> String {
    let mut script = String::new();
    for line in job.lines().skip(1) {
        let command = line.trim_start().trim_start_matches("- run: ");
        match command.strip_prefix("apt-get ") {
            Some(_) => assert_eq!(command, INSTALL, "the line that the doctor names"),
            None if command == "|" => {}
            None => script.push_str(&format!("{command}\n")),
        }
    }
    script
}

/// Runs a script in a folder of its own, with a lab of its own.
fn run(sandbox: &Sandbox, script: &str) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_plimsoll")).parent().unwrap();
    let mut command = assert_cmd::Command::new("sh");
    let folder = |name: &str| sandbox.path().join(name);
    command
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", binary.display()),
        )
        .env("HOME", sandbox.path())
        .env("PLIMSOLL_LAB_DIR", folder("lab"))
        .env("PLIMSOLL_LAB_PORT", "0")
        .env("PLIMSOLL_LAB_CACHE", cache())
        .envs(engine())
        .current_dir(sandbox.path())
        .args(["-e", "-c", script])
        .timeout(std::time::Duration::from_secs(240));
    command.output().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests may keep images elsewhere")]
fn cache() -> String {
    std::env::var("PLIMSOLL_LAB_CACHE").unwrap_or_else(|_| "/var/cache/plimsoll-lab".to_owned())
}

/// The Docker engine that whoever runs the tests has named.
#[expect(clippy::disallowed_methods, reason = "whoever runs the tests may have an engine elsewhere")]
fn engine() -> Option<(&'static str, String)> {
    Some(("DOCKER_HOST", std::env::var("DOCKER_HOST").ok()?))
}

/// What went wrong, with the lab's own logs; the lab is ended.
fn story(sandbox: &Sandbox, output: &Output) -> String {
    let logs = run(sandbox, "plimsoll lab logs; plimsoll lab down");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    [&output.stdout, &output.stderr, &logs.stdout].map(|bytes| text(bytes)).join("\n")
}

#[expect(clippy::print_stderr, reason = "says why it does not run, also in the list of skipped checks")]
fn skip(why: &str) {
    use std::io::Write as _;
    assert!(std::env::var_os("PLIMSOLL_LAB_REQUIRED").is_none(), "guests must boot here: {why}");
    eprintln!("skipped: {why}");
    if let Some(notes) = std::env::var_os("PLIMSOLL_SKIPPED") {
        let mut notes = std::fs::OpenOptions::new().append(true).create(true).open(notes).unwrap();
        writeln!(notes, "examples with guests that really boot: {why}").unwrap();
    }
}

#[test]
fn examples_of_the_lab_that_need_only_the_program_run_as_they_stand() {
    let all = examples();
    assert!(all.iter().all(|one| ["simulated", "guests"].contains(&one.needs)));
    for one in all.iter().filter(|one| one.needs == "simulated") {
        let sandbox = Sandbox::new();
        // A machine where guests would boot need not boot any here.
        let script = one.script.replace("lab up --detach\n", "lab up --detach --guests simulated\n");
        let output = run(&sandbox, &script);
        assert!(output.status.success(), "{script}\n{}", story(&sandbox, &output));
        assert!(!sandbox.path().join("lab/lab.sock").exists(), "the example ends its lab");
    }
}

#[test]
fn examples_of_the_lab_with_guests_that_boot_run_as_they_stand() {
    let doctor = Sandbox::new().run(&["lab", "doctor", "--cache", &cache()]);
    if !doctor.stdout.starts_with("lxc: ready\n") {
        let line = |word: &str| doctor.stdout.lines().find_map(|line| line.trim_start().strip_prefix(word));
        let (missing, bring) = (line("missing ").unwrap_or_default(), line("do ").unwrap_or_default());
        skip(&format!("{} missing; to enable: {}", missing.trim(), bring.trim()));
        return;
    }
    for one in examples().iter().filter(|one| one.needs == "guests") {
        let sandbox = Sandbox::new();
        let output = run(&sandbox, &one.script);
        if !output.status.success() {
            let story = story(&sandbox, &output);
            assert!(story.contains("the container did not start"), "{}\n{story}", one.script);
            skip(&format!("LXC starts no container here: {story}").replace('\n', " "));
            return;
        }
    }
}

#[test]
fn examples_of_the_lab_with_guests_that_boot_run_in_docker_too() {
    let doctor = run(&Sandbox::new(), "plimsoll lab doctor");
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    let (_, about) = doctor.split_once("docker: ").unwrap();
    let (about, _) = about.split_once("simulated: ").unwrap();
    if !about.starts_with("ready\n") {
        let required = std::env::var_os("PLIMSOLL_LAB_DOCKER_REQUIRED").is_some();
        assert!(!required, "an engine must answer here: {about}");
        eprintln!("skipped: guests in Docker: {about}");
        return;
    }
    for one in examples().iter().filter(|one| one.needs == "guests") {
        let sandbox = Sandbox::new();
        let script = one.script.replace("--guests lxc", "--guests docker");
        assert_ne!(script, one.script);
        let output = run(&sandbox, &script);
        assert!(output.status.success(), "{script}\n{}", story(&sandbox, &output));
    }
}
