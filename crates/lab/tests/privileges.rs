//! For each operation: the role with exactly the privileges that it takes passes, and the role less any one of them is refused in the
//! node's words.

#![expect(clippy::unwrap_used, reason = "a test says why it stops")]

use std::time::Duration;

use plimsoll_lab::{Lab, Options, Outcome, Release, Request};
use plimsoll_pve::percent_encode;
use serde_json::Value;

struct Node {
    lab: Lab,
    cookie: String,
    csrf: String,
}

impl Node {
    fn new(release: Release) -> Self {
        let lab = Lab::new(Options { release, virtual_time: true, nodes: 2, ..Options::default() });
        let mut node = Self { lab, cookie: String::new(), csrf: String::new() };
        let session =
            node.send("POST", "/access/ticket", "username=root@pam&password=plimsoll", None).1["data"]
                .clone();
        node.cookie = format!("PVEAuthCookie={}", percent_encode(session["ticket"].as_str().unwrap()));
        node.csrf = session["CSRFPreventionToken"].as_str().unwrap().to_owned();
        let template = "ostemplate=local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst&unprivileged=1&rootfs=local-lvm:4";
        node.root("POST", "/nodes/pve1/lxc", &format!("vmid=100&{template}&net0=name%3Deth0,bridge%3Dvmbr0"));
        node.root("POST", "/nodes/pve1/lxc", &format!("vmid=101&{template}&net0=name%3Deth0,bridge%3Dvmbr0"));
        node.root("POST", "/nodes/pve1/lxc/101/template", "");
        node.root("POST", "/nodes/pve1/lxc", &format!("vmid=102&{template}"));
        node.root("POST", "/nodes/pve1/lxc/100/snapshot", "snapname=s1");
        node.root(
            "POST",
            "/storage",
            "storage=fast&type=lvmthin&vgname=fast&thinpool=data&content=images,rootdir",
        );
        node.root("POST", "/nodes/pve1/qemu", "vmid=200&scsi0=local-lvm:4&agent=1&start=1");
        node.root(
            "POST",
            "/nodes/pve1/storage/local/download-url",
            "content=iso&filename=x.iso&url=http://x/x.iso",
        );
        node
    }

    fn root(&self, verb: &str, path: &str, form: &str) -> Value {
        let (status, answer) = self.send(verb, path, form, None);
        assert_eq!(status, 200, "{verb} {path}: {answer}");
        answer
    }

    fn send(&self, verb: &str, path: &str, form: &str, token: Option<&str>) -> (u16, Value) {
        let in_address = matches!(verb, "GET" | "DELETE");
        let by_ticket = token.is_none() && !self.cookie.is_empty();
        let request = Request {
            verb: verb.to_owned(),
            path: format!("/api2/json{path}"),
            query: if in_address { form.to_owned() } else { String::new() },
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            cookie: by_ticket.then(|| self.cookie.clone()),
            csrf: Some(self.csrf.clone()),
            authorization: token.map(|token| format!("PVEAPIToken={token}")),
            body: if in_address { Vec::new() } else { form.as_bytes().to_vec() },
        };
        let Outcome::Answer { response, .. } = self.lab.handle(&request) else { return (0, Value::Null) };
        self.lab.advance(Duration::from_secs(30));
        (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
    }

    /// A token whose user and which itself have these privileges everywhere.
    fn token(&self, privileges: &[&str]) -> String {
        self.root("POST", "/access/roles", &format!("roleid=Least&privs={}", privileges.join(",")));
        self.root("POST", "/access/users", "userid=deploy@pve");
        let made = self.root("POST", "/access/users/deploy@pve/token/ci", "privsep=1");
        for whom in ["users=deploy@pve", "tokens=deploy@pve!ci"] {
            self.root("PUT", "/access/acl", &format!("path=/&roles=Least&{whom}"));
        }
        format!("deploy@pve!ci={}", made["data"]["value"].as_str().unwrap())
    }
}

/// What it is, verb, path, parameters, the least privileges.
type Operation = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const OPERATIONS: &[Operation] = &[
    (
        "make a container",
        "POST",
        "/nodes/pve1/lxc",
        "vmid=110&ostemplate=local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst&unprivileged=1&rootfs=local-lvm:4&cores=2\
         &memory=512&hostname=app&onboot=1&features=nesting%3D1&net0=name%3Deth0,bridge%3Dvmbr0,ip%3Ddhcp",
        &[
            "VM.Allocate",
            "VM.Config.CPU",
            "VM.Config.Memory",
            "VM.Config.Disk",
            "VM.Config.Network",
            "VM.Config.Options",
            "Datastore.AllocateSpace",
            "SDN.Use",
        ],
    ),
    (
        "make a machine",
        "POST",
        "/nodes/pve1/qemu",
        "vmid=210&name=vm&cores=2&memory=512&scsi0=local-lvm:4&net0=virtio,bridge%3Dvmbr0&ciuser=me&serial0=socket&ide2=none,media%3Dcdrom",
        &[
            "VM.Allocate",
            "VM.Config.CPU",
            "VM.Config.Memory",
            "VM.Config.Disk",
            "VM.Config.Network",
            "VM.Config.Options",
            "VM.Config.HWType",
            "VM.Config.CDROM",
            "Datastore.AllocateSpace",
            "SDN.Use",
        ],
    ),
    ("read a configuration", "GET", "/nodes/pve1/lxc/100/config", "", &["VM.Audit"]),
    ("change memory", "PUT", "/nodes/pve1/lxc/100/config", "memory=600", &["VM.Config.Memory"]),
    (
        "add a volume",
        "PUT",
        "/nodes/pve1/lxc/100/config",
        "mp0=local-lvm:1,mp%3D/data",
        &["VM.Config.Disk", "Datastore.AllocateSpace"],
    ),
    (
        "change a card",
        "PUT",
        "/nodes/pve1/lxc/100/config",
        "net0=name%3Deth0,bridge%3Dvmbr0,ip%3Ddhcp",
        &["VM.Config.Network", "SDN.Use"],
    ),
    ("start", "POST", "/nodes/pve1/lxc/100/status/start", "", &["VM.PowerMgmt"]),
    ("stop a machine", "POST", "/nodes/pve1/qemu/200/status/stop", "", &["VM.PowerMgmt"]),
    (
        "make a disk bigger",
        "PUT",
        "/nodes/pve1/lxc/100/resize",
        "disk=rootfs&size=%2B1G",
        &["VM.Config.Disk", "VM.Config.Options", "Datastore.AllocateSpace"],
    ),
    (
        "move a volume",
        "POST",
        "/nodes/pve1/lxc/102/move_volume",
        "volume=rootfs&storage=local-lvm",
        &["VM.Config.Disk", "Datastore.AllocateSpace"],
    ),
    (
        "move a disk",
        "POST",
        "/nodes/pve1/qemu/200/move_disk",
        "disk=scsi0&storage=fast",
        &["VM.Config.Disk", "Datastore.AllocateSpace"],
    ),
    ("migrate a container", "POST", "/nodes/pve1/lxc/102/migrate", "target=pve2", &["VM.Migrate"]),
    (
        "migrate a machine to another storage",
        "POST",
        "/nodes/pve1/qemu/200/migrate",
        "target=pve2&online=1&with-local-disks=1&targetstorage=fast",
        &["VM.Migrate", "VM.Config.Disk", "Datastore.AllocateSpace"],
    ),
    ("take a snapshot", "POST", "/nodes/pve1/lxc/100/snapshot", "snapname=s2", &["VM.Snapshot"]),
    ("roll back", "POST", "/nodes/pve1/lxc/100/snapshot/s1/rollback", "", &["VM.Snapshot.Rollback"]),
    ("forget a snapshot", "DELETE", "/nodes/pve1/lxc/100/snapshot/s1", "", &["VM.Snapshot"]),
    (
        "copy a template",
        "POST",
        "/nodes/pve1/lxc/101/clone",
        "newid=120",
        &["VM.Clone", "VM.Allocate", "Datastore.AllocateSpace", "SDN.Use"],
    ),
    ("make a template", "POST", "/nodes/pve1/lxc/102/template", "", &["VM.Allocate"]),
    ("destroy", "DELETE", "/nodes/pve1/lxc/100", "purge=1", &["VM.Allocate"]),
    (
        "back up",
        "POST",
        "/nodes/pve1/vzdump",
        "vmid=100&storage=local",
        &["VM.Backup", "Datastore.AllocateSpace"],
    ),
    (
        "download an image",
        "POST",
        "/nodes/pve1/storage/local/download-url",
        "content=iso&filename=y.iso&url=http://x/y.iso",
        &["Datastore.AllocateTemplate", "Sys.AccessNetwork"],
    ),
    (
        "delete an image",
        "DELETE",
        "/nodes/pve1/storage/local/content/local:iso%2Fx.iso",
        "",
        &["Datastore.Allocate"],
    ),
    ("read a storage", "GET", "/nodes/pve1/storage/local/status", "", &["Datastore.Audit"]),
    (
        "add a rule",
        "POST",
        "/nodes/pve1/lxc/100/firewall/rules",
        "type=in&action=ACCEPT",
        &["VM.Config.Network"],
    ),
    ("add a backup job", "POST", "/cluster/backup", "all=1&schedule=02:00", &["Sys.Modify"]),
    ("see the cluster", "GET", "/cluster/status", "", &["Sys.Audit"]),
    ("make a pool", "POST", "/pools", "poolid=apps", &["Pool.Allocate"]),
    (
        "run a program",
        "POST",
        "/nodes/pve1/qemu/200/agent/exec",
        "command=true",
        &["VM.GuestAgent.Unrestricted"],
    ),
];

/// What was refused: at once, or at the end of the task.
fn refusal(node: &Node, token: &str, operation: &Operation) -> Option<String> {
    let (_, verb, path, form, _) = operation;
    let (status, answer) = node.send(verb, path, form, Some(token));
    if status != 200 {
        return Some(format!("{status} {}", answer["message"].as_str().unwrap_or_default().trim_end()));
    }
    let upid = answer["data"].as_str().filter(|text| text.starts_with("UPID:"))?;
    let (_, exit, _) = node.lab.logs().into_iter().find(|(name, _, _)| name == upid)?;
    exit.filter(|exit| exit != "OK")
}

#[test]
fn each_operation_takes_exactly_its_privileges() {
    let mut wrong = Vec::new();
    for operation in OPERATIONS {
        let (name, _, _, _, least) = operation;
        let node = Node::new(Release::V9);
        let token = node.token(least);
        if let Some(text) = refusal(&node, &token, operation) {
            wrong.push(format!("{name} with {least:?}: {text}"));
        }
        for missing in *least {
            let node = Node::new(Release::V9);
            let rest: Vec<&str> = least.iter().copied().filter(|privilege| privilege != missing).collect();
            let token = node.token(&rest);
            match refusal(&node, &token, operation) {
                Some(text) if text.starts_with("403 Permission check failed") => {}
                other => wrong.push(format!("{name} without {missing}: {other:?}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
