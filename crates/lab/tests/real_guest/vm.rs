//! Virtual machines that really boot, emulated by QEMU.

use std::path::Path;
use std::time::{Duration, Instant};

use plimsoll_lab::{Outcome, Request};
use plimsoll_pve::api::*;
use plimsoll_pve::property::{Drive, IpConfig, QemuNet};
use plimsoll_pve::{Secret, Upid, UrlEncoded, Vmid};

use crate::rig::{NODE, Rig, folder};
use crate::traces::{Marks, Traces};

const VMID: Vmid = Vmid(105);
/// Longest wait for a machine that boots. It is emulated: 80 to 95 s here where nobody else wants the processors, 160 s beside two
/// busy programs.
const BOOT: Duration = Duration::from_secs(480);

fn node() -> String {
    NODE.to_owned()
}

fn machine(rig: &Rig) -> QemuCreate {
    let net = "virtio=02:00:00:00:00:05,bridge=vmbr0";
    let ip = format!("ip={}/24,gw={}", rig.address(5), rig.network.gateway);
    QemuCreate {
        node: node(),
        vmid: VMID,
        name: Some("machine".into()),
        cores: Some(2),
        memory: Some("1024".into()),
        scsihw: Some("virtio-scsi-single".into()),
        scsi: [(0, Drive::import("local-lvm", &rig.lab.images().remove(0)))].into(),
        ide: [(2, Drive::cloud_init("local-lvm"))].into(),
        boot: Some("order=scsi0".into()),
        nets: [(0, net.parse::<QemuNet>().unwrap())].into(),
        serial: [(0, "socket".to_owned())].into(),
        agent: Some("enabled=1".into()),
        ciuser: Some("root".into()),
        ciupgrade: Some(false),
        sshkeys: Some(UrlEncoded(rig.key().trim().to_owned())),
        ipconfig: [(0, ip.parse::<IpConfig>().unwrap())].into(),
        ..QemuCreate::default()
    }
}

/// The last lines that it wrote to its first serial line.
fn console(rig: &Rig) -> String {
    let ends = format!("-{VMID}");
    let inside = |folder: &Path| {
        std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect::<Vec<_>>()
    };
    let homes = inside(&rig.data).into_iter().flat_map(|lab| inside(&lab.join("vms")));
    let own = homes.into_iter().find(|home| home.to_string_lossy().ends_with(&ends));
    let text = own.and_then(|home| std::fs::read(home.join("console")).ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
}

/// Waits until the agent answers.
async fn agent(rig: &Rig) {
    let begin = Instant::now();
    loop {
        match rig.client.call(&AgentPing { node: node(), vmid: VMID }).await {
            Ok(_) => return,
            Err(error) if begin.elapsed() > BOOT => {
                panic!("no agent after {BOOT:?}: {error}; its console ends with\n{}", console(rig))
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(500)).await,
        }
    }
}

/// Runs a program by the agent, and answers what it wrote.
async fn exec(rig: &Rig, command: &[&str]) -> String {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    let started = AgentExec { node: node(), vmid: VMID, command, input_data: None };
    let pid = rig.client.call(&started).await.unwrap().pid;
    let begin = Instant::now();
    loop {
        let status = rig.client.call(&AgentExecStatus { node: node(), vmid: VMID, pid }).await.unwrap();
        if status.exited {
            assert_eq!(status.exitcode, Some(0), "{status:?}");
            return status.stdout.unwrap_or_default().trim_end().to_owned();
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "the program does not end");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A request that the client has no type for.
async fn post(rig: &Rig, path: &str, body: &str) {
    let token = rig.lab.issue_token("test", "6f6b2ef4-0b0f-4d7a-9d53-5a8d3b6b1c11");
    let request = Request {
        verb: "POST".into(),
        path: format!("/api2/json/nodes/{NODE}/qemu/{VMID}/{path}"),
        query: String::new(),
        content_type: Some("application/x-www-form-urlencoded".into()),
        authorization: Some(format!("PVEAPIToken={}", token.expose())),
        cookie: None,
        csrf: None,
        body: body.as_bytes().to_vec(),
    };
    let Outcome::Answer { response, .. } = rig.lab.handle(&request) else { panic!("no answer") };
    assert_eq!(response.status, 200, "{}", response.reason);
    let answer: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    let upid: Upid = answer["data"].as_str().unwrap().parse().unwrap();
    rig.wait(&upid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_machine_boots_and_goes_on_where_its_memory_was_kept() {
    let own = folder();
    let data = own.path().join("data");
    let Some(rig) = Rig::with_vms(own, data).await else { return };
    let marks = Marks::of(&rig.data);
    let begin = Instant::now();
    let said = |what: &str| eprintln!("{what} after {} s", begin.elapsed().as_secs());
    rig.done(&machine(&rig)).await;
    let kind = GuestKind::Qemu;
    let grow =
        Resize { node: node(), kind, vmid: VMID, disk: "scsi0".into(), size: "6G".into(), digest: None };
    rig.done(&grow).await;
    rig.done(&PowerOn { node: node(), kind, vmid: VMID }).await;
    agent(&rig).await;
    said("the agent answers");
    assert_eq!(rig.ssh(5, "hostname; stat -f -c %T /sys/fs/cgroup"), "machine\ncgroup2fs");
    said("SSH answers");
    let seen = rig.client.call(&AgentInterfaces { node: node(), vmid: VMID }).await.unwrap().result;
    let own = seen.iter().find(|card| card.mac.as_deref() == Some("02:00:00:00:00:05")).unwrap();
    assert!(own.addresses.iter().any(|address| address.address == rig.address(5)), "{own:?}");
    assert_eq!(exec(&rig, &["cat", "/sys/module/apparmor/parameters/enabled"]).await, "Y");
    let status = rig.client.call(&GetStatus { node: node(), kind, vmid: VMID }).await.unwrap();
    assert!(status.mem.unwrap() > 100 << 20 && status.netin.unwrap() > 1000, "{status:?}");

    let content = Secret::new("one");
    let file = "/root/state".to_owned();
    let write = AgentFileWrite { node: node(), vmid: VMID, file: file.clone(), content, encode: None };
    rig.client.call(&write).await.unwrap();
    let before = exec(&rig, &["cat", "/proc/sys/kernel/random/boot_id"]).await;
    post(&rig, "snapshot", "snapname=before&vmstate=1").await;
    said("its memory is kept");
    post(&rig, "snapshot", "snapname=disks").await;
    let logs = rig.lab.logs();
    let held = logs.iter().flat_map(|(_, _, lines)| lines).find(|line| line.starts_with("INFO: fs-thaw"));
    assert!(held.is_some_and(|line| line.ends_with(" file systems")), "its agent held them: {logs:?}");
    said("its disks are kept");
    rig.ssh(5, "echo two > /root/state");
    let back = Rollback { node: node(), kind, vmid: VMID, snapname: "before".into(), start: None };
    rig.done(&back).await;
    agent(&rig).await;
    said("it goes on");
    let read = AgentFileRead { node: node(), vmid: VMID, file };
    assert_eq!(rig.client.call(&read).await.unwrap().content.expose(), "one");
    let after = exec(&rig, &["cat", "/proc/sys/kernel/random/boot_id"]).await;
    assert_eq!(before, after, "it has not booted anew");
    rig.ssh(5, "test $(df --output=size -BM / | tail -1 | tr -dc 0-9) -gt 4500");

    assert!(!Traces::of(&marks).with("-105").is_empty(), "a machine that runs is seen");
    rig.done(&PowerOff { node: node(), kind, vmid: VMID }).await;
    let gone =
        DeleteGuest { node: node(), kind, vmid: VMID, purge: Some(true), destroy_unreferenced_disks: None };
    rig.done(&gone).await;
    let left = Traces::of(&marks);
    assert!(left.with("-105").is_empty(), "{left:#?}");
    let own = rig.close().await;
    let left = Traces::of(&marks);
    assert!(left.is_empty(), "{left:#?}");
    drop(own);
    said("all is gone");
}
