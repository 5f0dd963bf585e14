//! What backups, restores and `restore_data` need is named before anything is asked.

use crate::sandbox::{Run, Sandbox};

const ADOPTED: &str = "app: shop\ncompose: compose.yaml\ntargets:\n  production:\n    proxmox: {url: \"https://127.0.0.1:1\", node: pve1}\n    \
                       guest: {kind: adopt, address: 10.0.0.5, user: root, host_key: \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\"}\n";

fn run(file: Option<&str>, args: &[&str]) -> Run {
    let sandbox = Sandbox::new();
    if let Some(text) = file {
        sandbox.write("plimsoll.yaml", text);
    }
    sandbox.write("compose.yaml", "services:\n  web:\n    image: nginx:1.27\n");
    let mut command = sandbox.command(args);
    command.env("PLIMSOLL_PVE_TOKEN", "deploy@pve!ci=s3cret").env("HOME", sandbox.path());
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_backup_names_what_the_file_does_not_say() {
    let none = run(None, &["backup", "list"]);
    assert!(none.code == 2 && none.stderr.contains("there is no `plimsoll.yaml` in `.`"), "{}", none.stderr);
    let silent = run(Some(ADOPTED), &["backup", "create"]);
    assert!(silent.stderr.contains("the target `production` says nothing of backups"), "{}", silent.stderr);
    let backup = format!("{ADOPTED}    backup: {{storage: local}}\n");
    let unnumbered = run(Some(&backup), &["backup", "create"]);
    assert_eq!(unnumbered.code, 2);
    assert!(
        unnumbered.stderr.contains("the number of the guest of shop/production is not known here")
            && unnumbered.stderr.contains("as `id:` of `guest`"),
        "{}",
        unnumbered.stderr
    );
    let numbered = backup.replace("user: root", "user: root, id: 107");
    let unreached = run(Some(&numbered), &["backup", "list"]);
    assert!(unreached.code == 3 && unreached.stderr.contains("cannot connect to 127.0.0.1:1"));
    assert!(!unreached.stderr.contains("s3cret"));
}

#[test]
fn data_goes_back_only_where_a_node_and_a_guest_are_named() {
    let file = format!("{ADOPTED}    on_failure: restore_data\n");
    let unnumbered = run(Some(&file), &["plan"]);
    assert!(
        unnumbered.code == 2 && unnumbered.stderr.contains("`on_failure: restore_data` takes a snapshot")
    );
}
