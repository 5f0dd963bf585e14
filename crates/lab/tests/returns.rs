//! Answers of the lab held against what the vendor's contract declares. The contract files stand outside the repository:
//! `PLIMSOLL_PVE_API_DIR`, or `../shared/pve-api` beside the checkout.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says why it stops and what it skips")]

mod root;

use std::path::PathBuf;
use std::time::Duration;

use plimsoll_lab::{Options, Release};
use plimsoll_pve::percent_encode;
use root::Root;
use serde_json::Value;

#[expect(clippy::disallowed_methods, reason = "tests look for files that are not part of the repository")]
fn contract(file: &str) -> Option<Value> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/pve-api");
    let path = std::env::var("PLIMSOLL_PVE_API_DIR")
        .map_or_else(|_| PathBuf::from(beside), PathBuf::from)
        .join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(_) => {
            eprintln!("skipped: {} is not there; set PLIMSOLL_PVE_API_DIR", path.display());
            None
        }
    }
}

struct Node {
    release: Release,
    root: Root,
}

impl Node {
    fn new(release: Release) -> Self {
        Self { release, root: Root::login(Options { release, ..Options::default() }) }
    }

    fn ask(&self, verb: &str, path: &str, form: &str) -> (u16, Value) {
        let answer = self.root.ask(verb, path, form);
        self.root.lab.advance(Duration::from_secs(30));
        answer
    }

    fn furnish(&self) {
        for (path, form) in [
            ("/access/users", "userid=a@pve"),
            ("/access/users/a@pve/token/ci", "privsep=1"),
            ("/access/roles", "roleid=R&privs=VM.Audit"),
            ("/pools", "poolid=apps"),
            (
                "/nodes/pve1/lxc",
                "vmid=100&ostemplate=local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst&unprivileged=1&rootfs=local-lvm:4&net0=name%3Deth0,bridge%3Dvmbr0,ip%3Ddhcp&pool=apps&start=1",
            ),
            (
                "/nodes/pve1/qemu",
                "vmid=200&scsi0=local-lvm:4&ide2=local-lvm:cloudinit&net0=virtio,bridge%3Dvmbr0&agent=1&start=1",
            ),
            ("/nodes/pve1/lxc/100/snapshot", "snapname=s1"),
            ("/nodes/pve1/qemu/200/snapshot", "snapname=s1"),
            ("/nodes/pve1/vzdump", "vmid=100&storage=local"),
            ("/cluster/backup", "id=nightly&schedule=02:00&storage=local&all=1"),
            ("/cluster/ha/resources", "sid=ct:100"),
            ("/nodes/pve1/lxc/100/firewall/rules", "type=in&action=ACCEPT&enable=1"),
            ("/nodes/pve1/lxc/100/firewall/aliases", "name=office&cidr=192.0.2.0/24&comment=x"),
            ("/nodes/pve1/lxc/100/firewall/ipset", "name=trusted"),
            ("/nodes/pve1/lxc/100/firewall/ipset/trusted", "cidr=192.0.2.7"),
            ("/nodes/pve1/qemu/200/firewall/rules", "type=out&action=DROP&dport=25"),
            ("/nodes/pve1/qemu/200/firewall/aliases", "name=office&cidr=192.0.2.0/24"),
            ("/nodes/pve1/qemu/200/firewall/ipset", "name=trusted&comment=x"),
            ("/nodes/pve1/qemu/200/firewall/ipset/trusted", "cidr=192.0.2.7&nomatch=1"),
            ("/cluster/firewall/rules", "type=in&action=ACCEPT&enable=1"),
            ("/cluster/firewall/aliases", "name=office&cidr=192.0.2.0/24"),
            ("/cluster/firewall/ipset", "name=trusted"),
            ("/cluster/firewall/ipset/trusted", "cidr=192.0.2.7"),
            ("/access/groups", "groupid=ops&comment=x"),
        ] {
            let (status, answer) = self.ask("POST", path, form);
            assert_eq!(status, 200, "{path}: {answer}");
        }
        self.ask("PUT", "/access/users/a@pve", "groups=ops");
        self.ask("PUT", "/access/acl", "path=/vms&users=a@pve&roles=R");
        self.ask("PUT", "/access/acl", "path=/pool&groups=ops&roles=R");
        if self.release == Release::V9 {
            let rule = "rule=apart&type=node-affinity&resources=ct:100&nodes=pve1";
            assert_eq!(self.ask("POST", "/cluster/ha/rules", rule).0, 200);
        }
    }

    /// A path that can be asked.
    fn path(&self, template: &str) -> String {
        let upid = self.root.lab.logs().first().map(|(upid, _, _)| percent_encode(upid)).unwrap_or_default();
        let vmid = if template.contains("/qemu") { "200" } else { "100" };
        let mut path = template.to_owned();
        for (place, value) in [
            ("node", "pve1"),
            ("vmid", vmid),
            ("upid", &upid),
            ("storage", "local"),
            ("snapname", "s1"),
            ("userid", "a@pve"),
            ("tokenid", "ci"),
            ("roleid", "R"),
            ("groupid", "ops"),
            ("name", if template.contains("aliases") { "office" } else { "trusted" }),
            ("cidr", "192.0.2.7"),
            ("pos", "0"),
            ("sid", "ct:100"),
            ("rule", "apart"),
            ("id", "nightly"),
            ("volume", "local:vztmpl%2Fdebian-13-standard_13.1-2_amd64.tar.zst"),
        ] {
            path = path.replace(&format!("{{{place}}}"), value);
        }
        let query = match template.rsplit('/').next().unwrap_or_default() {
            "feature" => "?feature=snapshot",
            "dump" => "?type=user",
            "query-url-metadata" => "?url=http://example.org/x.iso",
            "exec-status" => "?pid=1000",
            "file-read" => "?file=/etc/motd",
            "extractconfig" => {
                let held = self.ask("GET", "/nodes/pve1/storage/local/content?content=backup", "").1;
                return format!(
                    "{path}?volume={}",
                    percent_encode(held["data"][0]["volid"].as_str().unwrap())
                );
            }
            _ => "",
        };
        format!("{path}{query}")
    }
}

fn fits(at: &str, schema: &Value, value: &Value, wrong: &mut Vec<String>) {
    let optional = |schema: &Value| schema["optional"] == 1 || schema["optional"] == true;
    let numeric =
        |value: &Value| value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok());
    match schema["type"].as_str() {
        Some("array") => match value.as_array() {
            Some(list) => {
                for item in list {
                    fits(&format!("{at}[]"), &schema["items"], item, wrong);
                }
            }
            // What has nothing to list may be nothing.
            None if value.is_null() => {}
            None => wrong.push(format!("{at} is no list: {value}")),
        },
        Some("object") => {
            let Some(map) = value.as_object() else {
                wrong.push(format!("{at} is no object: {value}"));
                return;
            };
            for (name, own) in schema["properties"].as_object().into_iter().flatten() {
                match map.get(name) {
                    Some(value) => fits(&format!("{at}.{name}"), own, value, wrong),
                    None if optional(own) => {}
                    None => wrong.push(format!("{at}.{name} is missing")),
                }
            }
        }
        Some("integer" | "number") if !numeric(value) => wrong.push(format!("{at} is no number: {value}")),
        Some("boolean") if !(numeric(value) || value.is_boolean()) => {
            wrong.push(format!("{at} is no flag: {value}"));
        }
        Some("string") if !(value.is_string() || value.is_number()) => {
            wrong.push(format!("{at} is no text: {value}"));
        }
        Some("null") if !value.is_null() => wrong.push(format!("{at} is something: {value}")),
        _ => {}
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        wrong.push(format!("{at} is {value}, none of {choices:?}"));
    }
}

fn check(release: Release, file: &str) {
    let Some(contract) = contract(file) else { return };
    let node = Node::new(release);
    node.furnish();
    node.ask("POST", "/nodes/pve1/qemu/200/agent/exec", "command=true");
    node.ask("POST", "/nodes/pve1/qemu/200/agent/file-write", "file=/etc/motd&content=x");
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for (verb, path, answered) in plimsoll_lab::coverage(release) {
        if !answered || verb != "GET" {
            continue;
        }
        let declared = contract["endpoints"]
            .as_array()
            .unwrap()
            .iter()
            .find(|e| e["verb"] == *verb && e["path"] == *path);
        let (status, answer) = node.ask(&verb, &node.path(&path), "");
        if status != 200 {
            wrong.push(format!("{verb} {path} gives {status} {answer}"));
            continue;
        }
        fits(&format!("{verb} {path}: data"), &declared.unwrap()["returns"], &answer["data"], &mut wrong);
        checked += 1;
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} answers of {file}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked > 55, "only {checked} answers were checked");
}

#[test]
fn answers_are_what_the_contract_of_9_declares() {
    check(Release::V9, "pve-9.2.3.json");
}

#[test]
fn answers_are_what_the_contract_of_8_declares() {
    check(Release::V8, "pve-8.4.5.json");
}
