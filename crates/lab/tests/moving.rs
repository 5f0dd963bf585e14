//! Disks and guests that move: to another storage, another guest, another node. State, locks, privileges and refusals.

#![expect(clippy::unwrap_used, reason = "a test says why it stops")]

mod root;

use std::time::Duration;

use plimsoll_lab::{Fault, Options, Release, Rule};
use root::Root;
use serde_json::Value;

const TEMPLATE: &str = "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst";

struct Node(Root);

impl std::ops::Deref for Node {
    type Target = Root;

    fn deref(&self) -> &Root {
        &self.0
    }
}

impl Node {
    fn new(release: Release) -> Self {
        let node = Self(Root::login(Options { release, nodes: 2, ..Options::default() }));
        for (path, form) in [
            ("/storage", "storage=fast&type=lvmthin&vgname=fast&thinpool=data&content=images,rootdir"),
            ("/storage", "storage=shared&type=nfs&server=192.0.2.1&export=/x&content=images,rootdir,backup"),
            (
                "/nodes/pve1/lxc",
                &format!(
                    "vmid=100&ostemplate={TEMPLATE}&unprivileged=1&rootfs=local-lvm:4&mp0=local-lvm:2,mp%3D/data"
                ),
            ),
            ("/nodes/pve1/lxc", &format!("vmid=101&ostemplate={TEMPLATE}&unprivileged=1&rootfs=shared:4")),
            ("/nodes/pve1/qemu", "vmid=200&scsi0=local-lvm:4&scsi1=local-lvm:1"),
            ("/nodes/pve1/qemu", "vmid=201&scsi0=local-lvm:4"),
        ] {
            assert_eq!(node.done(path, form), "OK", "{path} {form}");
        }
        node
    }

    /// How a task ended, or why there is none.
    fn done(&self, path: &str, form: &str) -> String {
        let (status, answer) = self.ask("POST", path, form);
        if status != 200 {
            let errors: Vec<String> = answer["errors"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, text)| format!("{name}: {}", text.as_str().unwrap().trim_end()))
                .collect();
            let said = answer["message"].as_str().unwrap_or_default().trim_end().to_owned();
            return if errors.is_empty() { said } else { errors.join("; ") };
        }
        self.lab.advance(Duration::from_secs(60));
        let Some(upid) = answer["data"].as_str() else { return "OK".to_owned() };
        let (_, exit, _) = self.lab.logs().into_iter().find(|(name, _, _)| name == upid).unwrap();
        exit.unwrap()
    }

    fn last_log(&self) -> String {
        self.lab.logs().last().unwrap().2.join("\n")
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, "");
        assert_eq!(status, 200, "{path}: {answer}");
        answer["data"].clone()
    }

    fn volumes(&self, storage: &str) -> Vec<String> {
        let held = self.get(&format!("/nodes/pve1/storage/{storage}/content"));
        held.as_array().unwrap().iter().map(|line| line["volid"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_volume_moves_to_another_storage_and_stays_as_unused_or_goes() {
    let node = Node::new(Release::V9);
    let path = "/nodes/pve1/lxc/100/move_volume";
    assert_eq!(node.done(path, "volume=mp0&storage=fast"), "OK");
    let config = node.get("/nodes/pve1/lxc/100/config");
    assert_eq!(config["mp0"], "fast:vm-100-disk-0,mp=/data,size=2G");
    assert_eq!(config["unused0"], "local-lvm:vm-100-disk-0");
    assert!(config["lock"].is_null());
    assert_eq!(node.done(path, "volume=rootfs&storage=fast&delete=1"), "OK");
    assert_eq!(node.get("/nodes/pve1/lxc/100/config")["rootfs"], "fast:vm-100-disk-1,size=4G");
    assert!(!node.volumes("local-lvm").contains(&"local-lvm:vm-100-disk-1".to_owned()));

    assert_eq!(node.done("/nodes/pve1/qemu/200/status/start", ""), "OK");
    let path = "/nodes/pve1/qemu/200/move_disk";
    assert_eq!(node.done(path, "disk=scsi0&storage=shared&format=raw&delete=1"), "OK", "also while it runs");
    assert_eq!(node.get("/nodes/pve1/qemu/200/config")["scsi0"], "shared:200/vm-200-disk-0.raw,size=4G");
}

#[test]
fn a_move_that_cannot_be_is_refused_in_the_nodes_words() {
    let node = Node::new(Release::V9);
    let path = "/nodes/pve1/lxc/100/move_volume";
    for (form, text) in [
        ("volume=mp0", "storage: both 'storage' and 'target-vmid' missing, either needs to be set"),
        ("volume=mp3&storage=fast", "volume 'mp3' does not exist"),
        ("volume=mp0&storage=none", "storage 'none' does not exist"),
        ("volume=unused0&storage=fast", "only configured volumes can be moved to another storage"),
        ("volume=mp0&storage=fast&digest=0000", "detected modified configuration"),
        ("volume=mp0&target-vmid=100", "must be different than source VMID"),
        ("volume=mp0&storage=fast&nonsense=1", "nonsense: property is not defined in schema"),
    ] {
        let said = node.done(path, form);
        assert!(said.contains(text), "{form}: {said}");
    }
    node.done("/nodes/pve1/lxc/100/snapshot", "snapname=s1");
    assert!(node.done(path, "volume=mp0&storage=fast&delete=1").contains("with snapshots and delete"));
    node.done("/nodes/pve1/lxc/100/status/start", "");
    assert_eq!(node.done(path, "volume=mp0&storage=fast"), "cannot move volumes of a running container");
    let same = node.done("/nodes/pve1/qemu/200/move_disk", "disk=scsi0&storage=local-lvm");
    assert_eq!(same, "you can't move to the same storage with same format");
}

#[test]
fn a_move_that_fails_leaves_disk_lock_and_storage_as_they_were() {
    let node = Node::new(Release::V9);
    let before = node.get("/nodes/pve1/lxc/100/config");
    for fault in [
        Fault::StorageFull { storage: "fast".into() },
        Fault::Task { kind: "move_volume".into(), step: 0, message: "no more".into() },
    ] {
        node.lab.add_fault(Rule { fault, verb: None, path: None, skip: 0, times: Some(1) });
        assert_ne!(node.done("/nodes/pve1/lxc/100/move_volume", "volume=mp0&storage=fast"), "OK");
        assert_eq!(node.get("/nodes/pve1/lxc/100/config"), before);
        assert!(node.volumes("fast").is_empty());
    }
}

#[test]
fn a_disk_goes_to_another_guest_under_its_name() {
    let node = Node::new(Release::V9);
    let path = "/nodes/pve1/lxc/100/move_volume";
    assert_eq!(node.done(path, "volume=mp0&target-vmid=101&target-volume=mp1"), "OK");
    assert!(node.get("/nodes/pve1/lxc/100/config")["mp0"].is_null());
    assert_eq!(node.get("/nodes/pve1/lxc/101/config")["mp1"], "local-lvm:vm-101-disk-0,mp=/data,size=2G");
    let path = "/nodes/pve1/qemu/200/move_disk";
    let taken = node.done(path, "disk=scsi1&target-vmid=201&target-disk=scsi0");
    assert!(taken.contains("already in use for VM '201'"), "{taken}");
    assert_eq!(node.done(path, "disk=scsi1&target-vmid=201"), "OK");
    assert_eq!(node.get("/nodes/pve1/qemu/201/config")["scsi1"], "local-lvm:vm-201-disk-1,size=1G");
}

#[test]
fn a_container_migrates_by_a_stop_and_a_start() {
    let node = Node::new(Release::V9);
    let path = "/nodes/pve1/lxc/100/migrate";
    assert_eq!(node.done(path, "target=pve1"), "target: target is local node.");
    assert_eq!(node.done(path, "target=pve9"), "no such cluster node 'pve9'");
    node.done("/nodes/pve1/lxc/100/status/start", "");
    let running = node.done(path, "target=pve2");
    assert_eq!(running, "can't migrate running container without --online or --restart");
    assert_eq!(node.done(path, "target=pve2&online=1"), "migration aborted");
    assert!(node.last_log().contains("lxc live migration is currently not implemented"));
    assert_eq!(node.done(path, "target=pve2&restart=1&target-storage=local-lvm:fast"), "OK");
    assert_eq!(node.get("/nodes/pve2/lxc/100/status/current")["status"], "running");
    assert_eq!(node.ask("GET", "/nodes/pve1/lxc/100/status/current", "").0, 500);
    let config = node.get("/nodes/pve2/lxc/100/config");
    assert_eq!(config["mp0"], "fast:vm-100-disk-0,mp=/data,size=2G", "{config}");
    assert!(config["lock"].is_null());
    assert!(node.volumes("local-lvm").iter().all(|volume| !volume.contains("-100-")));
}

#[test]
fn a_machine_migrates_offline_and_while_it_runs_with_its_local_disks() {
    let node = Node::new(Release::V9);
    let path = "/nodes/pve1/qemu/200/migrate";
    let outlook = node.get(path);
    assert_eq!(outlook["allowed_nodes"], serde_json::json!(["pve2"]));
    assert_eq!(outlook["local_disks"].as_array().unwrap().len(), 2);
    node.done("/nodes/pve1/qemu/200/status/start", "");
    assert_eq!(node.done(path, "target=pve2"), "can't migrate running VM without --online");
    assert_eq!(node.done(path, "target=pve2&online=1"), "migration aborted");
    assert!(node.last_log().contains("without with-local-disks option"), "{}", node.last_log());
    let before = node.get("/nodes/pve1/qemu/200/status/current")["pid"].clone();
    assert_eq!(node.done(path, "target=pve2&online=1&with-local-disks=1"), "OK");
    let after = node.get("/nodes/pve2/qemu/200/status/current");
    assert_eq!((&after["status"], &after["pid"]), (&Value::from("running"), &before), "it never stopped");
    assert_eq!(node.done("/nodes/pve1/qemu/201/migrate", "target=pve2"), "OK");
    assert_eq!(node.get("/nodes/pve2/qemu/201/status/current")["status"], "stopped");
}

#[test]
fn snapshots_on_local_storage_and_failures_keep_a_guest_where_it_is() {
    let node = Node::new(Release::V9);
    node.done("/nodes/pve1/lxc/100/snapshot", "snapname=s1");
    let path = "/nodes/pve1/lxc/100/migrate";
    assert_eq!(node.done(path, "target=pve2"), "migration aborted");
    assert!(node.last_log().contains("non-migratable snapshot exists"), "{}", node.last_log());
    assert_eq!(
        node.done("/nodes/pve1/lxc/101/migrate", "target=pve2"),
        "OK",
        "a shared storage keeps nothing back"
    );
    node.lab.add_fault(Rule {
        fault: Fault::StorageFull { storage: "fast".into() },
        verb: None,
        path: None,
        skip: 0,
        times: None,
    });
    let to = "target=pve2&targetstorage=fast";
    assert_eq!(node.done("/nodes/pve1/qemu/200/migrate", to), "migration aborted");
    let config = node.get("/nodes/pve1/qemu/200/config");
    assert_eq!(
        (&config["scsi0"], &config["lock"]),
        (&Value::from("local-lvm:vm-200-disk-0,size=4G"), &Value::Null)
    );
    assert!(node.volumes("fast").is_empty());
}

#[test]
fn the_older_release_knows_neither_the_outlook_of_containers_nor_newer_parameters() {
    let node = Node::new(Release::V8);
    assert_eq!(node.ask("GET", "/nodes/pve1/lxc/100/migrate", "").0, 501);
    let said = node.done("/nodes/pve1/qemu/200/migrate", "target=pve2&with-conntrack-state=1");
    assert!(said.contains("property is not defined in schema"), "{said}");
    assert_eq!(node.done("/nodes/pve1/qemu/200/migrate", "target=pve2"), "OK");
}

#[test]
fn what_the_manager_of_high_availability_holds_is_moved_by_it() {
    let node = Node::new(Release::V9);
    node.done("/cluster/ha/resources", "sid=vm:201");
    assert_eq!(node.done("/nodes/pve1/qemu/201/migrate", "target=pve2"), "OK");
    let kinds: Vec<String> = node.lab.logs().into_iter().map(|(upid, _, _)| upid).collect();
    assert!(kinds.iter().any(|upid| upid.contains(":hamigrate:201:")), "{kinds:?}");
    assert!(kinds.iter().any(|upid| upid.contains(":qmigrate:201:")), "{kinds:?}");
    assert_eq!(node.get("/nodes/pve2/qemu/201/status/current")["status"], "stopped");
}

#[test]
fn a_copy_of_a_machine_has_the_same_cd_in_its_drive_and_another_identity() {
    let node = Node::new(Release::V9);
    let iso = "content=iso&filename=seed.iso&url=https://example.org/seed.iso";
    assert_eq!(node.done("/nodes/pve1/storage/local/download-url", iso), "OK");
    assert_eq!(
        node.done("/nodes/pve1/qemu", "vmid=202&scsi0=local-lvm:4&ide2=local:iso/seed.iso,media%3Dcdrom"),
        "OK"
    );
    assert_eq!(node.done("/nodes/pve1/qemu/202/clone", "newid=203&full=1"), "OK");
    let config = node.get("/nodes/pve1/qemu/203/config");
    assert!(config["ide2"].as_str().unwrap().starts_with("local:iso/seed.iso"), "{config}");
    assert!(config["scsi0"].as_str().unwrap().starts_with("local-lvm:vm-203-disk-0"), "{config}");
    let template = node.get("/nodes/pve1/qemu/202/config");
    for key in ["smbios1", "vmgenid"] {
        assert!(config[key].is_string() && config[key] != template[key], "{key}: {config}");
    }
}
