//! Guests that really boot, made through the API only. Where the machine cannot, each test says what would change it.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests that look at a real machine, and say why they stop"
)]

mod docker;
mod killed;
mod outside;
mod rig;
mod small;
mod stack;
mod traces;
mod vm;
mod vm_disks;

use std::os::unix::fs::MetadataExt as _;

use plimsoll_pve::api::*;
use plimsoll_pve::property::LxcNet;
use plimsoll_pve::{Upid, Vmid};

use rig::{NODE, Rig};
use traces::{Marks, Traces};

const KIND: GuestKind = GuestKind::Lxc;

fn node() -> String {
    NODE.to_owned()
}

fn deleted(vmid: Vmid) -> DeleteGuest {
    DeleteGuest { node: node(), kind: KIND, vmid, purge: Some(true), destroy_unreferenced_disks: None }
}

fn off(vmid: Vmid) -> PowerOff {
    PowerOff { node: node(), kind: KIND, vmid }
}

fn snapshot(vmid: Vmid) -> CreateSnapshot {
    CreateSnapshot { node: node(), kind: KIND, vmid, snapname: "before".into(), description: None }
}

fn rollback(vmid: Vmid, start: bool) -> Rollback {
    Rollback { node: node(), kind: KIND, vmid, snapname: "before".into(), start: Some(start) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_boots_with_docker_and_its_snapshot_and_its_backup_hold_its_files() {
    let Some(rig) = Rig::new().await else { return };
    let vmid = Vmid(105);
    rig.done(&rig.container(105, 5)).await;
    if !rig.boots(105).await {
        return;
    }
    let inside = rig.client.call(&GetInterfaces { node: node(), vmid }).await.unwrap().unwrap();
    let card = inside.iter().find(|interface| interface.name == "eth0").unwrap();
    assert_eq!(card.inet.as_deref(), Some(format!("{}/24", rig.address(5)).as_str()));

    assert_eq!(rig.ssh(5, "hostname; id -u; tr -s ' ' < /proc/self/uid_map"), "guest105\n0\n 0 100000 65536");
    assert!(rig.ssh(5, "systemctl is-system-running --wait").starts_with("running"));
    let server =
        rig.ssh(5, "docker version --format '{{.Server.Version}}' && docker compose version --short");
    assert_eq!(server.lines().count(), 2, "{server}");
    assert!(rig.ssh(5, "docker info --format '{{.Driver}}'").contains("overlay2"));

    let status = rig.client.call(&GetStatus { node: node(), kind: KIND, vmid }).await.unwrap();
    let memory = status.mem.unwrap() >> 20;
    assert!((10..1500).contains(&memory), "{memory} MB are used of 2048");
    assert!(status.netin.unwrap() > 1000 && status.netout.unwrap() > 1000, "it has talked: {status:?}");
    // The first question begins the count of files.
    let mut disk = None;
    for _ in 0..100 {
        disk = rig.client.call(&GetStatus { node: node(), kind: KIND, vmid }).await.unwrap().disk;
        if disk.is_some_and(|bytes| bytes > 100 << 20) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!((100..3000).contains(&(disk.unwrap() >> 20)), "{disk:?} bytes are used");

    rig.ssh(5, "echo one > /root/state && sync");
    rig.done(&snapshot(vmid)).await;
    rig.ssh(5, "echo two > /root/state");
    rig.done(&rollback(vmid, true)).await;
    assert_eq!(rig.ssh(5, "cat /root/state"), "one", "the disk is what it was");

    let dump = Vzdump {
        node: node(),
        vmid: Some(vmid.to_string()),
        storage: Some("local".into()),
        compress: Some("zstd".into()),
        remove: Some(false),
        ..Vzdump::default()
    };
    let upid: Upid = rig.client.call(&dump).await.unwrap().parse().unwrap();
    rig.wait(&upid).await;
    let held = GetContent {
        node: node(),
        storage: "local".into(),
        content: Some("backup".into()),
        vmid: Some(vmid),
    };
    let backup = rig.client.call(&held).await.unwrap().remove(0);
    assert!(backup.size.unwrap() > 50 << 20, "a backup is as large as its archive: {backup:?}");
    let backup = backup.volid;
    rig.done(&off(vmid)).await;
    rig.done(&deleted(vmid)).await;
    let net = format!("name=eth0,bridge=vmbr0,ip={}/24", rig.address(6));
    let restore = LxcCreate {
        node: node(),
        vmid: Vmid(106),
        ostemplate: backup,
        restore: Some(true),
        storage: Some("local-lvm".into()),
        nets: [(0, net.parse::<LxcNet>().unwrap())].into(),
        ..LxcCreate::default()
    };
    rig.done(&restore).await;
    rig.done(&PowerOn { node: node(), kind: KIND, vmid: Vmid(106) }).await;
    assert_eq!(
        rig.ssh(6, "cat /root/state; stat -c %u /root/state"),
        "one\n0",
        "files and owners are what they were"
    );
    assert!(rig.ssh(6, "docker info --format '{{.Driver}}'").contains("overlay2"));
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_guests_and_their_lab_leave_nothing_behind() {
    let Some(rig) = Rig::new().await else { return };
    let marks = Marks::of(&rig.data);
    let template = small::uploaded(&rig).await;
    for last in 10..20 {
        let guest = LxcCreate { ostemplate: template.clone(), ..rig.container(100 + u32::from(last), last) };
        rig.done(&guest).await;
    }
    if !rig.boots(110).await {
        return;
    }
    for vmid in (110..120).map(Vmid) {
        rig.done(&snapshot(vmid)).await;
        rig.done(&rollback(vmid, false)).await;
    }
    // Of three that ran, one was stopped by its rollback, one is stopped now, and one runs to the end of the lab.
    rig.done(&PowerOn { node: node(), kind: KIND, vmid: Vmid(111) }).await;
    rig.done(&PowerOn { node: node(), kind: KIND, vmid: Vmid(112) }).await;
    assert!(!Traces::of(&marks).with("-112").is_empty(), "a guest that runs is seen");
    rig.done(&off(Vmid(111))).await;
    a_volume_moves_with_its_files(&rig).await;
    for vmid in (110..120).map(Vmid).filter(|vmid| vmid.0 != 112) {
        rig.done(&deleted(vmid)).await;
    }
    let left = Traces::of(&marks);
    for vmid in (110..120).filter(|vmid| *vmid != 112) {
        assert!(left.with(&format!("-{vmid}")).is_empty(), "{left:#?}");
    }
    let own = rig.close().await;
    let left = Traces::of(&marks);
    assert!(left.is_empty(), "{left:#?}");
    drop(own);
}

/// On a guest that is stopped: its root file system goes to another storage and to a copy of its files.
async fn a_volume_moves_with_its_files(rig: &Rig) {
    let vmid = Vmid(113);
    let root = || {
        let lab = std::fs::read_dir(&rig.data).unwrap().map(|entry| entry.unwrap().path());
        let guests = lab.flat_map(|lab| std::fs::read_dir(lab.join("guests")).unwrap());
        let own =
            guests.map(|entry| entry.unwrap().path()).find(|path| path.to_string_lossy().ends_with("-113"));
        own.unwrap().join("disks/rootfs")
    };
    std::fs::write(root().join("tmp/mark"), "here").unwrap();
    let before = std::fs::metadata(root()).unwrap().ino();
    let storage = CreateStorage {
        storage: "fast".into(),
        kind: "dir".into(),
        content: Some("rootdir".into()),
        options: [("path".to_owned(), "/fast".to_owned())].into(),
    };
    rig.client.call(&storage).await.unwrap();
    rig.done(&LxcMoveVolume {
        node: node(),
        vmid,
        volume: "rootfs".into(),
        storage: Some("fast".into()),
        ..LxcMoveVolume::default()
    })
    .await;
    rig.done(&PowerOn { node: node(), kind: KIND, vmid }).await;
    assert_ne!(std::fs::metadata(root()).unwrap().ino(), before, "it runs from the copy");
    assert_eq!(std::fs::read_to_string(root().join("tmp/mark")).unwrap(), "here");
    let old = root().with_file_name("volume-local-lvm_vm-113-disk-0");
    assert_eq!(std::fs::metadata(old).unwrap().ino(), before, "the old volume is kept beside it, unused");
    rig.done(&off(vmid)).await;
}
