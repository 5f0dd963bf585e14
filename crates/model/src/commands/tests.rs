use plimsoll_text::Files;

use super::{Fate, Machine};
use crate::{Facts, Inventory};

fn facts(files: &[(&str, &str)]) -> Facts {
    let paths = files.iter().map(|(path, _)| (*path).into());
    let inventory = Inventory::new(paths);
    Facts::new(Files::new(files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned()))), inventory)
}

/// Commands as `machine: program args @ line:column`, carriers left out.
fn leaves(files: &[(&str, &str)]) -> Vec<String> {
    let facts = facts(files);
    let carriers: Vec<_> = facts.commands.iter().filter_map(|command| command.carrier).collect();
    facts
        .commands
        .iter()
        .filter(|command| !command.program.is_empty() && !carriers.contains(&command.id))
        .map(|command| {
            let at = facts.files.get(command.place.file).line_column(command.place.span.start);
            let words: Vec<&str> = command.arg_texts().collect();
            let text = format!("{} {}", command.program, words.join(" "));
            format!("{}: {} @ {}:{}", command.machine.word(), text.trim_end(), at.line, at.column)
        })
        .collect()
}

fn fate(script: &str, program: &str) -> Fate {
    let facts = facts(&[("x.sh", script)]);
    facts.commands.iter().find(|command| command.program == program).unwrap().fate.clone()
}

#[test]
fn a_command_is_followed_through_four_shells() {
    let script =
        "NODE=root@hv1\nssh \"$NODE\" \"pct exec 107 -- bash -c 'cd /srv && docker compose exec db psql'\"\n";
    assert_eq!(leaves(&[("x.sh", script)]), ["guest: cd /srv @ 2:39", "container: psql @ 2:73"]);
}

#[test]
fn an_ssh_target_is_a_node_when_node_tools_run_there_anywhere() {
    let files = [
        ("a.sh", "ssh admin@10.0.0.5 'qm list'\n"),
        ("b.sh", "ssh admin@10.0.0.5 uptime\nssh app@10.0.0.9 uptime\n"),
    ];
    assert_eq!(leaves(&files), ["node: qm list @ 1:21", "node: uptime @ 1:20", "guest: uptime @ 2:18"]);
}

#[test]
fn functions_that_hand_arguments_on_are_followed() {
    let script = "in_guest() { ssh root@pve pct exec 107 -- \"$@\"; }\nremote() { ssh root@pve \"$1\"; }\nin_guest apt-get update\nremote 'pct start 107'\n";
    let found = leaves(&[("x.sh", script)]);
    assert!(found.contains(&"guest: apt-get update @ 3:10".to_owned()), "{found:?}");
    assert!(found.contains(&"node: pct start 107 @ 4:9".to_owned()), "{found:?}");
}

#[test]
fn heredocs_are_read_on_the_other_side() {
    let script =
        "ssh root@pve <<'EOF'\npct start 107\nEOF\ncat <<EOF | ssh app@guest bash -s\ndocker ps\nEOF\n";
    assert_eq!(
        leaves(&[("x.sh", script)]),
        ["node: pct start 107 @ 2:1", "workstation: cat @ 4:1", "guest: docker ps @ 5:1"]
    );
}

#[test]
fn variables_follow_defaults_sources_and_tasks() {
    let files = [
        (
            "Taskfile.yml",
            "version: '3'\ntasks:\n  up:\n    env:\n      CT: \"{{.CT | default \\\"120\\\"}}\"\n    cmds:\n      - ssh root@pve \"pct start $CT\"\n",
        ),
        ("lib.sh", "NODE=root@pve\nHOST=${HOST:-$NODE}\n"),
        ("x.sh", ". ./lib.sh\nID=${1:-107}\nssh \"$HOST\" \"pct start ${ID}\"\n"),
    ];
    let found = leaves(&files);
    assert!(found.contains(&"node: pct start 120 @ 7:23".to_owned()), "{found:?}");
    assert!(found.contains(&"node: pct start 107 @ 3:14".to_owned()), "{found:?}");
}

#[test]
fn exit_status_is_known() {
    assert_eq!(fate("set -e\na\n", "a"), Fate::Fatal);
    assert_eq!(fate("a\nb\n", "a"), Fate::Unchecked);
    assert_eq!(fate("set -e\na | b\n", "a"), Fate::Lost);
    assert_eq!(fate("set -eo pipefail\na | b\n", "a"), Fate::Fatal);
    assert_eq!(fate("set -e\nif a; then b; fi\n", "a"), Fate::Tested);
    assert_eq!(fate("set -e\na || exit 1\n", "a"), Fate::Fatal);
    assert!(matches!(fate("set -e\na || true\n", "a"), Fate::Masked { .. }));
    assert_eq!(fate("die() { echo no; exit 1; }\na || die\n", "a"), Fate::Fatal);
    assert_eq!(fate("set -e\nlocal x=$(a)\n", "a"), Fate::Lost);
    assert_eq!(fate("set -e\nx=$(a)\n", "a"), Fate::Fatal);
}

#[test]
fn procedures_run_functions_and_scripts_in_their_place() {
    let files = [
        ("Makefile", "deploy:\n\t./go.sh\n"),
        (
            "go.sh",
            "#!/bin/bash\nbuild() { docker build .; }\nship() { docker push x; }\nmain() { build; ship; }\nmain \"$@\"\n",
        ),
    ];
    let facts = facts(&files);
    let procedure = facts.commands.procedures().iter().find(|procedure| procedure.name == "deploy").unwrap();
    let words: Vec<&str> = procedure
        .commands(&facts.commands)
        .filter(|c| c.program == "docker")
        .filter_map(|c| c.arg(0))
        .collect();
    assert_eq!(words, ["build", "push"]);
}

#[test]
fn scripts_that_set_up_their_own_machine_run_in_the_guest() {
    let script = "#!/bin/bash\napt-get install -y docker.io\ndocker compose up -d\n";
    assert!(leaves(&[("setup.sh", script)]).iter().all(|line| line.starts_with(Machine::Guest.word())));
    assert_eq!(leaves(&[("x.sh", "command -v docker\n")]), ["workstation: command -v docker @ 1:1"]);
}

#[test]
fn what_a_target_depends_on_runs_before_it() {
    let facts = facts(&[("Makefile", "image:\n\tdocker build .\ndeploy: image\n\tdocker push x\n")]);
    let procedure = facts.commands.procedures().iter().find(|procedure| procedure.name == "deploy").unwrap();
    let words: Vec<&str> = procedure
        .commands(&facts.commands)
        .filter(|c| c.program == "docker")
        .filter_map(|c| c.arg(0))
        .collect();
    assert_eq!(words, ["build", "push"]);
}

#[test]
fn commands_of_python_programs_are_followed() {
    let text = "import subprocess\nctid = 107\nsubprocess.run([\"ssh\", \"root@pve\", f\"pct start {ctid}\"], check=True)\nclient.exec_command(\"docker compose up -d\")\nos.system('qm list --full 1')\n";
    let found = leaves(&[("deploy.py", text)]);
    assert!(found.contains(&"node: pct start 107 @ 3:38".to_owned()), "{found:?}");
    assert!(found.contains(&"guest: docker compose up -d @ 4:22".to_owned()), "{found:?}");
    assert!(found.contains(&"node: qm list --full 1 @ 5:12".to_owned()), "{found:?}");
}

#[test]
fn a_python_program_runs_commands_over_its_ssh_connection() {
    let text = "import paramiko\nHOST = \"10.0.0.2\"\nUSER = \"root\"\nVMID = 200\n\
        def run(client, cmd):\n    _, out, _ = client.exec_command(cmd)\n    print(out.read())\n\
        client = paramiko.SSHClient()\nclient.connect(HOST, username=USER, password=\"x\")\n\
        run(client, f\"qm stop {VMID} || true\")\n";
    let found = leaves(&[("deploy.py", text)]);
    assert!(found.contains(&"node: qm stop 200 @ 10:15".to_owned()), "{found:?}");
    assert!(
        found.contains(&"workstation: paramiko connect root@10.0.0.2 --password x @ 9:1".to_owned()),
        "{found:?}"
    );
}

#[test]
fn a_program_that_python_hides_in_base64_is_read_where_it_ends() {
    let text = "import base64, paramiko\nvm = \"10.0.0.9\"\nscript = f\"\"\"\nset -e\nsudo sh -c 'docker compose up -d'\n\"\"\"\n\
        hidden = base64.b64encode(script.encode()).decode()\nssh = paramiko.SSHClient()\n\
        ssh.connect(hostname=\"pve1\", username=\"root\")\n\
        ssh.exec_command(f\"ssh app@{vm} \\\"echo {hidden} | base64 -d | bash\\\"\")\n";
    let found = leaves(&[("deploy.py", text)]);
    assert!(found.contains(&"guest: docker compose up -d @ 5:13".to_owned()), "{found:?}");
}

#[test]
fn python_functions_and_conditions_become_those_of_a_program() {
    let text = "import subprocess\ndef clean():\n    if ask():\n        subprocess.run(['docker', 'compose', 'down', '-v'], check=True)\nclean()\n";
    let facts = facts(&[("x.py", text)]);
    let down = facts.commands.iter().find(|c| c.is("docker", &["compose", "down"])).unwrap();
    assert_eq!((down.function.as_deref(), down.guards.is_empty()), (Some("clean"), false));
    assert_eq!(down.fate, Fate::Fatal);
    assert!(facts.commands.procedures().iter().any(|p| p.steps.contains(&down.id)));
}

#[test]
fn a_community_script_goes_on_at_the_node_and_updates_in_the_guest() {
    let text = "source <(curl -fsSL https://example.org/build.func)\nfunction update_script() {\n  git pull\n}\nstart\n\
        build_container\n$STD apt-get -y upgrade\n";
    let found = leaves(&[("ct/app.sh", text)]);
    assert!(found.contains(&"node: apt-get -y upgrade @ 7:6".to_owned()), "{found:?}");
    assert!(found.contains(&"guest: git pull @ 3:3".to_owned()), "{found:?}");
}

#[test]
fn a_windows_batch_file_reaches_a_node_with_plink() {
    let text = "@echo off\r\nREM qm list\r\necho y | plink -batch -pw secret1 root@10.0.0.2 \"pct exec 102 -- bash -c 'systemctl restart x'\"\r\n";
    let found = leaves(&[("deploy.cmd", text)]);
    assert!(found.contains(&"guest: systemctl restart x @ 3:75".to_owned()), "{found:?}");
    let facts = facts(&[("deploy.cmd", text)]);
    let plink = facts.commands.iter().find(|command| command.program == "plink").unwrap();
    assert_eq!(plink.login_password().unwrap().text, "secret1");
}

#[test]
fn a_guide_that_nothing_automates_is_the_deployment() {
    let guide = "# Guide\n\n```bash\npct create 111 local:vztmpl/x.tar.zst\npct enter 111\n```\n\n```bash\napt install -y nginx\n```\n";
    let alone = facts(&[("DEPLOY.md", guide)]);
    let install = alone.commands.iter().find(|command| command.program == "apt").unwrap();
    assert_eq!((install.machine, alone.commands.is_only_read(install.unit)), (Machine::Guest, false));
    let automated = facts(&[("DEPLOY.md", guide), ("deploy.sh", "ssh root@pve pct create 111 x\n")]);
    let install = automated.commands.iter().find(|command| command.program == "apt").unwrap();
    assert!(automated.commands.is_only_read(install.unit));
}
