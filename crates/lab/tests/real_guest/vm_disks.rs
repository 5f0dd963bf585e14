//! Disks of virtual machines: kept, taken back, copied, moved, backed up and restored, while they run and while they do not. What
//! is on them is looked at from outside, so that no system has to boot.

use std::path::PathBuf;

use plimsoll_pve::api::*;
use plimsoll_pve::property::{Drive, QemuNet};
use plimsoll_pve::{Upid, Upload, UploadSource, Vmid};

use crate::rig::{NODE, Rig, folder, program};
use crate::traces::{Marks, Traces};

const KIND: GuestKind = GuestKind::Qemu;
const IMAGE: &str = "small.raw";
const MIB: usize = 1 << 20;

fn node() -> String {
    NODE.to_owned()
}

/// Uploads an image of 16 MiB that begins with one letter, and answers its volume.
async fn uploaded(rig: &Rig) -> String {
    let mut bytes = vec![0; 16 * MIB];
    bytes[..4096].fill(b'A');
    let path = rig.own(IMAGE);
    std::fs::write(&path, bytes).unwrap();
    let upload = Upload {
        node: node(),
        storage: "local".into(),
        content: "import".into(),
        filename: IMAGE.into(),
        checksum: None,
        source: UploadSource::File(path),
        timeout: std::time::Duration::from_secs(60),
    };
    let upid = rig.client.upload(&upload).await.unwrap();
    rig.wait(&upid).await;
    format!("local:import/{IMAGE}")
}

/// A machine whose disk holds no system: its BIOS finds nothing to boot, and it runs.
pub(crate) fn machine(vmid: u32, disk: Option<Drive>) -> QemuCreate {
    QemuCreate {
        node: node(),
        vmid: Vmid(vmid),
        memory: Some("128".into()),
        scsihw: Some("virtio-scsi-single".into()),
        scsi: disk.map(|disk| (0, disk)).into_iter().collect(),
        nets: [(0, "virtio=02:00:00:00:00:07,bridge=vmbr0".parse::<QemuNet>().unwrap())].into(),
        ..QemuCreate::default()
    }
}

/// The one disk of a machine.
async fn disk(rig: &Rig, vmid: u32) -> PathBuf {
    let request = GetConfig { node: node(), kind: KIND, vmid: Vmid(vmid), current: None, snapshot: None };
    let config = rig.client.call(&request).await.unwrap();
    let value = config.text("scsi0").unwrap();
    let volume = value.split(',').next().unwrap().replace([':', '/'], "_");
    let lab = std::fs::read_dir(&rig.data).unwrap().next().unwrap().unwrap().path();
    let homes = std::fs::read_dir(lab.join("vms")).unwrap().map(|home| home.unwrap().path());
    let home = homes.into_iter().find(|home| home.to_string_lossy().ends_with(&format!("-{vmid}"))).unwrap();
    home.join("disks").join(format!("{volume}.qcow2"))
}

/// The letter that a disk begins with.
async fn letter(rig: &Rig, vmid: u32) -> char {
    let raw = rig.own("raw");
    let file = disk(rig, vmid).await;
    let (file, to) = (file.to_str().unwrap(), raw.to_str().unwrap());
    program("qemu-img", &["convert", "-U", "-f", "qcow2", "-O", "raw", file, to]);
    char::from(std::fs::read(raw).unwrap()[4095])
}

/// Writes another letter onto the disk of a machine that does not run.
async fn write(rig: &Rig, vmid: u32, letter: char) {
    let file = disk(rig, vmid).await;
    let line = format!("write -q -P {} 0 4096", u32::from(letter));
    program("qemu-io", &["-f", "qcow2", "-c", &line, file.to_str().unwrap()]);
}

pub(crate) async fn on(rig: &Rig, vmid: u32) {
    rig.done(&PowerOn { node: node(), kind: KIND, vmid: Vmid(vmid) }).await;
}

async fn off(rig: &Rig, vmid: u32) {
    rig.done(&PowerOff { node: node(), kind: KIND, vmid: Vmid(vmid) }).await;
}

async fn keep(rig: &Rig, vmid: u32, name: &str) {
    let snapname = name.to_owned();
    rig.done(&CreateSnapshot { node: node(), kind: KIND, vmid: Vmid(vmid), snapname, description: None })
        .await;
}

async fn copy(rig: &Rig, from: u32, to: u32, snapshot: Option<&str>) {
    let request = QemuClone {
        node: node(),
        vmid: Vmid(from),
        newid: Vmid(to),
        full: Some(true),
        snapname: snapshot.map(str::to_owned),
        ..QemuClone::default()
    };
    rig.done(&request).await;
}

async fn backed_up(rig: &Rig, vmid: u32) -> String {
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
        vmid: Some(Vmid(vmid)),
    };
    rig.client.call(&held).await.unwrap().remove(0).volid
}

#[tokio::test(flavor = "multi_thread")]
async fn disks_of_machines_are_kept_copied_backed_up_and_brought_back() {
    let own = folder();
    let data = own.path().join("data");
    let Some(rig) = Rig::with_vms(own, data).await else { return };
    let marks = Marks::of(&rig.data);
    let image = uploaded(&rig).await;
    rig.done(&machine(105, Some(Drive::import("local-lvm", &image)))).await;

    // Kept while it runs, and taken back.
    on(&rig, 105).await;
    keep(&rig, 105, "running").await;
    off(&rig, 105).await;
    write(&rig, 105, 'B').await;
    assert_eq!(letter(&rig, 105).await, 'B');
    let back = |name: &str| Rollback {
        node: node(),
        kind: KIND,
        vmid: Vmid(105),
        snapname: name.into(),
        start: Some(false),
    };
    rig.done(&back("running")).await;
    assert_eq!(letter(&rig, 105).await, 'A');

    // Kept while it stands still; copies of what is and of what was.
    write(&rig, 105, 'C').await;
    keep(&rig, 105, "still").await;
    write(&rig, 105, 'D').await;
    copy(&rig, 105, 106, Some("still")).await;
    assert_eq!(letter(&rig, 106).await, 'C');
    let gone =
        DeleteSnapshot { node: node(), kind: KIND, vmid: Vmid(105), snapname: "running".into(), force: None };
    on(&rig, 105).await;
    rig.done(&gone).await;
    copy(&rig, 105, 107, None).await;
    assert_eq!(letter(&rig, 107).await, 'D');

    // Larger, while it runs.
    let grow = Resize {
        node: node(),
        kind: KIND,
        vmid: Vmid(105),
        disk: "scsi0".into(),
        size: "1G".into(),
        digest: None,
    };
    rig.done(&grow).await;
    // A backup of it, and what comes of that.
    let backup = backed_up(&rig, 105).await;
    off(&rig, 105).await;
    rig.done(&back("still")).await;
    assert_eq!(letter(&rig, 105).await, 'C');
    let restore =
        QemuCreate { archive: Some(backup), storage: Some("local-lvm".into()), ..machine(108, None) };
    rig.done(&restore).await;
    assert_eq!(letter(&rig, 108).await, 'D');
    let raw = std::fs::metadata(rig.own("raw")).unwrap().len();
    assert_eq!(raw, 1 << 30, "the disk is as large as it was");
    on(&rig, 108).await;

    // A template has another name, and its copies what it has.
    let template = MakeTemplate { node: node(), kind: KIND, vmid: Vmid(107) };
    let upid = rig.client.call(&template).await.unwrap().unwrap();
    rig.wait(&upid).await;
    assert!(disk(&rig, 107).await.to_string_lossy().contains("base-107"));
    copy(&rig, 107, 109, None).await;
    assert_eq!(letter(&rig, 109).await, 'D');

    // Another storage.
    let storage = CreateStorage {
        storage: "fast".into(),
        kind: "dir".into(),
        content: Some("images".into()),
        options: [("path".to_owned(), "/fast".to_owned())].into(),
    };
    rig.client.call(&storage).await.unwrap();
    let moved = QemuMoveDisk {
        node: node(),
        vmid: Vmid(109),
        disk: "scsi0".into(),
        storage: Some("fast".into()),
        delete: Some(true),
        ..QemuMoveDisk::default()
    };
    rig.done(&moved).await;
    assert_eq!(letter(&rig, 109).await, 'D');
    on(&rig, 109).await;

    // One that runs and one that does not are taken away with all that is theirs; the rest goes with the lab.
    off(&rig, 108).await;
    for vmid in [106, 108] {
        let gone = DeleteGuest {
            node: node(),
            kind: KIND,
            vmid: Vmid(vmid),
            purge: Some(true),
            destroy_unreferenced_disks: None,
        };
        rig.done(&gone).await;
        assert!(Traces::of(&marks).with(&format!("-{vmid}")).is_empty());
    }
    let own = rig.close().await;
    let left = Traces::of(&marks);
    assert!(left.is_empty(), "{left:#?}");
    drop(own);
}
