//! For each operation: the role with exactly the privileges that it takes passes, and the role less any one of them is refused in the
//! node's words.

#![expect(clippy::unwrap_used, reason = "a test says why it stops")]

#[path = "../root/mod.rs"]
mod root;
mod table;

use std::time::Duration;

use plimsoll_lab::{Options, Release, Request};
use plimsoll_pve::percent_encode;
use root::Root;
use serde_json::Value;
use table::{OPERATIONS, Operation, WITHOUT_PRIVILEGES};

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
        node.root("POST", "/nodes/pve1/lxc", &format!("vmid=103&{template}&start=1"));
        node.root("POST", "/nodes/pve1/qemu", "vmid=201&scsi0=local-lvm:4");
        node.root("POST", "/nodes/pve1/qemu/201/snapshot", "snapname=s1");
        node.root("POST", "/nodes/pve1/qemu", "vmid=202&scsi0=local-lvm:4&ide2=local-lvm:cloudinit");
        node.root("POST", "/access/roles", "roleid=Other&privs=VM.Audit");
        node.root("POST", "/access/users", "userid=other@pve");
        node.root("POST", "/access/users/other@pve/token/old", "");
        node.root("POST", "/access/groups", "groupid=team");
        node.root("POST", "/pools", "poolid=team");
        node.root("POST", "/cluster/backup", "id=nightly&all=1&schedule=02:00&storage=local");
        node.root("POST", "/cluster/ha/resources", "sid=vm:200");
        if release == Release::V9 {
            node.root(
                "POST",
                "/cluster/ha/rules",
                "rule=apart&type=node-affinity&resources=vm:200&nodes=pve1",
            );
        }
        node.root("POST", "/storage", "storage=tank&type=zfspool&pool=tank&content=images,rootdir");
        let replicable = template.replace("local-lvm", "tank");
        node.root("POST", "/nodes/pve1/lxc", &format!("vmid=104&{replicable}"));
        node.root("POST", "/nodes/pve1/lxc", &format!("vmid=105&{replicable}"));
        node.root("POST", "/cluster/replication", "id=104-0&target=pve2&type=local");
        for place in ["/cluster", "/nodes/pve1/lxc/100", "/nodes/pve1/qemu/200"] {
            let root = |part: &str, form: &str| node.root("POST", &format!("{place}/firewall/{part}"), form);
            root("rules", "type=in&action=ACCEPT");
            root("aliases", "name=office&cidr=192.0.2.9");
            root("ipset", "name=empty");
            root("ipset", "name=trusted");
            root("ipset/trusted", "cidr=192.0.2.7");
        }
        node
    }

    fn root(&self, verb: &str, path: &str, form: &str) -> Value {
        let (status, answer) = self.send(verb, path, form, None);
        assert_eq!(status, 200, "{verb} {path}: {answer}");
        answer
    }

    fn send(&self, verb: &str, path: &str, form: &str, token: Option<&str>) -> (u16, Value) {
        let in_address = matches!(verb, "GET" | "DELETE");
        let first = self.lab.logs().first().map(|(upid, ..)| percent_encode(upid)).unwrap_or_default();
        let (content_type, body) = if path.ends_with("/upload") {
            let (kind, body) = multipart(form);
            (Some(kind), body)
        } else {
            (None, form.as_bytes().to_vec())
        };
        let answer = self.0.send(Request {
            verb: verb.to_owned(),
            path: path.replace("{task}", &first),
            query: if in_address { form.to_owned() } else { String::new() },
            content_type,
            authorization: token.map(|token| format!("PVEAPIToken={token}")),
            body: if in_address { Vec::new() } else { body },
            ..Request::default()
        });
        self.lab.advance(Duration::from_secs(30));
        answer
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

/// A form with a file, as browsers send it.
fn multipart(form: &str) -> (String, Vec<u8>) {
    let mut body = String::new();
    for (name, value) in form.split('&').filter_map(|pair| pair.split_once('=')) {
        body.push_str(&format!(
            "--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(
        "--part\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"new.iso\"\r\n\
         Content-Type: application/octet-stream\r\n\r\ndata\r\n--part--\r\n",
    );
    ("multipart/form-data; boundary=part".to_owned(), body.into_bytes())
}

/// What was refused: at once, or at the end of the task.
fn refusal(node: &Node, token: &str, operation: &Operation) -> Option<String> {
    let (status, answer) = node.send(operation.verb, operation.path, operation.form, Some(token));
    if status != 200 {
        return Some(format!("{status} {}", answer["message"].as_str().unwrap_or_default().trim_end()));
    }
    let upid = answer["data"].as_str().filter(|text| text.starts_with("UPID:"))?;
    let (_, exit, _) = node.lab.logs().into_iter().find(|(name, _, _)| name == upid)?;
    exit.filter(|exit| exit != "OK")
}

fn takes_exactly(release: Release, least: impl Fn(&Operation) -> Option<&'static [&'static str]>) {
    let mut wrong = Vec::new();
    for operation in OPERATIONS {
        let Some(least) = least(operation) else { continue };
        let name = format!("{} {} {}", operation.verb, operation.path, operation.form);
        let node = Node::new(release);
        let token = node.token(least);
        if let Some(text) = refusal(&node, &token, operation) {
            wrong.push(format!("{name} with {least:?}: {text}"));
        }
        for missing in least {
            let node = Node::new(release);
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

#[test]
fn each_operation_takes_exactly_its_privileges() {
    takes_exactly(Release::V9, |operation| Some(operation.least));
}

#[test]
fn each_operation_takes_exactly_its_privileges_on_8() {
    takes_exactly(Release::V8, |operation| operation.least_on_8);
}

/// Whether a path is one of an endpoint.
fn is_at(endpoint: &str, path: &str) -> bool {
    let (endpoint, path): (Vec<_>, Vec<_>) = (endpoint.split('/').collect(), path.split('/').collect());
    endpoint.len() == path.len()
        && endpoint.iter().zip(path).all(|(wanted, part)| wanted.starts_with('{') || *wanted == part)
}

#[test]
fn no_operation_that_changes_something_is_left_out() {
    for release in [Release::V8, Release::V9] {
        let left: Vec<String> = plimsoll_lab::coverage(release)
            .into_iter()
            .filter(|(verb, _, is_there)| verb != "GET" && *is_there)
            .filter(|(verb, endpoint, _)| {
                !WITHOUT_PRIVILEGES.iter().any(|(of, at, _)| of == verb && at == endpoint)
                    && !OPERATIONS.iter().any(|operation| {
                        let is_known = release == Release::V9 || operation.least_on_8.is_some();
                        is_known && operation.verb == verb && is_at(endpoint, operation.path)
                    })
            })
            .map(|(verb, endpoint, _)| format!("{verb} {endpoint}"))
            .collect();
        assert!(left.is_empty(), "{release:?}: {}", left.join("\n"));
    }
}
