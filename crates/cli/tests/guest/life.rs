//! The mended example's whole life: from an empty node to an app that serves, and ten further deploys, with people
//! writing and asking all the time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use plimsoll_pve::Vmid;
use plimsoll_pve::api::{GetConfig, GuestKind};

use crate::lab::LabGuest;

const PASSWORD: &str = "long enough";
const COMPOSE: &str = "docker-compose.prod.yml";

/// A checkout on a workstation whose engine is that of a guest which builds.
pub(crate) struct Workstation<'a> {
    builder: &'a LabGuest,
    folder: PathBuf,
    forward: Child,
}

/// What somebody asked the app for, again and again.
#[derive(Debug, Default)]
struct Asked {
    answered: u32,
    /// When requests failed, and what came instead of an answer.
    failed: Vec<(Instant, String)>,
}

impl Asked {
    /// From the first failure to the last.
    fn pause(&self) -> Duration {
        match (self.failed.first(), self.failed.last()) {
            (Some((first, _)), Some((last, _))) => last.duration_since(*first),
            _ => Duration::ZERO,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "prepares the checkout of a test and starts programs")]
impl<'a> Workstation<'a> {
    pub(crate) fn new(builder: &'a LabGuest, known: &Path, folder: PathBuf) -> Self {
        let socket = builder.node.own.path().join("engine.sock");
        let forward = Command::new("ssh")
            .args(["-F", "none", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-N"])
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known.display()))
            .arg("-i")
            .arg(&builder.identity)
            .arg("-L")
            .arg(format!("{}:/run/docker.sock", socket.display()))
            .arg(format!("root@{}", builder.address))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !socket.exists() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the builder's engine is not reached");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { builder, folder, forward }
    }

    fn address(&self) -> String {
        format!("{}.9", self.gateway().rsplit_once('.').unwrap().0)
    }

    fn gateway(&self) -> &str {
        &self.builder.node.network.gateway
    }

    fn command(&self, args: &[&str]) -> Command {
        let own = self.builder.node.own.path();
        let [_, fingerprint, token] = self.builder.node.asked();
        let home = own.join("home");
        std::fs::create_dir_all(&home).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.env_clear().current_dir(&self.folder).args(args).envs(BTreeMap::from([
            ("HOME", home.display().to_string()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("PLIMSOLL_PVE_TOKEN", token),
            ("PLIMSOLL_PVE_FINGERPRINT", fingerprint),
            ("PLIMSOLL_IDENTITY", self.builder.identity.display().to_string()),
            ("DOCKER_HOST", format!("unix://{}", own.join("engine.sock").display())),
            ("MARKET_DATA_API_KEY", "put-your-key-here".to_owned()),
        ]));
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn edit(&self, path: &str, from: &str, to: &str) {
        let path = self.folder.join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.folder.join(path), text).unwrap();
    }

    /// What `fix` leaves to people: migrations of the database that is served, one key for all sessions, and nobody
    /// but the page asking the backend.
    fn mend_the_rest(&self) {
        self.edit(COMPOSE, "    ports:\n      - \"127.0.0.1:8000:8000\"\n", "");
        self.edit(
            COMPOSE,
            "      REDIS_URL:",
            "      AUTH_SIGNING_KEY: ${AUTH_SIGNING_KEY:?set AUTH_SIGNING_KEY}\n      REDIS_URL:",
        );
        self.edit(
            "backend/migrations/env.py",
            "settings = context.config\n",
            "settings = context.config\nsettings.set_main_option(\"sqlalchemy.url\", config.DATABASE_URL)\n",
        );
        self.edit(
            "backend/migrations/env.py",
            "from papertrade.database",
            "from papertrade import config\nfrom papertrade.database",
        );
    }

    fn configure(&self) {
        let node = &self.builder.node;
        let [url, ..] = node.asked();
        let address = format!("{}/24", self.address());
        self.ok(&[
            "init",
            "--yes",
            "--app",
            "papertrade",
            "--kind",
            "lxc",
            "--target",
            "lab",
            "--url",
            &url,
            "--node",
            "pve1",
            "--storage",
            "local-lvm",
            "--address",
            &address,
            "--gateway",
            self.gateway(),
        ]);
        let image = node.lab.templates().remove(0);
        let key = std::fs::read_to_string(node.identity.with_extension("pub")).unwrap();
        let kind = "      kind: lxc\n";
        let more = format!("      image: \"{image}\"\n      ssh_keys: [\"{}\"]\n", key.trim());
        self.edit("plimsoll.yaml", kind, &format!("{kind}{more}"));
        self.edit("plimsoll.yaml", "    checks:\n", "    watch: 2s\n    deadline: 25s\n    checks:\n");
    }

    /// Leaves a service a twentieth of a core, until it has new containers.
    fn slow_down(&self, service: &str) {
        let script = format!(
            "sudo -n docker update --cpus 0.05 \
             $(sudo -n docker ps -q --filter label=com.docker.compose.service={service})"
        );
        let status = Command::new("ssh")
            .args(["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no"])
            .args(["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i"])
            .arg(&self.builder.identity)
            .args([format!("plimsoll@{}", self.address()), script])
            .stdin(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "{service} is not slowed down");
    }

    /// Answers of the page's address.
    fn ask(&self, request: &str) -> Option<String> {
        ask(&self.address(), request).ok()
    }

    /// Asks until it is told to stop, fifty times a second.
    fn asking(&self, token: &str) -> (Arc<AtomicBool>, JoinHandle<Asked>) {
        let (stop, address) = (Arc::new(AtomicBool::new(false)), self.address());
        let told = Arc::clone(&stop);
        let request = format!("GET /api/portfolio HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n");
        let asking = std::thread::spawn(move || {
            let mut asked = Asked::default();
            let mut next = Instant::now();
            while !told.load(Ordering::Relaxed) {
                let at = Instant::now();
                match ask(&address, &request) {
                    Ok(answer) if answer.contains(" 200 ") => asked.answered += 1,
                    Ok(answer) => asked.failed.push((at, answer)),
                    Err(error) => asked.failed.push((at, error.to_string())),
                }
                next += Duration::from_millis(20);
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            asked
        });
        (stop, asking)
    }

    /// Deploys while somebody asks.
    #[track_caller]
    fn deploys(&self, token: &str, what: &str) -> Asked {
        let (stop, asking) = self.asking(token);
        let begun = Instant::now();
        let said = self.ok(&["deploy", "--target", "lab", "--yes"]);
        let took = begun.elapsed();
        stop.store(true, Ordering::Relaxed);
        let asked = asking.join().unwrap();
        assert!(said.contains("of papertrade serves"), "{said}");
        println!("     {what}: {took:.1?}, {} answers, {} failures", asked.answered, asked.failed.len());
        asked
    }

    /// Deploys, and whoever asks gets every answer.
    #[track_caller]
    fn unnoticed(&self, token: &str, what: &str) {
        let asked = self.deploys(token, what);
        assert!(asked.failed.is_empty() && asked.answered > 50, "{asked:?}");
    }

    /// A deploy that fails and leaves the release before it serving.
    #[track_caller]
    fn fails(&self, reason: &str) {
        let output = self.run(&["deploy", "--target", "lab", "--yes"]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(reason) && said.contains("serves"), "{said}");
    }

    fn migration(&self, number: u32, body: &str) {
        self.write(
            &format!("backend/migrations/versions/{number:04}_more.py"),
            &format!(
                "\"\"\"More.\"\"\"\n\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = \"{number:04}\"\ndown_revision \
                 = \"{:04}\"\n\n\ndef upgrade() -> None:\n    {body}\n\n\ndef downgrade() -> None:\n    pass\n",
                number - 1
            ),
        );
    }

    fn sql(&self, statement: &str) -> Vec<String> {
        let words = ["exec", "db", "--", "psql", "-U", "papertrade", "-At", "-c", statement];
        self.ok(&words).lines().map(ToOwned::to_owned).collect()
    }

    /// The pause that the plan expects of a service.
    fn expected_pause(&self, service: &str) -> Option<u64> {
        let plan = self.ok(&["plan", "--target", "lab", "--format", "json"]);
        let plan: serde_json::Value = plan.lines().find_map(|line| serde_json::from_str(line).ok())?;
        let mut steps = plan["steps"].as_array()?.iter();
        let switch = steps.find(|step| step["step"] == "switch" && step["service"] == service);
        switch?["expected_pause_ms"].as_u64()
    }
}

/// What `evaluate` finds above `low` in the guest as its node has it, and in what the guest runs.
#[expect(clippy::disallowed_methods, reason = "looks at the files of a guest")]
async fn heavy_findings(site: &Workstation<'_>) -> Vec<String> {
    let (node, kind) = (&site.builder.node, GuestKind::Lxc);
    let request = GetConfig { node: "pve1".into(), kind, vmid: Vmid(100), current: None, snapshot: None };
    let config = node.root().call(&request).await.unwrap();
    let lines = config.0.keys().filter(|key| !["digest", "description", "lxc"].contains(&key.as_str()));
    let lines: String = lines.filter_map(|key| Some(format!("{key}: {}\n", config.text(key)?))).collect();
    assert!(lines.contains("unprivileged: 1\n") && lines.contains("net0: "), "{lines}");
    let data = node.own.path().join("data");
    let found =
        Command::new("find").arg(data).args(["-path", "*/papertrade/releases/*/compose.json"]).output();
    let found = String::from_utf8(found.unwrap().stdout).unwrap();
    let compose = found.lines().max_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap());
    let folder = node.own.path().join("deployed");
    std::fs::create_dir_all(folder.join("lxc")).unwrap();
    std::fs::write(folder.join("lxc/100.conf"), lines).unwrap();
    std::fs::copy(compose.unwrap(), folder.join("compose.json")).unwrap();
    let mut evaluate = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let report = evaluate.args(["evaluate", "--format", "json"]).arg(&folder).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(report["summary"]["files"], 2, "{report}");
    let findings = report["findings"].as_array().unwrap().iter();
    // The lab has one bridge and no VLANs to put a guest into.
    let own = findings.filter(|one| one["code"] != "NET-006");
    own.filter(|one| one["severity"] != "low").map(ToString::to_string).collect()
}

impl Drop for Workstation<'_> {
    fn drop(&mut self) {
        drop(self.forward.kill());
        drop(self.forward.wait());
    }
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

fn ask(address: &str, request: &str) -> std::io::Result<String> {
    let address = format!("{address}:8088").parse().map_err(std::io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(request.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn post(path: &str, name: &str) -> String {
    let body = format!(r#"{{"name":"{name}","password":"{PASSWORD}","client_id":"paper-web"}}"#);
    format!(
        "POST {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Registers one person after the other; gives those whose registration was acknowledged.
fn registering(address: String, stop: Arc<AtomicBool>) -> JoinHandle<BTreeSet<String>> {
    std::thread::spawn(move || {
        let mut known = BTreeSet::new();
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let name = format!("person-{number}");
            if ask(&address, &post("/api/users", &name)).is_ok_and(|answer| answer.contains(" 201 ")) {
                known.insert(name);
            }
            std::thread::sleep(Duration::from_millis(150));
        }
        known
    })
}

/// From an empty node to serving, and through ten further deploys.
pub(crate) fn live(site: &Workstation<'_>, say: &dyn Fn(&str)) {
    site.mend_the_rest();
    site.configure();
    let said = site.ok(&["deploy", "--target", "lab", "--yes"]);
    assert!(said.contains("release 1 of papertrade serves"), "{said}");
    say("one command took the mended example to a guest of its own");

    assert!(site.ask(&post("/api/users", "first")).is_some_and(|answer| answer.contains(" 201 ")));
    let answer = site.ask(&post("/api/session", "first")).unwrap();
    let token =
        answer.split("\"token\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let writing = registering(site.address(), Arc::clone(&stop));

    // 1: a migration. The backend starts first behind the page, and nobody notices.
    site.migration(3, "op.add_column(\"users\", sa.Column(\"nickname\", sa.String(40)))");
    let plan = site.ok(&["plan", "--target", "lab"]);
    assert!(plan.contains("switch api: new containers are healthy before old ones stop"), "{plan}");
    site.unnoticed(&token, "a migration");
    // 2 and 3: the page. Only one container can have its port: there is a pause, and the second time it is foretold.
    site.write("frontend/src/two.txt", "2\n");
    site.deploys(&token, "the page");
    site.write("frontend/src/three.txt", "3\n");
    let expected = Duration::from_millis(site.expected_pause("web").unwrap());
    let pause = site.deploys(&token, "the page again").pause();
    println!("     a pause of {expected:.1?} was expected, {pause:.1?} were seen");
    // Requests are twenty milliseconds apart, and what is not healthy yet may answer already.
    let slack = Duration::from_millis(500);
    let is_foretold = pause < expected * 2 + slack && expected < pause * 2 + slack;
    assert!(is_foretold, "{expected:?} was expected, {pause:?} was seen");
    // 4: bad, its health check asks for what is not there.
    site.edit(COMPOSE, "localhost:8000/health", "localhost:8000/healthy");
    site.fails("switch api");
    site.edit(COMPOSE, "localhost:8000/healthy", "localhost:8000/health");
    // 5: a migration, behind a page that is slow to look names up again.
    site.slow_down("web");
    site.migration(4, "op.create_index(\"ix_users_nickname\", \"users\", [\"nickname\"])");
    site.unnoticed(&token, "another migration");
    // 6: bad, its migration fails half-way.
    site.migration(5, "op.drop_column(\"users\", \"nickname\"); op.drop_column(\"users\", \"no_such\")");
    site.fails("no_such");
    // 7: the migration is mended.
    site.migration(5, "op.add_column(\"users\", sa.Column(\"motto\", sa.String(80)))");
    site.unnoticed(&token, "the third migration");
    assert_eq!(site.sql("SELECT version_num FROM alembic_version"), ["0005"]);
    // 8 and 9: settings.
    site.edit(COMPOSE, "    mem_limit: 512m\n", "    mem_limit: 640m\n");
    site.deploys(&token, "the cache's memory");
    site.edit(COMPOSE, "      REDIS_URL:", "      WEB_CONCURRENCY: \"1\"\n      REDIS_URL:");
    site.unnoticed(&token, "a variable");
    // 10: the page's looks.
    site.write("frontend/src/ten.txt", "10\n");
    site.deploys(&token, "the page for the third time");

    stop.store(true, Ordering::Relaxed);
    let written = writing.join().unwrap();
    let kept: BTreeSet<String> = site.sql("SELECT name FROM users").into_iter().collect();
    let lost: Vec<&String> = written.difference(&kept).collect();
    println!("     {} writes were acknowledged during ten deploys, {} are lost", written.len(), lost.len());
    assert!(written.len() > 20 && lost.is_empty() && kept.contains("first"), "{lost:?}");
    assert!(site.ok(&["status", "--target", "lab"]).contains("papertrade: release"));
    say("its data lived through ten further deploys");
    let heavy = tokio::runtime::Handle::current().block_on(heavy_findings(site));
    assert_eq!(heavy, [""; 0]);
}
