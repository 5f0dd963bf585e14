//! A client that others wrote, against the lab. `pip install proxmoxer requests` brings it; `PLIMSOLL_PYTHON` names another Python.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that starts a foreign program"
)]

use std::process::Command;
use std::sync::Arc;

use plimsoll_lab::{Certificate, Lab, Options, Release, Server};

async fn drive(release: Release) {
    let python = std::env::var("PLIMSOLL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python).args(["-c", "import proxmoxer, requests"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} has no proxmoxer; `pip install proxmoxer requests`");
        return;
    }
    let lab = Arc::new(Lab::new(Options { release, pace: 5, ..Options::default() }));
    let server =
        Server::start(lab, "127.0.0.1:0".parse().unwrap(), Certificate::make().unwrap()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("ca.pem");
    std::fs::write(&authority, &server.certificate.pem).unwrap();
    let port = server.address.port().to_string();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign_client.py");
    let output = tokio::task::spawn_blocking(move || {
        Command::new(python)
            .args([script, "127.0.0.1", &port])
            .arg(authority)
            .arg("plimsoll")
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim(), "proxmoxer is content", "{}", String::from_utf8_lossy(&output.stderr));
    server.stop().await;
}

#[tokio::test]
async fn proxmoxer_drives_whole_lives_on_9() {
    drive(Release::V9).await;
}

#[tokio::test]
async fn proxmoxer_drives_whole_lives_on_8() {
    drive(Release::V8).await;
}
