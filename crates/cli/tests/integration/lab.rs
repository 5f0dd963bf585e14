//! `plimsoll lab`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::sandbox::Sandbox;

/// A lab of its own, stopped at the end of the test whatever happens.
pub(crate) struct Up(Child);

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[expect(clippy::disallowed_methods, reason = "starts the binary and keeps it running")]
pub(crate) fn up(sandbox: &Sandbox, more: &[&str]) -> (Up, Vec<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .env_clear()
        .current_dir(sandbox.path())
        .args(["lab", "up", "--directory", "lab", "--port", "0", "--guests", "simulated"])
        .args(more)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).take(5).collect();
    (Up(child), lines)
}

#[test]
fn a_lab_goes_up_is_asked_and_goes_down() {
    let sandbox = Sandbox::new();
    let (mut lab, lines) = up(&sandbox, &[]);
    assert_eq!(lines[0], "Proxmox VE 9.2.3 (lab), simulated guests");
    assert!(
        lines[1].starts_with("address      https://127.0.0.1:") && lines[2].starts_with("fingerprint  "),
        "{lines:?}"
    );
    assert!(sandbox.read("lab/ca.pem").starts_with("-----BEGIN CERTIFICATE-----"));
    let lab_command = |args: &[&str]| sandbox.run(&[&["lab", "--directory", "lab"], args].concat());
    assert!(lab_command(&["status"]).stdout.ends_with("0 guests, 0 tasks, 0 faults\n"));
    let fault = r#"{"fault":"status","status":596,"path":"/lxc","times":1}"#;
    assert_eq!(lab_command(&["faults", "--add", fault]).stdout, "fault 1 is set\n");
    assert!(lab_command(&["faults"]).stdout.contains("596"));
    assert_eq!(lab_command(&["faults", "--clear"]).stdout, "all faults are gone\n");
    assert_eq!(lab_command(&["logs"]).stdout, "no task has run\n");
    let token =
        || lab_command(&["env"]).stdout.lines().find(|line| line.contains("TOKEN")).map(str::to_owned);
    let before = token();
    assert!(lab_command(&["reset"]).stdout.contains("as it was at its start"));
    assert!(before.is_some() && token() == before, "what `lab env` said is still true");
    let second = lab_command(&["up", "--port", "0"]);
    assert_eq!(second.code, 2);
    assert!(second.stderr.contains("a lab runs there already"), "{}", second.stderr);
    assert_eq!(lab_command(&["down"]).stdout, "the lab stops\n");
    assert!(lab.0.wait().unwrap().success());
    assert!(!sandbox.path().join("lab/lab.sock").exists(), "nothing stays behind");
    let gone = lab_command(&["status"]);
    assert_eq!(gone.code, 2);
    assert!(gone.stderr.contains("start one with `plimsoll lab up`"), "{}", gone.stderr);
}

#[test]
fn a_lab_starts_where_a_killed_one_left_its_socket() {
    let sandbox = Sandbox::new();
    drop(up(&sandbox, &[]));
    assert!(sandbox.path().join("lab/lab.sock").exists(), "the first one was killed");
    let (_lab, lines) = up(&sandbox, &["--pve", "8.4", "--nodes", "3"]);
    assert_eq!(lines[0], "Proxmox VE 8.4.5 (lab), simulated guests");
    let status = sandbox.run(&["lab", "--directory", "lab", "status"]);
    assert!(status.stdout.contains("nodes pve1, pve2, pve3"), "{}", status.stdout);
}

#[test]
fn coverage_names_what_is_not_answered() {
    let all = Sandbox::new().run(&["lab", "coverage"]);
    assert!(all.stdout.contains("yes  POST    /nodes/{node}/lxc\n"));
    assert!(all.stderr.contains("endpoints are answered, the others with 501"), "{}", all.stderr);
    let missing = Sandbox::new().run(&["lab", "coverage", "--missing", "--pve", "8.4"]);
    assert!(!missing.stdout.contains("yes") && missing.stdout.contains("no   GET     /cluster/ceph\n"));
}

#[test]
fn a_fault_that_is_none_is_refused() {
    let wrong = Sandbox::new().run(&["lab", "faults", "--add", r#"{"fault":"nosuch"}"#]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("is no fault"), "{}", wrong.stderr);
}
