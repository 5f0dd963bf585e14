//! `plimsoll init` at a terminal and without one.

use std::time::Duration;

use crate::sandbox::{Run, Sandbox};
use crate::terminal::{Seen, at_terminal};

const COMPOSE: &str = "services:\n  web:\n    image: shop\n    ports: [\"8080:8080\"]\n";
const SCRIPT: &str = "#!/bin/bash\nssh root@pve7.lan \"pct create 107 local:vztmpl/debian.tar.zst --rootfs fast:12 --net0 name=eth0,bridge=vmbr7,gw=10.0.0.9\"\n";

fn checkout() -> Sandbox {
    Sandbox::with(&[("compose.yaml", COMPOSE), ("deploy.sh", SCRIPT)])
}

/// Runs it at a terminal of its own where a person types these lines; gives what stands on the screen.
#[expect(clippy::disallowed_methods, reason = "a terminal has to be given to the process")]
fn typed(sandbox: &Sandbox, args: &[&str], lines: &str) -> Run {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(args).env_clear().env("TERM", "dumb").current_dir(sandbox.path());
    let Seen { code, stdout, screen } = at_terminal(&mut command, lines, Duration::from_secs(60));
    Run { code, stdout, stderr: screen.replace('\r', "") }
}

#[test]
fn a_person_is_asked_what_the_files_do_not_say_with_a_default_and_the_reason() {
    let sandbox = checkout();
    let run = typed(&sandbox, &["init"], "\n\n\n10.0.0.50/24\n\ndumps\n");
    assert_eq!(run.code, 0, "{}", run.stderr);
    for expected in [
        "today's guest is LXC container 107 (deploy.sh:2), and stays; a VM has a kernel of its own",
        "deploy.sh:2 logs in to this host for the node's commands\n[https://pve7.lan:8006]",
        "What is the node's name?",
        "[pve7]",
        "What is its gateway?\n  deploy.sh:2\n[10.0.0.9]",
    ] {
        assert!(run.stderr.contains(expected), "expected: {expected}\n{}", run.stderr);
    }
    assert!(!run.stderr.contains("guest's disk?"), "deploy.sh says it: {}", run.stderr);
    assert!(!run.stderr.contains("look at"), "everything was answered: {}", run.stderr);
    let text = sandbox.read("plimsoll.yaml");
    for expected in [
        "url: \"https://pve7.lan:8006\"\n",
        "node: \"pve7\"\n",
        "kind: vm\n",
        "storage: \"fast\"  # deploy.sh:2\n",
        "address: \"10.0.0.50/24\"\n",
        "gateway: \"10.0.0.9\"\n",
        "backup: {storage: \"dumps\"",
    ] {
        assert!(text.contains(expected), "expected: {expected}\n{text}");
    }
}

#[test]
fn an_answer_that_the_file_may_not_hold_is_asked_again() {
    let sandbox = checkout();
    let run =
        typed(&sandbox, &["init", "--kind", "lxc", "--node", "a"], "http://x\nhttps://x:8006\nx\n\nnone\n");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(run.stderr.matches("not accepted: ").count(), 2, "{}", run.stderr);
    let text = sandbox.read("plimsoll.yaml");
    assert!(text.contains("url: \"https://x:8006\"\n") && text.contains("address: \"dhcp\"\n"), "{text}");
    assert!(text.contains("    # backup: {storage: NAME"), "{text}");
}

#[test]
fn a_machine_that_is_there_ends_the_questions() {
    let sandbox = checkout();
    let run = typed(&sandbox, &["init"], "deploy@10.0.0.5\n");
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(sandbox.read("plimsoll.yaml").contains("kind: adopt\n      address: \"10.0.0.5\""));
}

#[test]
fn questions_that_nobody_answers_leave_nothing_behind() {
    let sandbox = checkout();
    let run = typed(&sandbox, &["init"], "\n\u{4}");
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("nothing was written"), "{}", run.stderr);
    assert!(!sandbox.path().join("plimsoll.yaml").exists());
}

#[test]
fn without_a_terminal_and_with_yes_nothing_is_asked() {
    let piped = checkout();
    let run = piped.run(&["init", "--app", "shop"]);
    assert!(run.code == 0 && !run.stderr.contains('?'), "{run:?}");
    assert_eq!(run.stderr, "not said by the files, so look at: proxmox.url, proxmox.node, backup\n");
    let agreed = checkout();
    let run = typed(&agreed, &["init", "--yes", "--app", "shop"], "");
    assert!(run.code == 0 && !run.stderr.contains('?'), "{run:?}");
    assert_eq!(agreed.read("plimsoll.yaml"), piped.read("plimsoll.yaml"));
    let run = agreed.run(&["init"]);
    assert!(run.code == 2 && run.stderr.contains("exists and is not replaced"), "{run:?}");
}

const OWN: &str = "# ours\nversion: '3'\n\ntasks:\n  deploy:  # stays\n    cmds:\n      - ./deploy.sh\n";
const WRITTEN: [&str; 3] = ["Taskfile.plimsoll.yml", "Taskfile.yml", ".github/workflows/deploy.yml"];

/// Severities of findings in a file.
fn findings(sandbox: &Sandbox, file: &str) -> Vec<String> {
    let run = sandbox.run(&["evaluate", "--format", "json"]);
    assert!(run.code < 2, "{}", run.stderr);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let all = report["findings"].as_array().unwrap().iter();
    let of_file = all.filter(|finding| finding.to_string().contains(&format!("\"{file}\"")));
    of_file.map(|finding| finding["severity"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn verbs_and_a_workflow_come_beside_a_taskfile_that_keeps_every_byte() {
    let sandbox = checkout();
    sandbox.write("Taskfile.yml", OWN);
    let secret =
        "  web:\n    environment: {DB_PASSWORD: \"${DB_PASSWORD:?}\", MAIL_TOKEN: \"${MAIL_TOKEN:?}\"}\n";
    sandbox.write("compose.yaml", COMPOSE.replace("  web:\n", secret));
    let run = sandbox.run(&["init", "--taskfile", "--workflow"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let [verbs, own, workflow] = WRITTEN.map(|file| sandbox.read(file));
    assert_eq!(own, OWN.replace("'3'\n", "'3'\n\nincludes:\n  plimsoll: ./Taskfile.plimsoll.yml\n"));
    for expected in [
        "permissions:\n  contents: read\n",
        "cancel-in-progress: false",
        "persist-credentials: false",
        "PLIMSOLL_PVE_TOKEN: ${{ secrets.PLIMSOLL_PVE_TOKEN }}",
        "MAIL_TOKEN: ${{ secrets.MAIL_TOKEN }}",
        "plimsoll plan --target production",
        "plimsoll deploy --yes",
        "plimsoll secret generate\n",
    ] {
        assert!(workflow.contains(expected), "expected: {expected}\n{workflow}");
    }
    assert!(!workflow.contains("DB_PASSWORD"), "it is made, and kept in the repository\n{workflow}");
    let again = sandbox.run(&["init", "--taskfile", "--workflow"]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (0, "everything is there already; nothing was changed\n")
    );
    assert_eq!(WRITTEN.map(|file| sandbox.read(file)), [verbs, own, workflow]);
}

#[test]
fn every_verb_is_a_command() {
    let sandbox = checkout();
    let run = sandbox.run(&["init", "--taskfile"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let verbs = sandbox.read("Taskfile.plimsoll.yml");
    let commands: Vec<&str> =
        verbs.lines().filter_map(|line| line.trim().strip_prefix("- plimsoll ")).collect();
    assert!(commands.len() > 10, "{verbs}");
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().filter(|word| *word != "{{.CLI_ARGS}}").collect();
        let help = sandbox.run(&[words.as_slice(), &["--help"]].concat());
        assert_eq!(help.code, 0, "{command}: {}", help.stderr);
    }
}

#[test]
fn what_is_written_is_read_and_judged_well_by_the_evaluator() {
    let sandbox = checkout();
    let run = sandbox.run(&["init", "--taskfile", "--workflow"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for file in WRITTEN {
        assert_eq!(findings(&sandbox, file), Vec::<String>::new(), "{file}");
    }
    // They are read: the same files with a mistake are objected to.
    for file in [WRITTEN[0], WRITTEN[2]] {
        let text = sandbox.read(file);
        sandbox.write(file, text.replacen("plimsoll plan", "./gone.sh && plimsoll plan", 1));
        assert!(!findings(&sandbox, file).is_empty(), "{file}");
    }
}

#[test]
fn names_that_are_taken_and_files_of_other_people_stop_it_before_anything_is_written() {
    let sandbox = checkout();
    sandbox.write("Taskfile.yml", OWN.replace("deploy:", "plimsoll:deploy:"));
    let run = sandbox.run(&["init", "--taskfile"]);
    assert!(
        run.code == 2 && run.stderr.contains("`./Taskfile.yml`, line 5: `plimsoll:deploy` is there"),
        "{run:?}"
    );
    sandbox.write(WRITTEN[2], "name: deploy\n");
    let run = sandbox.run(&["init", "--workflow"]);
    assert!(run.code == 2 && run.stderr.contains("deploy.yml` exists and is not replaced"), "{run:?}");
    assert!(!sandbox.path().join("plimsoll.yaml").exists());
}
