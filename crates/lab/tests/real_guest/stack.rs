//! A stack of three services in a guest, from nothing to an answer over HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll_lab::host::STAND_INS;
use plimsoll_pve::Vmid;
use plimsoll_pve::api::{GuestKind, Reboot};

use crate::rig::{NODE, Rig, cache, skip};

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_guest/stack");

/// Sends the output of a program into a command in the guest.
fn piped(rig: &Rig, last: u8, source: &mut Command, command: &str) {
    let mut source = source.stdout(Stdio::piped()).spawn().unwrap();
    let from = source.stdout.take().unwrap();
    let output = rig.ssh_command(last).arg(command).stdin(from).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(source.wait().unwrap().success());
}

/// The body of an answer, once there is one with status 200.
fn get(address: &str, patience: Duration) -> String {
    let begin = Instant::now();
    loop {
        let mut answer = String::new();
        let asked = TcpStream::connect(address).and_then(|mut stream| {
            stream.write_all(b"GET / HTTP/1.0\r\nHost: shop\r\n\r\n")?;
            stream.read_to_string(&mut answer)
        });
        if asked.is_ok() && answer.split(' ').nth(1) == Some("200") {
            return answer.split_once("\r\n\r\n").unwrap().1.to_owned();
        }
        assert!(begin.elapsed() < patience, "{address}: {asked:?} {answer}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_of_three_services_answers_and_its_volume_outlives_containers_and_a_reboot() {
    let images = STAND_INS.iter().filter(|one| ["nginx", "postgres", "python"].contains(&one.name));
    let archives: Vec<_> = images.map(|one| one.archive(&cache())).collect();
    if archives.iter().any(|path| !path.is_file()) {
        skip("no stand-ins for container images; to enable: plimsoll lab image build --stand-ins");
        return;
    }
    let begin = Instant::now();
    let Some(rig) = Rig::new().await else { return };
    rig.done(&rig.container(105, 5)).await;
    if !rig.boots(105).await {
        return;
    }
    rig.ssh(5, "docker info >/dev/null");
    for archive in archives {
        piped(&rig, 5, Command::new("cat").arg(archive), "docker load --quiet");
    }
    piped(
        &rig,
        5,
        Command::new("tar").args(["-cf", "-", "-C", FILES, "."]),
        "mkdir -p /srv/shop && tar -xf - -C /srv/shop",
    );
    rig.ssh(5, "cd /srv/shop && docker compose up --detach --build --wait --quiet-pull 2>&1");
    let address = format!("{}:8080", rig.address(5));
    assert_eq!(get(&address, Duration::from_secs(10)), r#"{"visits": 1}"#);
    let took = begin.elapsed();
    eprintln!("from nothing to an answer in {} s", took.as_secs());
    assert!(took < Duration::from_secs(240), "{took:?}");

    rig.ssh(5, "cd /srv/shop && docker compose down 2>&1 && docker compose up --detach --wait 2>&1");
    assert_eq!(get(&address, Duration::from_secs(10)), r#"{"visits": 2}"#, "the volume outlives containers");
    let reboot = Reboot { node: NODE.into(), kind: GuestKind::Lxc, vmid: Vmid(105), timeout: None };
    rig.done(&reboot).await;
    assert_eq!(get(&address, Duration::from_secs(60)), r#"{"visits": 3}"#, "the stack comes back by itself");
    rig.close().await;
}
