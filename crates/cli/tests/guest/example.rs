//! `examples/papertrade` on a real engine: before the fixes it fails as `plimsoll evaluate` predicts, after them it
//! builds, becomes healthy, and starts a second time with the data of the first. And mended it lives where Plimsoll deploys it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use plimsoll_lab::host::STAND_INS;

use crate::lab::LabGuest;
use crate::life::{Workstation, live};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/papertrade");
/// The builder that an engine has without a plugin, so that what is built here is there for builds from elsewhere.
const COMPOSE: &str = "DOCKER_BUILDKIT=0 docker compose --progress plain --file docker-compose.prod.yml";
/// Where the example's own script puts it.
const TARGET: &str = "/srv/papertrade";
const USER: &str = r#"{"name":"anna","password":"long enough","client_id":"paper-web"}"#;

/// Rules whose findings the test sees come true, with the file that they are about.
const PREDICTED: [(&str, &str, &str); 4] = [
    ("BLD-002", "backend/Dockerfile", "README.md"),
    ("HLT-001", "docker-compose.prod.yml", "the health check of `web`"),
    ("HLT-003", "docker-compose.prod.yml", "REDIS_URL"),
    ("SEC-003", "scripts/proxmox/deploy.sh", ""),
];

/// The guest with a workstation's copies of the example.
struct Bench {
    guest: LabGuest,
    begun: Instant,
}

#[expect(clippy::disallowed_methods, reason = "prepares the guest of a test and starts programs")]
impl Bench {
    async fn new() -> Option<Self> {
        let begun = Instant::now();
        let guest = LabGuest::with_internet().await?;
        let known = format!("{} {}\n", guest.address, guest.key);
        std::fs::write(guest.node.own.path().join("known"), known).unwrap();
        let bench = Self { guest, begun };
        let cache =
            std::env::var_os("PLIMSOLL_LAB_CACHE").map_or("/var/cache/plimsoll-lab".into(), PathBuf::from);
        for image in STAND_INS {
            if !image.is_built(&cache) {
                image.build(&cache, |_| ()).unwrap();
            }
            let archive = std::fs::File::open(image.archive(&cache)).unwrap();
            bench.must("docker load --quiet", archive.into());
        }
        bench.prepare_bases();
        bench.say("the guest has its images");
        Some(bench)
    }

    /// Hands over how this machine reaches package registries.
    fn prepare_bases(&self) {
        let folder = self.path("bases");
        std::fs::create_dir(&folder).unwrap();
        let authorities = std::fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap();
        std::fs::write(folder.join("ca.crt"), authorities).unwrap();
        let mut pip = "[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n".to_owned();
        for name in ["index-url", "extra-index-url", "proxy"] {
            if let Some(value) = said(Command::new("pip").args(["config", "get", &format!("global.{name}")]))
            {
                pip.push_str(&format!("{name} = {value}\n"));
            }
        }
        std::fs::write(folder.join("pip.conf"), pip).unwrap();
        let apt = said(Command::new("apt-config").args(["dump", "Acquire::http::Proxy"])).unwrap_or_default();
        std::fs::write(folder.join("apt.conf"), apt).unwrap();
        self.send(&folder, include_str!("example/bases.sh"));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.guest.node.own.path().join(name)
    }

    fn say(&self, what: &str) {
        println!("{:>4} s: {what}", self.begun.elapsed().as_secs());
    }

    /// Runs a command in the guest.
    fn run(&self, command: &str, input: Stdio) -> Output {
        let known = format!("UserKnownHostsFile={}", self.path("known").display());
        Command::new("ssh")
            .args([
                "-F",
                "none",
                "-o",
                "BatchMode=yes",
                "-o",
                "StrictHostKeyChecking=yes",
                "-o",
                &known,
                "-i",
            ])
            .arg(&self.guest.identity)
            .args([&format!("root@{}", self.guest.address), command])
            .stdin(input)
            .output()
            .unwrap()
    }

    /// Runs one that has to succeed, and answers what it said.
    #[track_caller]
    fn must(&self, command: &str, input: Stdio) -> String {
        let output = self.run(command, input);
        assert!(output.status.success(), "{command}: {}", text(&output));
        text(&output)
    }

    /// Runs one in the example's place that may fail.
    fn tries(&self, command: &str) -> (bool, String) {
        let output = self.run(&format!("cd {TARGET} && {command}"), Stdio::null());
        (output.status.success(), text(&output))
    }

    #[track_caller]
    fn does(&self, command: &str) -> String {
        self.must(&format!("cd {TARGET} && {command}"), Stdio::null())
    }

    /// Runs a command with a folder's files as a tar on its standard input.
    fn send(&self, folder: &Path, command: &str) {
        let mut tar = Command::new("tar")
            .arg("-C")
            .arg(folder)
            .args(["-c", "."])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        self.must(command, tar.stdout.take().unwrap().into());
        assert!(tar.wait().unwrap().success());
    }

    /// A workstation's copy of the example, with some of the fixes.
    fn copy(&self, name: &str, fixes: Option<&[&str]>) -> PathBuf {
        let folder = self.path(name);
        let copied = Command::new("cp").arg("-r").args([Path::new(EXAMPLE), &folder]).status();
        assert!(copied.unwrap().success());
        if let Some(options) = fixes {
            let fixed =
                Command::new(env!("CARGO_BIN_EXE_plimsoll")).arg("fix").args(options).arg(&folder).output();
            let fixed = fixed.unwrap();
            assert!(fixed.status.success(), "{}", text(&fixed));
        }
        self.send(&folder, &format!("mkdir -p /srv/{name} && tar --no-same-owner -xf - -C /srv/{name}"));
        folder
    }

    /// The names that the fixes of a copy pin answer as the moving ones do.
    #[track_caller]
    fn name_what_is_pinned(&self, name: &str) {
        self.must(
            &format!(
                "cd /srv/{name} && cat docker-compose.prod.yml */Dockerfile | \
                 grep -oE '(postgres|redis|nginx|astral/uv):[0-9][^ ]*' | sort -u | while read -r name; do \
                 case $name in redis*|nginx*) from=${{name%%:*}}:alpine ;; *) from=${{name%%:*}}:latest ;; esac; \
                 docker tag \"$from\" \"$name\"; done"
            ),
            Stdio::null(),
        );
    }

    /// Deploys as the copy's own script does, up to where it would put another Dockerfile in the place of the
    /// repository's and start the stack.
    #[track_caller]
    fn ship(&self, name: &str) {
        let part = format!("/srv/{name}/scripts/proxmox/deploy.sh");
        self.must(
            &format!(
                "sed '/^replace_dockerfile$/,$d' {part} >{part}.part && PATH=/srv/bases/shims:$PATH bash {part}.part"
            ),
            Stdio::null(),
        );
    }

    /// Asks until the answer holds a text.
    #[track_caller]
    fn comes(&self, command: &str, sought: &str, patience: u64) -> String {
        let begun = Instant::now();
        loop {
            let (_, said) = self.tries(command);
            if said.contains(sought) {
                return said;
            }
            assert!(begun.elapsed() < Duration::from_secs(patience), "no `{sought}` in `{command}`: {said}");
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// The status that a request of the API answers.
    fn post(&self, port: u16, path: &str) -> String {
        let (_, status) = self.tries(&format!(
            "curl -sS -o /dev/null -w '%{{http_code}}' -H 'Content-Type: application/json' -d '{USER}' \
             http://127.0.0.1:{port}{path}"
        ));
        status.trim().to_owned()
    }

    /// Findings of a copy.
    fn findings(&self, folder: &Path) -> Vec<serde_json::Value> {
        let mut evaluate = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        let report = evaluate.args(["evaluate", "--format", "json"]).arg(folder).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
        report["findings"].as_array().unwrap().clone()
    }
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// What a program of this machine says, where it is there and succeeds.
fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    let said = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!said.is_empty()).then_some(said)
}

/// Whether the findings hold a prediction.
fn holds(findings: &[serde_json::Value], (code, path, words): (&str, &str, &str)) -> bool {
    findings.iter().any(|one| {
        one["code"] == code
            && one["location"]["path"] == path
            && one["message"].as_str().is_some_and(|message| message.contains(words))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_fails_as_predicted_and_its_fixed_copy_is_healthy_twice() {
    let Some(mut bench) = Bench::new().await else { return };
    let before = bench.copy("before", None);
    let buildable = bench.copy("buildable", Some(&["--rules", "BLD-002"]));
    let fixed = bench.copy("fixed", Some(&["--unsafe"]));
    let [predicted, left, after] = [&before, &buildable, &fixed].map(|folder| bench.findings(folder));
    for one in PREDICTED {
        assert!(holds(&predicted, one), "not predicted: {one:?}");
        assert_eq!(holds(&left, one), one.0 != "BLD-002", "{one:?}");
        assert!(!holds(&after, one), "not fixed: {one:?}");
    }

    // BLD-002: the image cannot be built.
    bench.ship("before");
    let (built, said) = bench.tries(&format!("{COMPOSE} build api 2>&1"));
    assert!(!built && said.contains("README.md"), "{said}");
    bench.say("BLD-002 seen: the image cannot be built");

    // With that one fix the rest shows.
    bench.ship("buildable");
    bench.does(&format!("{COMPOSE} up --detach --build 2>&1"));
    // HLT-003: the backend asks for Redis where none is.
    assert_eq!(bench.post(8000, "/api/users"), "201");
    assert_eq!(bench.post(8000, "/api/session"), "500");
    bench.comes(&format!("{COMPOSE} logs api 2>&1"), "connecting to localhost:6379", 10);
    bench.say("HLT-003 seen: nobody can log in");
    // SEC-003: the second deploy makes another password, and the volume keeps the first.
    let first = bench.does("cat .env");
    bench.ship("buildable");
    assert_ne!(bench.does("cat .env"), first);
    bench.does(&format!("{COMPOSE} up --detach db api 2>&1"));
    bench.comes(&format!("{COMPOSE} logs api 2>&1"), "password authentication failed", 60);
    bench.say("SEC-003 seen: the database refuses the second deploy's password");
    // HLT-001: the page is served, and its health check never passes.
    bench.does("curl -fsS http://127.0.0.1:8088/up");
    let web = "docker inspect --format '{{json .State.Health}}' papertrade-web";
    let health = bench.comes(web, r#""Status":"unhealthy""#, 120);
    assert!(health.contains("refused"), "{health}");
    bench.say("HLT-001 seen: a page that is served counts as unhealthy");
    bench.does(&format!("{COMPOSE} down --volumes --timeout 1 2>&1 && rm -rf {TARGET}"));

    // All fixes.
    bench.ship("fixed");
    bench.name_what_is_pinned("fixed");
    let up = format!("{COMPOSE} up --detach --build --wait --wait-timeout 180 2>&1");
    bench.does(&up);
    assert_eq!(bench.post(8088, "/api/users"), "201");
    assert_eq!(bench.post(8088, "/api/session"), "200", "the page's own address serves logins");
    bench.say("the fixed example is healthy");
    let first = bench.does("cat .env");
    bench.does(&format!("{COMPOSE} down --timeout 3 2>&1"));
    bench.ship("fixed");
    assert_eq!(bench.does("cat .env"), first);
    bench.does(&up);
    assert_eq!(bench.post(8088, "/api/session"), "200", "who registered before is known");
    bench.say("and healthy again, with the volume of the first start");
    bench.guest.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mended_example_lives_through_ten_deploys_while_people_use_it() {
    let Some(mut bench) = Bench::new().await else { return };
    let fixed = bench.copy("fixed", Some(&["--unsafe"]));
    bench.name_what_is_pinned("fixed");
    let site = Workstation::new(&bench.guest, &bench.path("known"), fixed.clone());
    tokio::task::block_in_place(|| live(&site, &|what| bench.say(what)));
    drop(site);
    bench.guest.close().await;
}
