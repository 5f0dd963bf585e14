//! The lab furnished as the machine was on which the exchanges were recorded.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_lab::{Fault, Lab, Options, Outcome, Request, Rule};
use plimsoll_pve::percent_encode;
use serde_json::Value;

/// An answer of the lab.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn upid(&self) -> Option<String> {
        self.json["data"].as_str().filter(|text| text.starts_with("UPID:")).map(str::to_owned)
    }
}

pub(crate) struct World {
    lab: Lab,
    ticket: String,
    csrf: String,
    secrets: BTreeMap<String, String>,
}

const PRIVILEGES: &str = "VM.Allocate,VM.Audit,VM.Clone,VM.Config.CDROM,VM.Config.CPU,VM.Config.Cloudinit,VM.Config.Disk,\
VM.Config.HWType,VM.Config.Memory,VM.Config.Network,VM.Config.Options,VM.Console,VM.PowerMgmt,VM.Snapshot,VM.Snapshot.Rollback,\
VM.GuestAgent.Audit,Datastore.AllocateSpace,Datastore.Audit,Datastore.AllocateTemplate,SDN.Use,Sys.Audit,Pool.Audit";
const TEMPLATE: &str = "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst";
const KEY: &str =
    "ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAINfSa9rb1smVlyN%2B7xoIxyLuT3sUI92Tkz7L6B54jWkX%20rig";

impl World {
    fn bare() -> Self {
        let lab = Lab::new(Options { virtual_time: true, ..Options::default() });
        let mut world = Self { lab, ticket: String::new(), csrf: String::new(), secrets: BTreeMap::new() };
        let login =
            world.send("POST", "/api2/json/access/ticket", "username=root@pam&password=plimsoll", &[]);
        world.ticket = login.json["data"]["ticket"].as_str().unwrap().to_owned();
        world.csrf = login.json["data"]["CSRFPreventionToken"].as_str().unwrap().to_owned();
        world
    }

    /// The world in which an exchange was recorded, as far as it matters to the exchange.
    pub(crate) fn for_recording(name: &str) -> Self {
        let mut world = Self::bare();
        world.root("PUT", "/storage/local", "content=images,vztmpl,iso,backup,snippets,import,rootdir");
        for form in [
            "storage=nosnap&type=dir&path=/srv/nosnap&content=rootdir,images,vztmpl",
            "storage=thin&type=lvmthin&vgname=rigvg&thinpool=thin&content=rootdir,images",
        ] {
            if !(name == "storage-create-lvmthin" && form.contains("thin")) {
                world.root("POST", "/storage", form);
            }
        }
        world.root(
            "POST",
            "/nodes/pve1/storage/local/download-url",
            "content=import&filename=tiny.qcow2&url=http://x/tiny.qcow2",
        );
        world.users(name);
        if !name.starts_with("access-")
            && name != "storage-create-lvmthin"
            && !name.contains("list-empty")
            && !name.contains("after-failed-creates")
            && name != "cluster-nextid"
        {
            world.guests(name);
        }
        world
    }

    fn users(&mut self, name: &str) {
        if name == "access-role-create" {
            return;
        }
        self.root("POST", "/access/roles", &format!("roleid=RigDeploy&privs={PRIVILEGES}"));
        if name == "access-user-create" {
            return;
        }
        self.root("POST", "/access/users", "userid=deploy@pve&password=password");
        for token in ["ci", "readonly", "nosdn", "none", "nostore", "onevm", "expired"] {
            let wanted = match name {
                "access-token-create" => "ci",
                "access-token-create-limited" => "readonly",
                _ => "",
            };
            if token == wanted {
                continue;
            }
            let expire = if token == "expired" { "&expire=1" } else { "" };
            self.token("deploy@pve", token, &format!("privsep=1{expire}"));
        }
        if name != "access-token-create-root" {
            self.token("root@pam", "rig", "privsep=0");
        }
        let storages = ["/storage/local", "/storage/nosnap", "/storage/thin"];
        let everywhere = [&["/vms", "/sdn/zones/localnetwork", "/nodes"][..], &storages].concat();
        for path in &everywhere {
            self.give(path, "users=deploy@pve", "RigDeploy");
            if name != "access-token-create" {
                self.give(path, "tokens=deploy@pve!ci", "RigDeploy");
            }
        }
        self.give("/", "users=deploy@pve", "PVEAuditor");
        if name != "access-token-create-limited" {
            self.give("/", "tokens=deploy@pve!readonly", "PVEAuditor");
        }
        for path in ["/vms", "/storage/local"] {
            self.give(path, "tokens=deploy@pve!nosdn", "RigDeploy");
        }
        for path in ["/vms", "/sdn/zones/localnetwork"] {
            self.give(path, "tokens=deploy@pve!nostore", "RigDeploy");
        }
        for path in ["/vms/120", "/storage/local", "/sdn/zones/localnetwork"] {
            self.give(path, "tokens=deploy@pve!onevm", "RigDeploy");
        }
    }

    fn give(&mut self, path: &str, whom: &str, role: &str) {
        self.root("PUT", "/access/acl", &format!("path={path}&{whom}&roles={role}"));
    }

    fn token(&mut self, user: &str, name: &str, form: &str) {
        let made = self.root("POST", &format!("/access/users/{user}/token/{name}"), form);
        let secret = made.json["data"]["value"].as_str().unwrap().to_owned();
        self.secrets.insert(format!("{user}!{name}"), secret);
    }

    fn guests(&mut self, name: &str) {
        let net = "net0=name%3Deth0,bridge%3Dvmbr0,ip%3D10.0.2.100/24,gw%3D10.0.2.2";
        let common = format!(
            "ostemplate={TEMPLATE}&memory=512&swap=0&cores=1&unprivileged=1&ssh-public-keys={KEY}&{net}"
        );
        let web = format!(
            "{common}&vmid=100&hostname=web1&rootfs=local:2&features=nesting%3D1,keyctl%3D1&tags=rig;test&onboot=1&description=made"
        );
        let app = format!("{common}&vmid=110&hostname=app1&rootfs=thin:1&features=nesting%3D1");
        let race = format!("{common}&vmid=120&hostname=race&rootfs=thin:1&features=nesting%3D1");
        let has = |part: &str| name.contains(part);
        let fresh = matches!(name, "lxc-create-root-ticket-keyctl" | "auth-token-no-acl-nextid");
        if has("while-creating") {
            self.root_now("POST", "/nodes/pve1/lxc", &web);
            return;
        }
        // Tasks of the recording belong to the token that asks about them.
        if has("tasks-list") || has("tasks-after") || name == "tasks-stop" {
            self.as_ci("/nodes/pve1/lxc", &web.replace(",keyctl%3D1", ""));
            self.lab.advance(Duration::from_secs(60));
            self.as_ci("/nodes/pve1/lxc", &app);
            if name != "tasks-list-active" {
                self.lab.advance(Duration::from_secs(60));
            }
            if name == "tasks-list-after-create-start" {
                self.as_ci("/nodes/pve1/lxc/110/status/start", "");
            }
            return;
        }
        if !fresh {
            self.root("POST", "/nodes/pve1/lxc", &web);
        }
        let without_110 = name == "lxc-create-token-start" || has("after-delete");
        if !without_110 {
            self.root("POST", "/nodes/pve1/lxc", &app);
        }
        if !has("other-vmid") && !has("create-race-2") && name != "lxc-create-race" {
            if has("create-race-1") {
                self.root_now("POST", "/nodes/pve1/lxc", &race);
                return;
            }
            self.root("POST", "/nodes/pve1/lxc", &race);
        }
        if has("template") && name != "lxc-template" || has("clone") {
            self.root("POST", "/nodes/pve1/lxc/120/template", "");
        }
        if has("clone-config") {
            self.root("POST", "/nodes/pve1/lxc/120/clone", "newid=123&hostname=clone1");
        }
        if name == "vzdump" {
            self.root(
                "POST",
                "/nodes/pve1/lxc",
                &format!("{}&start=0", race.replace("vmid=120", "vmid=123")),
            );
        }
        let stopped_100 =
            has("lxc-status-stopped") || name == "lxc-start" || name == "lxc-list" || has("lxc-status-while");
        if !stopped_100 && !fresh {
            self.root("POST", "/nodes/pve1/lxc/100/status/start", "");
        }
        let stopped_110 = has("not-running")
            || has("locked")
            || has("protected")
            || has("lxc-delete")
            || has("running-after-create");
        if !stopped_110 && !without_110 {
            self.root("POST", "/nodes/pve1/lxc/110/status/start", "");
        }
        if has("snapshot")
            && name != "lxc-snapshot-create"
            && !has("unsupported")
            && name != "lxc-snapshot-delete-unknown"
        {
            self.root("POST", "/nodes/pve1/lxc/110/snapshot", "snapname=s1&description=before%20deploy");
        }
        if name == "lxc-config-get-mp0" {
            self.root("PUT", "/nodes/pve1/lxc/110/config", "protection=0");
        }
        if has("mp0") && name != "lxc-config-put-mp0" {
            self.root("PUT", "/nodes/pve1/lxc/110/config", "mp0=thin:1,mp%3D/data,backup%3D1");
        }
        if has("protected") {
            self.root("PUT", "/nodes/pve1/lxc/110/config", "protection=1");
        }
        if has("locked") {
            let rule = Rule {
                fault: Fault::Lock { vmid: 110, lock: "backup".into() },
                verb: None,
                path: None,
                skip: 0,
                times: None,
            };
            self.lab.add_fault(rule);
        }
        let makes_200 = has("qemu-create") && !has("duplicate");
        if !makes_200 {
            self.machine(name);
        }
    }

    fn machine(&mut self, name: &str) {
        let form = format!(
            "vmid=200&name=vm1&memory=512&cores=1&sockets=1&ostype=l26&scsihw=virtio-scsi-single&onboot=0&vga=serial0&serial0=socket\
             &scsi0=local:0,import-from%3Dlocal:import/tiny.qcow2,discard%3Don,iothread%3D1&ide2=local:cloudinit&boot=order%3Dscsi0\
             &net0=virtio,bridge%3Dvmbr0,firewall%3D0&agent=enabled%3D1&ciuser=debian&cipassword=cisecret&nameserver=10.0.2.3\
             &ipconfig0=ip%3D10.0.2.115/24,gw%3D10.0.2.2&tags=rig&sshkeys={}",
            percent_encode(KEY)
        );
        self.root("POST", "/nodes/pve1/qemu", &form);
        if name == "qemu-snapshot-list" {
            self.root("POST", "/nodes/pve1/qemu/200/snapshot", "snapname=q1");
        }
        if matches!(name, "qemu-agent-not-responding" | "qemu-status-running" | "qemu-stop") {
            self.root("POST", "/nodes/pve1/qemu/200/status/start", "");
            let rule = Rule {
                fault: Fault::AgentSilent { vmid: 200 },
                verb: None,
                path: None,
                skip: 0,
                times: None,
            };
            self.lab.add_fault(rule);
        }
        if name == "qemu-agent-not-running" {
            self.root(
                "PUT",
                "/access/roles/RigDeploy",
                &format!("privs={}", PRIVILEGES.replace("VM.GuestAgent.Audit,", "")),
            );
        }
    }

    fn as_ci(&self, path: &str, form: &str) {
        let header = format!("PVEAPIToken=deploy@pve!ci={}", self.secrets["deploy@pve!ci"]);
        let answer = self.send("POST", &format!("/api2/json{path}"), form, &[("authorization", &header)]);
        assert!(answer.status < 400, "{path}: {answer:?}");
    }

    /// Asks as root, and lets what was started come to its end.
    fn root(&mut self, verb: &str, path: &str, form: &str) -> Answer {
        let answer = self.root_now(verb, path, form);
        assert!(answer.status < 400, "{verb} {path}: {answer:?}");
        self.lab.advance(Duration::from_secs(60));
        answer
    }

    fn root_now(&mut self, verb: &str, path: &str, form: &str) -> Answer {
        let cookie = format!("PVEAuthCookie={}", percent_encode(&self.ticket));
        let csrf = self.csrf.clone();
        self.send(verb, &format!("/api2/json{path}"), form, &[("cookie", &cookie), ("csrf", &csrf)])
    }

    fn send(&self, verb: &str, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let header = |name: &str| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        self.handle(&Request {
            verb: verb.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            cookie: header("cookie"),
            csrf: header("csrf"),
            authorization: header("authorization"),
            body: form.as_bytes().to_vec(),
        })
    }

    fn handle(&self, request: &Request) -> Answer {
        let Outcome::Answer { response, .. } = self.lab.handle(request) else {
            return Answer { status: 0, reason: String::new(), json: Value::Null };
        };
        let json = serde_json::from_slice(&response.body).unwrap_or_default();
        Answer { status: response.status, reason: response.reason, json }
    }

    /// Asks what was recorded, with the lab's own secrets.
    pub(crate) fn ask(&mut self, name: &str, recording: &Value) -> Answer {
        let request = &recording["request"];
        let header = |key: &str| request["headers"][key].as_str().map(str::to_owned);
        let (path, query) = request["path"].as_str().unwrap().split_once('?').map_or_else(
            || (request["path"].as_str().unwrap().to_owned(), String::new()),
            |(path, query)| (path.to_owned(), query.to_owned()),
        );
        let cookie = header("Cookie").map(|cookie| {
            if name == "auth-bad-ticket" {
                cookie
            } else {
                format!("PVEAuthCookie={}", percent_encode(&self.ticket))
            }
        });
        let authorization = header("Authorization").map(|text| self.authorization(name, &text));
        let mut content_type = header("Content-Type");
        let body = match body_of(name, request) {
            Body::Text(text) => text.replace("PASSWORD", "plimsoll").into_bytes(),
            Body::Upload { kind, bytes } => {
                content_type = Some(kind);
                bytes
            }
        };
        let csrf = (name != "auth-csrf-missing").then(|| self.csrf.clone());
        let verb = request["method"].as_str().unwrap().to_owned();
        let path = self.path(&path);
        let answer =
            self.handle(&Request { verb, path, query, content_type, authorization, cookie, csrf, body });
        self.lab.advance(Duration::from_secs(60));
        answer
    }

    /// Tasks of the recording are not those of the lab.
    fn path(&self, path: &str) -> String {
        let known = path.contains("UPID%3Apve1%3A0000055E") || path.contains("UPID%3Apve1%3A000010F3");
        if !known {
            return path.to_owned();
        }
        let (upid, _, _) =
            self.lab.logs().into_iter().find(|(upid, _, _)| upid.contains(":vzcreate:")).unwrap();
        let (start, rest) = path.split_once("UPID").unwrap();
        let end = rest.split_once('/').map(|(_, end)| format!("/{end}")).unwrap_or_default();
        format!("{start}{}{end}", percent_encode(&upid))
    }

    fn authorization(&self, name: &str, text: &str) -> String {
        if matches!(name, "auth-token-bad-secret" | "auth-token-malformed") {
            return text.to_owned();
        }
        let id = text.trim_start_matches("PVEAPIToken=").split('=').next().unwrap_or_default();
        match self.secrets.get(id) {
            Some(secret) => format!("PVEAPIToken={id}={secret}"),
            None => text.to_owned(),
        }
    }

    /// Asks for the state or the log of a task, as its owner.
    pub(crate) fn ask_about_task(&mut self, upid: &str, name: &str) -> Answer {
        let what = if name.contains("-task-log") { "log?start=0&limit=500" } else { "status" };
        self.root_now("GET", &format!("/nodes/pve1/tasks/{}/{what}", percent_encode(upid)), "")
    }
}

enum Body {
    Text(String),
    Upload { kind: String, bytes: Vec<u8> },
}

/// The body of a request. Binary ones were recorded as a description.
fn body_of(name: &str, request: &Value) -> Body {
    let text = match (&request["body"], &request["json"]) {
        (Value::String(text), _) => text.clone(),
        (Value::Null, Value::Null) => String::new(),
        (Value::Null, json) => json.to_string(),
        (body, _) => body.to_string(),
    };
    let fixed = match name {
        "http-content-type-text" => Some("cores=1"),
        "http-form-charset" => Some("description=via+form"),
        "http-form-plus-as-space" => Some("description=plus+as+space"),
        "http-json-array" => Some("[1]"),
        "http-json-charset" => Some(r#"{"description":"json"}"#),
        _ => None,
    };
    if let Some(fixed) = fixed {
        return Body::Text(fixed.to_owned());
    }
    let Some(description) = text.strip_prefix("multipart/form-data parts in order: ") else {
        return Body::Text(text);
    };
    let file = description
        .split("filename=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("x.tar.zst");
    let (fields, file_first) = match description.split_once(" then file part") {
        Some((fields, _)) => (fields, false),
        None => ("content=vztmpl", true),
    };
    let mut parts: Vec<String> = fields
        .split(", ")
        .filter_map(|field| field.split_once('='))
        // The recorded digest is that of a file which is not here.
        .filter(|(key, _)| !(name == "upload-vztmpl" && key.starts_with("checksum")))
        .map(|(key, value)| format!("Content-Disposition: form-data; name=\"{key}\"\r\n\r\n{value}\r\n"))
        .collect();
    let content = format!(
        "Content-Disposition: form-data; name=\"filename\"; filename=\"{file}\"\r\n\r\nnot a real archive\r\n"
    );
    if file_first {
        parts.insert(0, content);
    } else {
        parts.push(content);
    }
    let body: String = parts.iter().map(|part| format!("--b\r\n{part}")).collect();
    Body::Upload {
        kind: "multipart/form-data; boundary=b".to_owned(),
        bytes: format!("{body}--b--\r\n").into_bytes(),
    }
}
