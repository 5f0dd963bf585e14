//! A lab whose guests boot, a client for it, and a way into its guests.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_lab::host::{Image, VmImage, examine};
use plimsoll_lab::lxc::{Lxc, Place};
use plimsoll_lab::{Backend, Certificate, Lab, Network, Options, Server};
use plimsoll_pve::api::*;
use plimsoll_pve::property::{Features, LxcNet, Mount};
use plimsoll_pve::{Client, Config, Credentials, Exit, Request, Secret, Trust, Upid, Vmid, WaitOptions};

pub(crate) const NODE: &str = "pve1";

pub(crate) struct Rig {
    pub(crate) lab: Arc<Lab>,
    pub(crate) network: Network,
    pub(crate) client: Client,
    pub(crate) data: PathBuf,
    /// Where the SSH server of a guest is published, where that is not its own address.
    pub(crate) door: Option<String>,
    server: Option<Server>,
    own: Option<tempfile::TempDir>,
}

/// Why guests cannot boot here, with what would change it; `None` where they can.
fn lacking(what: &str) -> Option<String> {
    let found = examine(&cache()).into_iter().find(|one| one.backend == what).unwrap();
    let missing: Vec<&str> =
        found.checks.iter().filter(|check| !check.found).map(|check| check.what.as_str()).collect();
    (!found.is_ready())
        .then(|| format!("{} missing; to enable: {}", missing.join(", "), found.enable().join("; ")))
}

pub(crate) fn cache() -> PathBuf {
    let named = std::env::var_os("PLIMSOLL_LAB_CACHE");
    named.map_or_else(|| PathBuf::from("/var/cache/plimsoll-lab"), PathBuf::from)
}

/// Says why a test does not run. Where guests are known to boot, that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("PLIMSOLL_LAB_REQUIRED").is_none(), "guests must boot here: {why}");
    note(why);
}

/// Says why a test does not run.
pub(crate) fn note(why: &str) {
    eprintln!("skipped: {why}");
    // For the list at the end of `cargo xtask test`.
    if let Some(notes) = std::env::var_os("PLIMSOLL_SKIPPED") {
        let mut notes = std::fs::OpenOptions::new().append(true).create(true).open(notes).unwrap();
        writeln!(notes, "guests that really boot: {why}").unwrap();
    }
}

impl Rig {
    /// A lab; `None`, said in words, where guests cannot boot.
    pub(crate) async fn new() -> Option<Self> {
        let own = folder();
        let data = own.path().join("data");
        Self::at(own, data, false).await
    }

    /// A lab with its disks in a folder that others may share.
    pub(crate) async fn at(own: tempfile::TempDir, data: PathBuf, internet: bool) -> Option<Self> {
        if let Some(why) = lacking("lxc") {
            skip(&why);
            return None;
        }
        Self::open(own, data, None, internet).await
    }

    /// A lab whose virtual machines boot, too.
    pub(crate) async fn with_vms(own: tempfile::TempDir, data: PathBuf) -> Option<Self> {
        if let Some(why) = lacking("lxc").or_else(|| lacking("qemu")) {
            skip(&why);
            return None;
        }
        Self::open(own, data, Some(VmImage::in_cache(&cache()).path), false).await
    }

    async fn open(
        own: tempfile::TempDir,
        data: PathBuf,
        vms: Option<PathBuf>,
        internet: bool,
    ) -> Option<Self> {
        let image = Image::in_cache(&cache()).path;
        let place = Place { data: data.clone(), image, vms, subnet: None, internet };
        let backend = match Lxc::open(&place) {
            Ok(backend) => backend,
            Err(error) => {
                skip(&error.to_string());
                return None;
            }
        };
        Some(Self::of(own, data, Box::new(backend)).await)
    }

    /// A lab with guests of a backend, and a client for it.
    pub(crate) async fn of(own: tempfile::TempDir, data: PathBuf, backend: Box<dyn Backend>) -> Self {
        let options = Options { password: "for one test".into(), ..Options::default() };
        let lab = Arc::new(Lab::with_backend(options, backend));
        let network = lab.network().unwrap();
        let server = Server::start(lab.clone(), "127.0.0.1:0".parse().unwrap(), Certificate::make().unwrap())
            .await
            .unwrap();
        let credentials =
            Credentials::Password { user: "root@pam".into(), password: Secret::new("for one test") };
        let trust = Trust::Pinned(server.certificate.fingerprint);
        let client = Client::new(Config::new(server.address.to_string(), credentials, trust)).unwrap();
        program(
            "ssh-keygen",
            &["-q", "-t", "ed25519", "-N", "", "-f", own.path().join("id").to_str().unwrap()],
        );
        Self { lab, network, client, data, door: None, server: Some(server), own: Some(own) }
    }

    pub(crate) fn own(&self, name: &str) -> PathBuf {
        self.own.as_ref().unwrap().path().join(name)
    }

    pub(crate) fn key(&self) -> String {
        std::fs::read_to_string(self.own("id.pub")).unwrap()
    }

    /// An address of the guests' network.
    pub(crate) fn address(&self, last: u8) -> String {
        format!("{}.{last}", self.network.gateway.rsplit_once('.').unwrap().0)
    }

    /// An unprivileged container with an address of its own.
    pub(crate) fn container(&self, vmid: u32, last: u8) -> LxcCreate {
        let net = format!("name=eth0,bridge=vmbr0,ip={}/24,gw={}", self.address(last), self.network.gateway);
        LxcCreate {
            node: NODE.into(),
            vmid: Vmid(vmid),
            ostemplate: self.lab.templates().remove(0),
            hostname: Some(format!("guest{vmid}")),
            unprivileged: Some(true),
            features: Some(Features::nesting()),
            memory: Some(2048),
            rootfs: Some(Mount::allocate("local-lvm", 8)),
            nets: [(0, net.parse::<LxcNet>().unwrap())].into(),
            ssh_public_keys: Some(self.key()),
            ..LxcCreate::default()
        }
    }

    pub(crate) async fn wait(&self, upid: &Upid) {
        let options = WaitOptions { shortest: Duration::from_millis(20), ..WaitOptions::default() };
        let result = self.client.wait(upid, options, |_| ()).await.unwrap();
        assert_eq!(result.exit, Exit::Ok, "{:?}", result.log);
    }

    /// Asks for something and waits for its task.
    pub(crate) async fn done<R: Request<Answer = Upid>>(&self, request: &R) {
        let upid = self.client.call(request).await.unwrap();
        self.wait(&upid).await;
    }

    /// Starts a new guest; `false`, said in words, where the machine cannot boot one.
    pub(crate) async fn boots(&self, vmid: u32) -> bool {
        let start = PowerOn { node: NODE.into(), kind: GuestKind::Lxc, vmid: Vmid(vmid) };
        let upid = self.client.call(&start).await.unwrap();
        match self.client.wait(&upid, WaitOptions::default(), |_| ()).await {
            Ok(_) => true,
            Err(error) => {
                skip(&format!("LXC starts no container here: {error}"));
                false
            }
        }
    }

    /// Runs a command in a guest, by SSH. It is tried until the guest answers.
    pub(crate) fn ssh(&self, last: u8, command: &str) -> String {
        let begin = Instant::now();
        loop {
            let output = self.ssh_command(last).arg(command).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap().trim_end().to_owned();
            }
            // 255 is the client's own: the guest is still booting.
            let waits = output.status.code() == Some(255) && begin.elapsed() < Duration::from_secs(120);
            assert!(waits, "`{command}` in {last}: {said}{}", String::from_utf8_lossy(&output.stdout));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn ssh_command(&self, last: u8) -> Command {
        let file = |name: &str| self.own(name).display().to_string();
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "LogLevel=ERROR",
        ])
        .args(["-o", "ConnectTimeout=3", "-i", &file("id")])
        .args(["-o", &format!("UserKnownHostsFile={}", file(&format!("known{last}")))]);
        match &self.door {
            Some(door) => {
                let (host, port) = door.rsplit_once(':').unwrap();
                ssh.args(["-p", port]).arg(format!("root@{host}"));
            }
            None => {
                ssh.arg(format!("root@{}", self.address(last)));
            }
        }
        ssh
    }

    /// Ends the lab, and answers where its traces would be.
    pub(crate) async fn close(mut self) -> tempfile::TempDir {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        self.lab.close();
        self.own.take().unwrap()
    }
}

impl Drop for Rig {
    /// A test that fails leaves nothing behind either.
    fn drop(&mut self) {
        self.lab.close();
    }
}

/// A folder of a test's own, which root of an unprivileged guest is able to pass through.
pub(crate) fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let own = tempfile::Builder::new().prefix("plimsoll-test-").tempdir_in("/var/tmp").unwrap();
    std::fs::set_permissions(own.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
    own
}

pub(crate) fn program(name: &str, args: &[&str]) -> String {
    let output = Command::new(name).args(args).output().unwrap();
    assert!(output.status.success(), "{name} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
