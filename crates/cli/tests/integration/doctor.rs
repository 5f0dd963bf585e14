//! `plimsoll doctor` and the privileges of a deploy, against a lab node with simulated guests.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::lab::{Up, up};
use crate::sandbox::{Run, Sandbox};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me";

struct Rig {
    sandbox: Sandbox,
    _lab: Up,
    fingerprint: String,
    /// User, token and secret.
    token: Option<String>,
}

impl Rig {
    fn new(release: &str) -> Self {
        let sandbox = Sandbox::new();
        let (lab, lines) = up(&sandbox, &["--pve", release]);
        let said = |word: &str| {
            let line = lines.iter().find_map(|line| line.strip_prefix(word)).unwrap();
            line.trim().to_owned()
        };
        sandbox.write("compose.yaml", "services:\n  web:\n    image: nginx:1.27\n    ports: [\"8080:80\"]\n");
        sandbox.write(
            "plimsoll.yaml",
            format!(
                "app: shop\ncompose: [compose.yaml]\ntargets:\n  production:\n    proxmox: {{url: \"{}\", node: pve1, pool: apps}}\n\
                 \x20   guest:\n      kind: lxc\n      cores: 2\n      memory: 2GiB\n      disk: 20GiB\n      storage: local-lvm\n\
                 \x20     ssh_keys: [\"{KEY}\"]\n      network: {{bridge: vmbr0, address: dhcp}}\n\
                 \x20   build: guest\n    backup: {{storage: local}}\n",
                said("address")
            ),
        );
        Self { sandbox, _lab: lab, fingerprint: said("fingerprint"), token: None }
    }

    fn run(&self, args: &[&str]) -> Run {
        let mut command = self.sandbox.command(args);
        command.env("PLIMSOLL_PVE_FINGERPRINT", &self.fingerprint).env("HOME", self.sandbox.path());
        if let Some(token) = &self.token {
            command.env("PLIMSOLL_PVE_TOKEN", token);
        }
        let output = command.output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs commands that the doctor printed; those that begin with `pveum`.
    fn administer(&mut self, commands: &[String]) {
        for line in commands {
            let words: Vec<&str> =
                line.split('\'').enumerate().flat_map(|(index, part)| words(index, part)).collect();
            let run = self.sandbox.run(&[&["lab", "--directory", "lab"], words.as_slice()].concat());
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{line}");
            if let Some(secret) = run.stdout.lines().find_map(|line| line.strip_prefix("value")) {
                self.token = Some(format!("plimsoll@pve!shop-production={}", secret.trim()));
            }
        }
    }

    /// Checks by name: outcome and commands.
    fn checks(&self) -> BTreeMap<String, (String, Vec<String>)> {
        let run = self.run(&["doctor", "--format", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
        assert_eq!(report["failed"] == true, run.code == 1, "{}", run.stdout);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let checks = report["checks"].as_array().unwrap().iter();
        checks
            .map(|check| {
                let commands = check["commands"].as_array().unwrap().iter().map(text).collect();
                (text(&check["check"]), (text(&check["outcome"]), commands))
            })
            .collect()
    }
}

/// Odd parts stood in quotes and are one word.
fn words(index: usize, part: &str) -> Vec<&str> {
    if index % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }
}

/// What differs from run to run.
fn scrubbed(rig: &Rig, text: &str) -> String {
    let text = text.replace(&rig.fingerprint, "AB:CD:…");
    let line = |line: &str| match (line.find("127.0.0.1:"), line.find(" tools ")) {
        (Some(at), _) => {
            let rest = line[at..].find(' ').map_or("", |end| &line[at + end..]);
            format!("{}pve.lan:8006{rest}", &line[..at])
        }
        (_, Some(at)) => format!("{} tools         …", &line[..at]),
        _ => line.to_owned(),
    };
    text.lines().map(|text| line(text).trim_end().to_owned() + "\n").collect()
}

#[test]
fn from_no_token_to_a_node_that_is_ready() {
    let mut rig = Rig::new("9.2");
    let first = rig.run(&["doctor"]);
    assert_eq!((first.code, first.stderr.as_str()), (1, ""));
    insta::assert_snapshot!("doctor_without_a_token", scrubbed(&rig, &first.stdout));
    let commands = rig.checks()["privileges"].1.clone();
    rig.administer(&commands);
    let second = rig.run(&["doctor"]);
    assert_eq!(second.code, 0, "{}", second.stdout);
    insta::assert_snapshot!("doctor_of_a_node_that_is_ready", scrubbed(&rig, &second.stdout));
}

#[test]
fn what_is_wrong_is_named_with_its_fix() {
    let mut rig = Rig::new("8.4");
    let commands = rig.checks()["privileges"].1.clone();
    rig.administer(&commands);
    let file = rig.sandbox.read("plimsoll.yaml");
    let file = file
        .replace("storage: local-lvm", "storage: local")
        .replace("vmbr0, address: dhcp", "vmbr7, address: 10.99.0.255/24, gateway: 10.98.0.1");
    rig.sandbox.write("plimsoll.yaml", file);
    let fault = r#"{"fault":"clock-skew","seconds":-90}"#;
    assert_eq!(rig.sandbox.run(&["lab", "--directory", "lab", "faults", "--add", fault]).code, 0);
    let run = rig.run(&["doctor"]);
    assert_eq!(run.code, 1);
    let stable = scrubbed(&rig, &run.stdout)
        .replace("91 s behind", "90 s behind")
        .replace("89 s behind", "90 s behind");
    insta::assert_snapshot!("doctor_of_a_node_where_much_is_wrong", stable);
}

#[test]
fn without_any_one_privilege_a_deploy_is_refused_before_anything_is_changed() {
    let mut rig = Rig::new("9.2");
    let commands = rig.checks()["privileges"].1.clone();
    rig.administer(&commands);
    let roles: Vec<&String> = commands.iter().filter(|line| line.starts_with("pveum role add")).collect();
    let mut tried = 0;
    for line in roles {
        let (head, rest) = line.split_once(" --privs '").unwrap();
        let (all, head) = (rest.trim_end_matches('\''), head.replace("role add", "role modify"));
        let all: Vec<&str> = all.split(' ').collect();
        // The template is there, so nobody downloads one.
        for left_out in all.iter().filter(|name| **name != "Datastore.AllocateTemplate") {
            let rest: Vec<&str> = all.iter().copied().filter(|name| name != left_out).collect();
            rig.administer(&[format!("{head} --privs '{}'", rest.join(" "))]);
            let run = rig.run(&["deploy", "--yes"]);
            assert_eq!(run.code, 3, "without {left_out}: {}", run.stderr);
            let names = run.stderr.contains(&format!("the token lacks {left_out} on "));
            assert!(
                names && run.stderr.contains("nothing was changed"),
                "without {left_out}: {}",
                run.stderr
            );
            tried += 1;
        }
        rig.administer(&[format!("{head} --privs '{}'", all.join(" "))]);
    }
    assert!(tried > 10);
    let logs = rig.sandbox.run(&["lab", "--directory", "lab", "logs"]);
    assert_eq!(logs.stdout, "no task has run\n");
}

#[test]
fn a_backup_job_is_asked_for_apart_and_a_plan_says_what_becomes_of_it() {
    let mut rig = Rig::new("9.2");
    let file = rig.sandbox.read("plimsoll.yaml");
    let file = file.replace("{storage: local}", "{storage: local, schedule: daily, keep: {daily: 7}}");
    rig.sandbox.write("plimsoll.yaml", file);
    let commands = rig.checks()["privileges"].1.clone();
    assert!(commands.iter().all(|line| !line.contains("Sys.")), "{commands:?}");
    rig.administer(&commands);
    let plan = rig.run(&["plan"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    let lacks = "warning: no backup job is made for `schedule: daily`: the token lacks Sys.Audit on `/`";
    assert!(plan.stderr.contains(lacks) && !plan.stdout.contains("backup job"), "{}", plan.stderr);

    let (outcome, commands) = rig.checks()["schedule"].clone();
    assert_eq!(outcome, "warning");
    assert!(commands.iter().any(|line| line.contains("acl modify / ") && line.ends_with("--propagate 0")));
    rig.administer(&commands);
    assert_eq!(rig.checks()["schedule"].0, "ok");
    let plan = rig.run(&["plan"]);
    assert!(!plan.stderr.contains("warning: no backup job"), "{}", plan.stderr);
    assert!(
        plan.stdout.contains(
            "on the node: add the backup job plimsoll-100: guest 100 `daily` to `local`, keep-daily=7\n"
        ),
        "{}",
        plan.stdout
    );
}

#[test]
fn a_guest_is_called_gone_only_where_it_would_be_seen() {
    let mut rig = Rig::new("9.2");
    let commands = rig.checks()["privileges"].1.clone();
    let destroy = ["destroy", "--yes", "--name", "shop/production", "--no-backup"];
    let (users, rest): (Vec<String>, Vec<String>) =
        commands.into_iter().partition(|line| line.starts_with("pveum user "));
    rig.administer(&users);
    let blind = rig.run(&destroy);
    assert!(blind.code != 0 && blind.stdout.is_empty(), "{}", blind.stdout);
    assert!(
        blind.stderr.contains("/pool/apps") && blind.stderr.contains("plimsoll doctor"),
        "{}",
        blind.stderr
    );

    // A number that is free is so for everybody; what was given for a guest's number goes with the guest.
    let file = rig.sandbox.read("plimsoll.yaml");
    rig.sandbox.write(
        "plimsoll.yaml",
        file.replace(", pool: apps", "").replace("kind: lxc\n", "kind: lxc\n      id: 150\n"),
    );
    let numbered = rig.run(&destroy);
    assert_eq!((numbered.code, numbered.stdout.as_str()), (0, "there is no guest of shop/production\n"));

    rig.sandbox.write("plimsoll.yaml", file);
    let pveum: Vec<String> = rest.into_iter().filter(|line| line.starts_with("pveum ")).collect();
    rig.administer(&pveum);
    let seeing = rig.run(&destroy);
    assert_eq!((seeing.code, seeing.stdout.as_str()), (0, "there is no guest of shop/production\n"));
}
