//! A guest that Plimsoll makes itself: from an empty node to an app that serves.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use plimsoll_pve::api::{GetConfig, GetGuests, GuestKind, LxcUpdate, Power, PowerOff};
use plimsoll_pve::{Client, Vmid, WaitOptions};
use plimsoll_remote::{Destination, Job, OpenSsh, Pin};

use crate::lab::LabNode;

/// Somebody who deploys: a checkout, a home, a key and a token.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) folder: PathBuf,
    /// The name of their home in the test's folder.
    pub(crate) home: String,
    pub(crate) identity: PathBuf,
    pub(crate) token: String,
}

/// A client's own directory on an empty node.
pub(crate) struct Site {
    pub(crate) node: LabNode,
    pub(crate) runtime: tokio::runtime::Runtime,
    client: Client,
    first: Person,
    kind: GuestKind,
}

const DOCKERFILE: &str = r#"FROM scratch
COPY . /
ENV PATH=/bin
HEALTHCHECK --interval=1s --timeout=2s --retries=3 CMD ["/bin/busybox", "wget", "-q", "-O-", "http://127.0.0.1:8080/version.txt"]
CMD ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]
"#;

#[expect(clippy::disallowed_methods, reason = "prepares the checkout of a test and starts programs")]
impl Site {
    pub(crate) fn new() -> Option<Self> {
        Self::of(GuestKind::Lxc)
    }

    /// A site whose guest is of a kind.
    pub(crate) fn of(kind: GuestKind) -> Option<Self> {
        if std::env::var_os("PLIMSOLL_TEST_LAB").is_none() {
            println!("skipped: PLIMSOLL_TEST_LAB does not ask for guests of the lab");
            return None;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let node = match kind {
            GuestKind::Lxc => runtime.block_on(LabNode::new())?,
            GuestKind::Qemu => runtime.block_on(LabNode::with_vms())?,
        };
        let client = node.root();
        let first = Person {
            folder: node.own.path().join("checkout"),
            home: "home".to_owned(),
            identity: node.identity.clone(),
            token: String::new(),
        };
        let mut site = Self { node, runtime, client, first, kind };
        site.write("web/Dockerfile", DOCKERFILE);
        site.write("web/www/version.txt", "1\n");
        site.write(
            "compose.yaml",
            "services:\n  web:\n    build: web\n    stop_grace_period: 1s\n    ports: [\"8080:8080\"]\n    \
             volumes: [\"data:/data\"]\nvolumes:\n  data: {}\n",
        );
        site.write("plimsoll.yaml", &site.configuration());
        site.grant();
        std::fs::create_dir_all(site.first.folder.join("web/bin")).unwrap();
        let template = plimsoll_lab::host::Image::in_cache(Path::new("/var/cache/plimsoll-lab")).path;
        let busybox =
            Command::new("tar").args(["--zstd", "-xOf"]).arg(template).arg("./usr/bin/busybox").output();
        let busybox = busybox.unwrap();
        assert!(busybox.stdout.len() > 500_000, "{}", String::from_utf8_lossy(&busybox.stderr));
        let path = site.first.folder.join("web/bin/busybox");
        std::fs::write(&path, busybox.stdout).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Some(site)
    }

    /// Runs the commands that the doctor prints: the token has what this target takes, and nothing else.
    pub(crate) fn grant(&mut self) {
        self.administer("privileges");
    }

    /// Runs the commands for users and roles that the doctor prints at one check.
    pub(crate) fn administer(&mut self, check: &str) {
        if let Some(token) = self.administer_for(&self.first, check) {
            self.first.token = token;
        }
    }

    /// A token that has what the target of somebody's checkout takes, and nothing else.
    pub(crate) fn token_of(&self, person: &Person) -> String {
        self.administer_for(person, "privileges").unwrap()
    }

    fn administer_for(&self, person: &Person, check: &str) -> Option<String> {
        let admin = Person { home: "admin".to_owned(), ..person.clone() };
        let said = self.command(&admin, &["doctor", "--format", "json"]).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        let found = checks.iter().find(|one| one["check"] == check).unwrap();
        let lines = found["commands"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        let lines: Vec<&str> = lines.filter(|line| line.starts_with("pveum ")).collect();
        let name = lines.iter().find_map(|line| line.strip_prefix("pveum user token add ")).map(|rest| {
            let words: Vec<&str> = rest.split_whitespace().map(|word| word.trim_matches('\'')).collect();
            format!("{}!{}", words[0], words[1])
        });
        let secrets = lines.into_iter().filter_map(|line| {
            let parts = line.split('\'').enumerate();
            let words = parts.flat_map(|(index, part)| match index % 2 {
                // What stands in quotes is one word.
                1 => vec![part.to_owned()],
                _ => part.split_whitespace().map(str::to_owned).collect(),
            });
            let answer = match self.node.lab.pveum(&words.collect::<Vec<_>>()) {
                Ok(answer) => answer,
                // Apps of one node share the user.
                Err(said) if said.contains("user 'plimsoll@pve' already exists") => return None,
                Err(said) => panic!("{line}: {said}"),
            };
            answer.split_whitespace().next_back().map(str::to_owned)
        });
        let secrets: Vec<String> = secrets.collect();
        Some(format!("{}={}", name?, secrets.last()?))
    }

    /// The same person with an empty home.
    fn at_home(&self, home: &str) -> Person {
        Person { home: home.to_owned(), ..self.first.clone() }
    }

    /// Who is first at work here.
    pub(crate) fn first(&self) -> Person {
        self.first.clone()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        self.write_of(&self.first, path, text);
    }

    pub(crate) fn write_of(&self, person: &Person, path: &str, text: &str) {
        let path = person.folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn address(&self) -> String {
        format!("{}.9", self.node.network.gateway.rsplit_once('.').unwrap().0)
    }

    pub(crate) fn configuration(&self) -> String {
        let server = self.node.server.as_ref().unwrap();
        let (url, gateway, address) = (server.address, &self.node.network.gateway, self.address());
        let (kind, memory, image) = match self.kind {
            GuestKind::Lxc => {
                let template = self.node.lab.templates().remove(0);
                ("lxc", "1GiB", format!("      image: \"{template}\"\n"))
            }
            // The one that the node has is found.
            GuestKind::Qemu => ("vm", "2GiB", String::new()),
        };
        let key = std::fs::read_to_string(self.node.identity.with_extension("pub")).unwrap();
        format!(
            "app: shop\ncompose: compose.yaml\ntargets:\n  production:\n    proxmox: {{url: \"https://{url}\", node: \
             pve1}}\n    guest:\n      kind: {kind}\n      memory: {memory}\n      disk: 8GiB\n      storage: local-lvm\n{image}\
             \x20     network: {{address: {address}/24, gateway: {gateway}}}\n      ssh_keys: [\"{}\"]\n    \
             build: guest\n    watch: 1s\n    checks: [{{http: \"http://{{guest}}:8080/version.txt\"}}]\n",
            key.trim()
        )
    }

    /// A client with its own home.
    fn command(&self, person: &Person, args: &[&str]) -> Command {
        let home = self.node.own.path().join(&person.home);
        std::fs::create_dir_all(&home).unwrap();
        let fingerprint = self.node.server.as_ref().unwrap().certificate.fingerprint.to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.env_clear().current_dir(&person.folder).args(args).envs(BTreeMap::from([
            ("HOME", home.display().to_string()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("PLIMSOLL_PVE_TOKEN", person.token.clone()),
            ("PLIMSOLL_PVE_FINGERPRINT", fingerprint),
            ("PLIMSOLL_IDENTITY", person.identity.display().to_string()),
        ]));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.run_of(&self.first, args)
    }

    pub(crate) fn run_of(&self, person: &Person, args: &[&str]) -> Output {
        self.command(person, args).stdin(Stdio::null()).output().unwrap()
    }

    pub(crate) fn ok(&self, args: &[&str]) -> String {
        self.ok_of(&self.first, args)
    }

    pub(crate) fn ok_of(&self, person: &Person, args: &[&str]) -> String {
        let output = self.run_of(person, args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?}: {out}{err}");
        out.into_owned()
    }

    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        self.command(&self.first, args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    pub(crate) fn served(&self) -> Option<String> {
        self.served_at(&self.address())
    }

    pub(crate) fn served_at(&self, address: &str) -> Option<String> {
        let mut stream = TcpStream::connect((address, 8080)).ok()?;
        stream.write_all(b"GET /version.txt HTTP/1.0\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        Some(text.split_once("\r\n\r\n")?.1.trim().to_owned())
    }

    /// Guests of the node with whether they run.
    pub(crate) fn guests(&self) -> Vec<(u32, Power)> {
        let request = GetGuests { node: "pve1".into(), kind: self.kind };
        let guests = self.runtime.block_on(self.client.call(&request)).unwrap();
        guests.iter().map(|guest| (guest.vmid.0, guest.status)).collect()
    }

    pub(crate) fn config(&self, vmid: u32) -> plimsoll_pve::GuestConfig {
        let kind = self.kind;
        let request =
            GetConfig { node: "pve1".into(), kind, vmid: Vmid(vmid), current: None, snapshot: None };
        self.runtime.block_on(self.client.call(&request)).unwrap()
    }

    /// The fingerprint that everybody believes.
    pub(crate) fn pinned(&self) -> String {
        self.pinned_of(100)
    }

    pub(crate) fn pinned_of(&self, vmid: u32) -> String {
        let description = self.config(vmid).text("description").unwrap();
        let (_, rest) = description.split_once("\"host_key\":\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Stops a guest as if its power was cut.
    pub(crate) fn power_off(&self, vmid: u32) {
        let off = PowerOff { node: "pve1".into(), kind: self.kind, vmid: Vmid(vmid) };
        let upid = self.runtime.block_on(self.client.call(&off)).unwrap();
        self.runtime.block_on(self.client.wait(&upid, WaitOptions::default(), |_| ())).unwrap();
    }

    /// Runs a script on the guest, as root.
    pub(crate) fn guest(&self, key: &str, script: &str) -> String {
        let destination = Destination {
            host: self.address(),
            port: None,
            user: Some("plimsoll".to_owned()),
            identity: Some(self.node.identity.clone()),
            pin: Pin::parse(key).unwrap(),
        };
        let run = async {
            let ssh = OpenSsh::connect(destination, &self.node.own.path().join("ssh")).await.unwrap();
            let output = ssh.run(Job::new("the test", script).as_root()).await.unwrap().success().unwrap();
            ssh.close().await;
            output.text()
        };
        self.runtime.block_on(run)
    }

    fn describe(&self, vmid: u32, text: String) {
        let request = LxcUpdate {
            node: "pve1".into(),
            vmid: Vmid(vmid),
            description: Some(text),
            ..LxcUpdate::default()
        };
        self.runtime.block_on(self.client.call(&request)).unwrap();
    }

    pub(crate) fn close(mut self) {
        self.runtime.block_on(self.node.close());
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn one_command_takes_an_empty_node_to_an_app_that_serves() {
    let Some(site) = Site::new() else { return };
    let plan = site.ok(&["plan"]);
    assert!(plan.contains("create container 100 `shop-production`") && plan.contains("start web"), "{plan}");
    assert!(site.guests().is_empty(), "a plan changes nothing");
    let asked = site.run(&["deploy"]);
    assert!(said(&asked).contains("deploy --yes"), "{}", said(&asked));
    assert!(site.guests().is_empty(), "nobody agreed");

    assert!(site.ok(&["deploy", "--yes"]).contains("release 1 of shop serves"));
    assert_eq!(site.served().as_deref(), Some("1"));
    let config = site.config(100);
    assert_eq!(
        (config.flag("unprivileged"), config.text("features").as_deref()),
        (Some(true), Some("nesting=1"))
    );

    // The second time nothing is made and nothing is changed.
    assert!(site.ok(&["deploy"]).contains("is as it should be"));
    assert_eq!(site.guests(), [(100, Power::Running)]);
    assert_eq!(site.config(100), config);

    // The doctor finds nothing to object to, inside the guest neither.
    let doctor = site.ok(&["doctor"]);
    println!("{doctor}");
    for check in ["guest", "ssh", "engine", "space"] {
        assert!(doctor.lines().any(|line| line.split_whitespace().take(2).eq(["ok", check])), "{doctor}");
    }

    // Somebody else, with nothing but the checkout and a token, sees the same and trusts the same key.
    let other = site.command(&site.at_home("other"), &["status"]).output().unwrap();
    assert!(String::from_utf8_lossy(&other.stdout).contains("shop: release 1"), "{}", said(&other));
    assert_eq!(site.ok(&["exec", "web", "--", "/bin/busybox", "cat", "/www/version.txt"]).trim(), "1");

    // A guest that shows another key than the node made for it is not talked to.
    let description = config.text("description").unwrap();
    let (head, rest) = description.split_once("SHA256:").unwrap();
    let wrong = format!("{head}SHA256:{}{}", "A".repeat(43), rest.get(43..).unwrap());
    site.describe(100, wrong);
    let refused = site.command(&site.at_home("third"), &["status"]).output().unwrap();
    assert!(said(&refused).contains("does not show the host key that is pinned"), "{}", said(&refused));
    site.describe(100, description);

    // A client that died between the guest's new host key and its use: both are believed until the new one is used.
    let next = site.guest(
        &site.pinned(),
        "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key.new
        ssh-keygen -l -E sha256 -f /etc/ssh/ssh_host_ed25519_key.new.pub | cut -d' ' -f2",
    );
    let marked = site.config(100).text("description").unwrap();
    let pinned = format!("\"host_key\":\"{}\"", site.pinned());
    site.describe(100, marked.replace(&pinned, &format!("{pinned},\"next_key\":\"{}\"", next.trim())));
    assert!(site.ok(&["plan"]).contains("give it a host key of its own"));
    assert!(site.ok(&["deploy"]).contains("is as it should be"));
    assert_eq!(site.pinned(), next.trim());
    let other = site.command(&site.at_home("fourth"), &["status"]).output().unwrap();
    assert!(other.status.success(), "{}", said(&other));

    // Who is taken out of the file is taken out of the guest, and nobody else.
    let logins = "wc -l </home/plimsoll/.ssh/authorized_keys";
    site.guest(
        &site.pinned(),
        "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHNvbWVib2R5IHdyb3RlIHRoaXMgYnkgaGFuZCBoZXJl hand' \
        >>/home/plimsoll/.ssh/authorized_keys",
    );
    let text = site.configuration();
    let second = "\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ada\"";
    site.write("plimsoll.yaml", &text.replace("ssh_keys: [", &format!("ssh_keys: [{second}, ")));
    site.ok(&["deploy"]);
    assert_eq!(site.guest(&site.pinned(), logins).trim(), "3");
    site.write("plimsoll.yaml", &text);
    site.ok(&["deploy"]);
    assert_eq!(site.guest(&site.pinned(), logins).trim(), "2");

    // A disk that would have to shrink is refused before anything happens.
    site.write("plimsoll.yaml", &text.replace("disk: 8GiB", "disk: 4GiB"));
    assert!(said(&site.run(&["deploy", "--yes"])).contains("would have to shrink to 4 GiB"));
    site.write("plimsoll.yaml", &text.replace("memory: 1GiB", "memory: 1536MiB"));
    assert!(site.ok(&["plan"]).contains("change the guest: 1536 MiB of memory"));
    assert!(site.ok(&["deploy"]).contains("is as it should be"));
    assert_eq!(site.config(100).number("memory"), Some(1536));

    // A guest that somebody stopped is started again, with its data.
    site.ok(&["exec", "web", "--", "/bin/busybox", "touch", "/data/kept"]);
    site.power_off(100);
    let stopped = said(&site.run(&["status"]));
    assert!(stopped.contains("guest 100 is stopped"), "{stopped}");
    site.ok(&["deploy"]);
    assert_eq!(site.ok(&["exec", "web", "--", "/bin/busybox", "ls", "/data"]).trim(), "kept");
    site.close();
}

#[test]
fn a_client_killed_while_it_makes_the_guest_leaves_what_the_next_one_finishes() {
    let Some(site) = Site::new() else { return };
    // One client after the other, each killed one event later than the one before.
    for events in 1..=10 {
        let mut child = site.spawn(&["deploy", "--yes", "--format", "json"]);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let borders =
            lines.filter(|line| line.contains("\"event\":\"begin\"") || line.contains("\"event\":\"end\""));
        let reached = borders.take(events).count();
        drop(child.kill());
        drop(child.wait());
        assert!(site.guests().len() <= 1, "after {events} events: {:?}", site.guests());
        if reached < events {
            break;
        }
    }
    let out = site.ok(&["deploy", "--yes"]);
    assert_eq!(site.served().as_deref(), Some("1"), "{out}");
    assert_eq!(site.guests(), [(100, Power::Running)]);
    site.close();
}
