//! An app of two services on the tester's guest.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use plimsoll_lab::host::STAND_INS;
use plimsoll_remote::{Destination, Input, Job, OpenSsh, Pin};
use tempfile::TempDir;

use crate::lab::LabGuest;
use crate::terminal::{Seen, at_terminal};

/// One app at a time: the guest is small.
static TURN: Mutex<()> = Mutex::new(());

pub(crate) struct App {
    pub(crate) folder: TempDir,
    pub(crate) name: String,
    pub(crate) port: u16,
    environment: Vec<(String, String)>,
    ssh: OpenSsh,
    runtime: tokio::runtime::Runtime,
    lab: Option<LabGuest>,
    _turn: MutexGuard<'static, ()>,
}

#[expect(clippy::disallowed_methods, reason = "the tester names a guest")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

const DOCKERFILE: &str = r#"FROM plimsoll-test/base:1
COPY . /app
HEALTHCHECK --interval=1s --timeout=2s --retries=3 CMD sh /app/health.sh
CMD ["sh", "/app/start.sh"]
"#;
const START: &str = "trap 'exit 0' TERM\nhttpd -f -p 8080 -h /app &\nwait\n";
const HEALTH: &str = "wget -q -O- http://127.0.0.1:8080/version.txt\n";

/// Sockets of shared connections.
fn sockets(folder: &std::path::Path) -> Vec<String> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|extension| extension == "sock"));
    paths.map(|path| path.display().to_string()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test talks to what it started")]
fn works(program: &str, words: &[&str]) -> bool {
    Command::new(program)
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|it| it.success())
}

impl App {
    /// An app that is not deployed yet; or nothing, with the reason in words.
    pub(crate) fn new(name: &str, port: u16) -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let folder = TempDir::new().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (lab, guest, key, identity) = match variable("PLIMSOLL_TEST_GUEST") {
            Some(guest) => {
                let key =
                    variable("PLIMSOLL_TEST_HOST_KEY").expect("the guest's host key, PLIMSOLL_TEST_HOST_KEY");
                (None, guest, key, variable("PLIMSOLL_TEST_IDENTITY"))
            }
            // A guest for each of these tests takes minutes in all: the project's own checks take them.
            None if variable("PLIMSOLL_TEST_LAB").is_none() => {
                println!(
                    "skipped: neither PLIMSOLL_TEST_GUEST nor PLIMSOLL_TEST_LAB says where to deploy to"
                );
                return None;
            }
            None => {
                let lab = runtime.block_on(LabGuest::new())?;
                let identity = lab.identity.display().to_string();
                let (guest, key) = (format!("root@{}", lab.address), lab.key.to_string());
                (Some(lab), guest, key, Some(identity))
            }
        };
        let (user, rest) = guest.split_once('@').unwrap_or(("root", &guest));
        let (host, at) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, port.parse().ok()));
        let destination = Destination {
            host: host.to_owned(),
            port: at,
            user: Some(user.to_owned()),
            identity: identity.clone().map(PathBuf::from),
            pin: Pin::parse(&key).unwrap(),
        };
        let ssh = runtime.block_on(OpenSsh::connect(destination, &folder.path().join("test-ssh"))).unwrap();
        let mut environment = vec![
            ("PLIMSOLL_GUEST".to_owned(), guest.clone()),
            ("PLIMSOLL_HOST_KEY".to_owned(), key),
            ("PLIMSOLL_BUILD".to_owned(), "guest".to_owned()),
            ("PLIMSOLL_APP".to_owned(), name.to_owned()),
            ("HOME".to_owned(), folder.path().display().to_string()),
            ("PATH".to_owned(), variable("PATH").unwrap_or_default()),
        ];
        environment.extend(identity.map(|identity| ("PLIMSOLL_IDENTITY".to_owned(), identity)));
        let app = Self { folder, name: name.to_owned(), port, environment, ssh, runtime, lab, _turn: turn };
        app.ready();
        app.clean();
        app.guest(include_str!("base.sh"));
        app.write("web/Dockerfile", DOCKERFILE);
        app.write("web/start.sh", START);
        app.write("web/health.sh", HEALTH);
        app.write(".env", "DB_PASSWORD=correct-horse\n");
        app.write(
            "compose.yaml",
            &format!(
                "services:\n  web:\n    build: web\n    ports: [\"{port}:8080\"]\n    stop_grace_period: 2s\n    \
                 environment:\n      DB_PASSWORD: ${{DB_PASSWORD}}\n    depends_on: [api]\n  api:\n    build: web\n    \
                 init: true\n    stop_grace_period: 2s\n  db:\n    image: plimsoll-test/base:1\n    init: true\n    \
                 stop_grace_period: 1s\n    command: [\"sh\", \"-c\", \"date >> /data/starts; exec sleep 100000\"]\n    \
                 volumes: [\"data:/data\"]\nvolumes:\n  data: {{}}\n"
            ),
        );
        app.version("1");
        Some(app)
    }

    #[expect(clippy::disallowed_methods, reason = "prepares files of a test")]
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join("checkout").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The text that a healthy app serves.
    pub(crate) fn version(&self, text: &str) {
        self.write("web/version.txt", text);
    }

    #[expect(clippy::disallowed_methods, reason = "starts the binary under test")]
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.env_clear().envs(self.environment.clone()).args(args);
        std::fs::create_dir_all(self.folder.path().join("checkout")).unwrap();
        command.current_dir(self.folder.path().join("checkout"));
        command
    }

    #[expect(clippy::disallowed_methods, reason = "prepares the repository of a test")]
    pub(crate) fn git(&self, words: &[&str]) -> String {
        let folder = self.folder.path().join("checkout");
        let output = Command::new("git").arg("-C").arg(folder).args(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs, expects success and gives what was printed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?}: {out}{err}");
        out.into_owned()
    }

    /// Runs it where somebody looks at a terminal.
    pub(crate) fn at_terminal(&self, args: &[&str]) -> Seen {
        let mut command = self.command(args);
        at_terminal(command.env("TERM", "xterm"), "", Duration::from_secs(120))
    }

    /// Deploys, with a check from outside.
    pub(crate) fn deploy(&self) -> Vec<String> {
        let check = format!("http://{{guest}}:{}/version.txt", self.port);
        ["deploy", "--watch", "1", "--check-http", &check].map(ToOwned::to_owned).to_vec()
    }

    /// Says by a file what variables said so far.
    pub(crate) fn configure(&mut self, rest: &str) {
        let of = |name: &str| self.environment.iter().find(|(key, _)| key == name).unwrap().1.clone();
        let key = of("PLIMSOLL_HOST_KEY");
        let destination = self.ssh.destination();
        let (user, host) = (destination.user.clone().unwrap(), destination.host.clone());
        let port = destination.port.unwrap_or(22);
        self.write(
            "plimsoll.yaml",
            &format!(
                "app: {}\ncompose: compose.yaml\ntargets:\n  test:\n    guest: {{kind: adopt, address: {host}, user: \
                 {user}, port: {port}, host_key: \"{key}\"}}\n{rest}",
                self.name
            ),
        );
        let said = ["PLIMSOLL_GUEST", "PLIMSOLL_HOST_KEY", "PLIMSOLL_APP", "PLIMSOLL_BUILD"];
        self.environment.retain(|(name, _)| !said.contains(&name.as_str()));
    }

    /// Says by a file what runs on which guest of which node; `false` where the guest is on no node.
    pub(crate) fn on_node(&mut self, kind: &str, rest: &str) -> bool {
        let Some(lab) = &self.lab else {
            println!("skipped: the tester's guest is on no node that could be asked");
            return false;
        };
        let ([url, fingerprint, token], key) = (lab.node.asked(), lab.key.to_string());
        let host = self.host();
        let guest = match kind {
            "adopt" => format!("{{kind: adopt, address: {host}, user: root, host_key: \"{key}\", id: 107}}"),
            kind => format!(
                "{{kind: {kind}, id: 107, cores: 1, memory: 2GiB, disk: 8GiB, storage: local-lvm, user: root, network: \
                 {{bridge: vmbr0, address: {host}/24, gateway: {}}}}}",
                self.beside(1)
            ),
        };
        self.write(
            "plimsoll.yaml",
            &format!(
                "app: {}\ncompose: compose.yaml\ntargets:\n  test:\n    proxmox: {{url: \"{}\", node: pve1, fingerprint: \
                 \"{}\"}}\n    guest: {guest}\n    build: guest\n    watch: 1s\n    checks: [{{http: \
                 \"http://{{guest}}:{}/version.txt\"}}]\n    backup: {{storage: local, keep: {{last: 2}}}}\n{rest}",
                self.name, url, fingerprint, self.port
            ),
        );
        self.environment.retain(|(name, _)| {
            !["PLIMSOLL_GUEST", "PLIMSOLL_APP", "PLIMSOLL_BUILD"].contains(&name.as_str())
        });
        self.environment.push(("PLIMSOLL_PVE_TOKEN".to_owned(), token));
        true
    }

    /// Names of the guest's snapshots.
    pub(crate) fn snapshots(&self) -> Vec<String> {
        let lab = self.lab.as_ref().unwrap();
        let all = self.runtime.block_on(lab.node.snapshots(107));
        all.into_iter().filter(|name| name != "current").collect()
    }

    /// Numbers of the node's guests.
    pub(crate) fn guests(&self) -> Vec<u32> {
        let lab = self.lab.as_ref().unwrap();
        self.runtime.block_on(lab.node.guests())
    }

    /// Waits until the node has so many guests.
    pub(crate) fn until_guests(&self, count: usize) {
        let begun = std::time::Instant::now();
        while self.guests().len() != count {
            assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", self.guests());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The guest's address.
    pub(crate) fn host(&self) -> String {
        self.ssh.destination().host.clone()
    }

    /// Another address of the guest's network.
    pub(crate) fn beside(&self, last: u8) -> String {
        let host = self.host();
        format!("{}.{last}", host.rsplit_once('.').unwrap().0)
    }

    /// Connects anew, after the guest was stopped and started.
    pub(crate) fn reconnect(&mut self) {
        let (destination, folder) = (self.ssh.destination().clone(), self.folder.path().join("test-ssh"));
        self.runtime.block_on(self.ssh.close());
        let begun = std::time::Instant::now();
        self.ssh = loop {
            match self.runtime.block_on(OpenSsh::connect(destination.clone(), &folder)) {
                Ok(ssh) => break ssh,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(300));
        };
    }

    /// Builds with another engine than the guest's: the one that the tester names, or a second one on a guest of the lab.
    pub(crate) fn build_elsewhere(&mut self) -> bool {
        let engine = match variable("PLIMSOLL_TEST_DOCKER_HOST") {
            Some(engine) => engine,
            None if self.lab.is_some() && works("docker", &["--version"]) => self.second_engine(),
            None => {
                println!("skipped: no PLIMSOLL_TEST_DOCKER_HOST, an engine besides the guest's that builds");
                return false;
            }
        };
        self.build_with(&engine);
        true
    }

    /// Builds with this engine.
    pub(crate) fn build_with(&mut self, engine: &str) {
        self.environment.retain(|(name, _)| name != "PLIMSOLL_BUILD");
        self.environment.push(("DOCKER_HOST".to_owned(), engine.to_owned()));
    }

    /// Deploys with this variable from now on.
    pub(crate) fn with(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Starts a program as whoever deploys, in the checkout.
    #[expect(clippy::disallowed_methods, reason = "starts what a deploy starts, too")]
    pub(crate) fn start(&self, program: &str, args: &[&str]) -> Option<Output> {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment.clone()).args(args);
        command.current_dir(self.folder.path().join("checkout")).output().ok()
    }

    /// An engine of its own store and network on the guest, reached through the connection of this test.
    fn second_engine(&self) -> String {
        self.guest(include_str!("engine.sh"));
        let here = self.folder.path().join("engine.sock");
        let forward = format!("{}:/run/plimsoll-builder.sock", here.display());
        for path in sockets(&self.folder.path().join("test-ssh")) {
            assert!(works("ssh", &["-S", &path, "-O", "forward", "-L", &forward, "x"]));
        }
        format!("unix://{}", here.display())
    }

    /// Lets the second engine reach ports of this machine's loopback interface on its own, as an engine of this machine does.
    pub(crate) fn share_loopback(&self, ports: std::ops::RangeInclusive<u16>) {
        self.guest("nsenter -t $(cat /run/plimsoll-builder.pid) -n ip link set lo up");
        for port in ports {
            self.guest(&format!(
                "systemd-run -q --unit plimsoll-loopback-{port} nsenter -t $(cat /run/plimsoll-builder.pid) -n \
                 systemd-socket-activate -l 127.0.0.1:{port} /usr/lib/systemd/systemd-socket-proxyd /run/client-{port}.sock"
            ));
            let forward = format!("/run/client-{port}.sock:127.0.0.1:{port}");
            for path in sockets(&self.folder.path().join("test-ssh")) {
                assert!(works("ssh", &["-S", &path, "-O", "forward", "-R", &forward, "x"]));
            }
        }
    }

    /// Starts a script on the guest that goes on by itself.
    pub(crate) fn guest_later(&self, script: &str) -> tokio::task::JoinHandle<String> {
        let destination = self.ssh.destination().clone();
        let job = Job::new("the test", script).arg(&self.name).as_root().limit(Duration::from_secs(120));
        let folder = self.folder.path().join("test-ssh");
        self.runtime.spawn(async move {
            let ssh = OpenSsh::connect(destination, &folder).await.unwrap();
            ssh.run(job).await.unwrap().text()
        })
    }

    /// What a script that was started gave.
    pub(crate) fn wait(&self, task: tokio::task::JoinHandle<String>) -> String {
        self.runtime.block_on(task).unwrap()
    }

    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Cuts the connection of whatever client runs.
    pub(crate) fn cut(&self) {
        for path in sockets(&self.folder.path().join(".cache/plimsoll/plimsoll-ssh")) {
            assert!(works("ssh", &["-S", &path, "-O", "exit", "x"]));
        }
    }

    /// What the app serves.
    pub(crate) fn served(&self) -> Option<String> {
        let host = self.ssh.destination().host.clone();
        let mut stream = TcpStream::connect((host.as_str(), self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(b"GET /version.txt HTTP/1.0\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        Some(text.split_once("\r\n\r\n")?.1.trim().to_owned())
    }

    /// Runs a script on the guest.
    pub(crate) fn guest(&self, script: &str) -> String {
        let job = Job::new("the test", script).arg(&self.name).as_root().limit(Duration::from_secs(120));
        let output = self.runtime.block_on(self.ssh.run(job)).unwrap();
        let text = output.text();
        assert_eq!(output.status, 0, "`{script}` said {text}{}", output.stderr);
        text
    }

    /// Runs a script on the guest that reads this.
    pub(crate) fn guest_with(&self, script: &str, input: &str) -> String {
        let input = Input::Bytes(input.as_bytes().to_vec());
        let job = Job::new("the test", script).arg(&self.name).as_root().limit(Duration::from_secs(120));
        self.runtime.block_on(self.ssh.run(job.input(input))).unwrap().success().unwrap().text()
    }

    /// Puts a program of this machine into the guest.
    #[expect(clippy::disallowed_methods, reason = "reads what the tester has installed")]
    pub(crate) fn install(&self, from: &str, to: &str) {
        let script = "cat >$2.new && chmod 755 $2.new && mv $2.new $2";
        let job = Job::new("the test", script).arg(&self.name).arg(to).as_root();
        let input = Input::Bytes(std::fs::read(from).unwrap());
        let job = job.input(input).limit(Duration::from_secs(120));
        self.runtime.block_on(self.ssh.run(job)).unwrap().success().unwrap();
    }

    /// A file below the home of whoever deploys; nothing takes it away.
    #[expect(clippy::disallowed_methods, reason = "prepares files of a test")]
    pub(crate) fn at_home(&self, path: &str, text: Option<&str>) -> PathBuf {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match text {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        path
    }

    /// A program that whoever deploys can start by its name.
    pub(crate) fn program(&mut self, name: &str, script: &str) {
        let path = self.at_home(&format!("bin/{name}"), Some(script));
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let folder = path.parent().unwrap().display().to_string();
        for (_, value) in self.environment.iter_mut().filter(|(name, _)| name == "PATH") {
            *value = format!("{folder}:{value}");
        }
    }

    /// Gives the guest images that stand in for official ones; `false`, said in words, where they are not built.
    #[expect(clippy::disallowed_methods, reason = "reads what the lab built")]
    pub(crate) fn load(&self, names: &[&str]) -> bool {
        for one in STAND_INS.iter().filter(|one| names.contains(&one.name)) {
            let archive = one.archive(&crate::lab::cache());
            let Ok(bytes) = std::fs::read(&archive) else {
                crate::lab::skip(&format!(
                    "{} is not built: plimsoll lab image build --stand-ins",
                    archive.display()
                ));
                return false;
            };
            let job =
                Job::new("docker load", "docker load --quiet").as_root().limit(Duration::from_secs(120));
            self.runtime.block_on(self.ssh.run(job.input(Input::Bytes(bytes)))).unwrap().success().unwrap();
        }
        true
    }

    /// Containers by service, running ones only.
    pub(crate) fn running(&self) -> Vec<String> {
        let script = "docker ps --filter label=com.docker.compose.project=$1 \
                      --format '{{.Label \"com.docker.compose.service\"}}'";
        let text = self.guest(script);
        let mut services: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        services.sort();
        services
    }

    /// Waits for the engine of a guest that has just booted.
    fn ready(&self) {
        self.guest(
            "for i in $(seq 100); do docker info >/dev/null 2>&1 && exit 0; sleep 0.3; done; docker info",
        );
    }

    fn clean(&self) {
        self.guest(
            "p=$(cat /var/lib/plimsoll/$1/lock/pid 2>/dev/null); [ -z \"$p\" ] || kill $p
             docker rm -f $(docker ps -aq --filter label=com.docker.compose.project=$1) >/dev/null 2>&1
             docker volume rm ${1}_data >/dev/null 2>&1; docker network rm ${1}_default >/dev/null 2>&1
             docker image rm $(docker image ls -q plimsoll/$1) >/dev/null 2>&1
             rm -rf /var/lib/plimsoll/$1; exit 0",
        );
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // A guest of the lab goes as a whole, and may be gone already.
        if !std::thread::panicking() && self.lab.is_none() {
            self.clean();
        }
        self.runtime.block_on(self.ssh.close());
        if let Some(lab) = &mut self.lab {
            self.runtime.block_on(lab.close());
        }
    }
}
