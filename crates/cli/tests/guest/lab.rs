//! A guest of the lab, where the tester names none and the machine can boot one.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_lab::host::{Image, VmImage, examine};
use plimsoll_lab::lxc::{Lxc, Place};
use plimsoll_lab::{Certificate, Lab, Options, Server};
use plimsoll_pve::api::{GetGuests, GetSnapshots, GuestKind, LxcCreate, PowerOn};
use plimsoll_pve::property::{Features, LxcNet, Mount};
use plimsoll_pve::{Client, Config, Credentials, Request, Secret, Trust, Upid, Vmid, WaitOptions};
use plimsoll_remote::{HostKey, scan};

/// A lab that boots containers.
pub(crate) struct LabNode {
    pub(crate) network: plimsoll_lab::Network,
    pub(crate) identity: PathBuf,
    pub(crate) lab: Arc<Lab>,
    pub(crate) server: Option<Server>,
    pub(crate) own: tempfile::TempDir,
}

/// A lab with one unprivileged container.
pub(crate) struct LabGuest {
    pub(crate) address: String,
    pub(crate) key: HostKey,
    pub(crate) identity: PathBuf,
    pub(crate) node: LabNode,
}

/// Where images for guests stand.
pub(crate) fn cache() -> PathBuf {
    std::env::var_os("PLIMSOLL_LAB_CACHE").map_or("/var/cache/plimsoll-lab".into(), PathBuf::from)
}

/// Says why a test does not run. Where guests are known to boot, that is a failure.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("PLIMSOLL_LAB_REQUIRED").is_none(), "guests must boot here: {why}");
    println!("skipped: no PLIMSOLL_TEST_GUEST, and no guest boots here: {why}");
    if let Some(notes) = std::env::var_os("PLIMSOLL_SKIPPED") {
        let mut notes = std::fs::OpenOptions::new().append(true).create(true).open(notes).unwrap();
        std::io::Write::write_all(&mut notes, format!("deploys onto a real guest: {why}\n").as_bytes())
            .unwrap();
    }
}

impl LabNode {
    /// A node; `None`, said in words, where no guest boots.
    pub(crate) async fn new() -> Option<Self> {
        Self::with(false, None).await
    }

    /// A node whose virtual machines boot, too; `None`, said in words, where they do not.
    pub(crate) async fn with_vms() -> Option<Self> {
        let cache = cache();
        let missing: Vec<String> = examine(&cache)
            .into_iter()
            .filter(|one| one.backend == "qemu")
            .flat_map(|one| one.checks)
            .filter(|check| !check.found)
            .map(|check| check.what)
            .collect();
        if !missing.is_empty() {
            skip(&format!("{} missing", missing.join(", ")));
            return None;
        }
        Self::with(false, Some(VmImage::in_cache(&cache).path)).await
    }

    /// A node whose guests may reach what this machine reaches.
    #[expect(clippy::disallowed_methods, reason = "prepares the guest of a test")]
    async fn with(internet: bool, vms: Option<PathBuf>) -> Option<Self> {
        let cache = cache();
        let lxc = examine(&cache).into_iter().find(|one| one.backend == "lxc")?;
        if !lxc.is_ready() {
            let missing = lxc.checks.iter().filter(|check| !check.found).map(|check| check.what.as_str());
            skip(&format!("{} missing", missing.collect::<Vec<_>>().join(", ")));
            return None;
        }
        let own = tempfile::Builder::new().prefix("plimsoll-deploy-").tempdir_in("/var/tmp").unwrap();
        std::fs::set_permissions(own.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        let image = Image::in_cache(&cache).path;
        let place = Place { data: own.path().join("data"), image, vms, subnet: None, internet };
        let backend = match Lxc::open(&place) {
            Ok(backend) => backend,
            Err(error) => {
                skip(&error.to_string());
                return None;
            }
        };
        let options = Options { password: "for one test".into(), ..Options::default() };
        let lab = Arc::new(Lab::with_backend(options, Box::new(backend)));
        let network = lab.network()?;
        let certificate = Certificate::make().unwrap();
        let server =
            Server::start(Arc::clone(&lab), "127.0.0.1:0".parse().unwrap(), certificate).await.unwrap();
        let identity = own.path().join("id");
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&identity).status();
        assert!(made.unwrap().success());
        Some(Self { network, identity, lab, server: Some(server), own })
    }

    /// Boots a container with this number and this end of its address; gives the address and the host key that it shows.
    #[expect(clippy::disallowed_methods, reason = "prepares the guest of a test")]
    pub(crate) async fn boot(&self, vmid: u32, last: u8) -> Option<(String, HostKey)> {
        let (client, lab, network) = (self.root(), &self.lab, &self.network);
        let address = format!("{}.{last}", network.gateway.rsplit_once('.')?.0);
        let net = format!("name=eth0,bridge=vmbr0,ip={address}/24,gw={}", network.gateway);
        let create = LxcCreate {
            node: "pve1".into(),
            vmid: Vmid(vmid),
            ostemplate: lab.templates().remove(0),
            hostname: Some("deploy".into()),
            unprivileged: Some(true),
            features: Some(Features::nesting()),
            memory: Some(3072),
            rootfs: Some(Mount::allocate("local-lvm", 8)),
            nameserver: network.nameserver.clone(),
            nets: [(0, net.parse::<LxcNet>().unwrap())].into(),
            ssh_public_keys: Some(std::fs::read_to_string(self.identity.with_extension("pub")).unwrap()),
            ..LxcCreate::default()
        };
        done(&client, &create).await;
        done(&client, &PowerOn { node: "pve1".into(), kind: GuestKind::Lxc, vmid: Vmid(vmid) }).await;
        let begun = Instant::now();
        loop {
            let shown = scan(&address, None).await.unwrap_or_default();
            if let Some(key) = shown.into_iter().find(|key| key.to_string().starts_with("ssh-ed25519")) {
                return Some((address, key));
            }
            if begun.elapsed() > Duration::from_secs(60) {
                skip("the lab's guest does not answer");
                return None;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// What a client needs to ask the node: its address, its fingerprint, a token.
    pub(crate) fn asked(&self) -> [String; 3] {
        let server = self.server.as_ref().unwrap();
        let token = self.lab.issue_token("test", "00000000-0000-0000-0000-000000000001");
        let url = format!("https://{}", server.address);
        [url, server.certificate.fingerprint.to_string(), token.expose().to_owned()]
    }

    /// Numbers of its containers.
    pub(crate) async fn guests(&self) -> Vec<u32> {
        let request = GetGuests { node: "pve1".into(), kind: GuestKind::Lxc };
        let guests = self.root().call(&request).await.unwrap();
        let mut numbers: Vec<u32> = guests.iter().map(|guest| guest.vmid.0).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Names of a container's snapshots, the present among them.
    pub(crate) async fn snapshots(&self, vmid: u32) -> Vec<String> {
        let (node, kind) = ("pve1".into(), GuestKind::Lxc);
        let all = self.root().call(&GetSnapshots { node, kind, vmid: Vmid(vmid) }).await.unwrap();
        all.into_iter().map(|one| one.name).collect()
    }

    /// Who is root there.
    pub(crate) fn root(&self) -> Client {
        let server = self.server.as_ref().unwrap();
        let credentials =
            Credentials::Password { user: "root@pam".into(), password: Secret::new("for one test") };
        let trust = Trust::Pinned(server.certificate.fingerprint);
        Client::new(Config::new(server.address.to_string(), credentials, trust)).unwrap()
    }

    /// Takes the lab away with all that is in it.
    pub(crate) async fn close(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        self.lab.close();
    }
}

impl Drop for LabNode {
    /// A test that fails leaves nothing behind either.
    fn drop(&mut self) {
        self.lab.close();
    }
}

impl LabGuest {
    /// A guest that SSH reaches; `None`, said in words, where none boots.
    pub(crate) async fn new() -> Option<Self> {
        Self::on(LabNode::new().await?).await
    }

    /// A guest that reaches what this machine reaches, for builds that install packages.
    pub(crate) async fn with_internet() -> Option<Self> {
        Self::on(LabNode::with(true, None).await?).await
    }

    pub(crate) async fn on(node: LabNode) -> Option<Self> {
        let (address, key) = node.boot(107, 7).await?;
        let identity = node.identity.clone();
        Some(Self { address, key, identity, node })
    }

    /// Takes the lab away with all that is in it.
    pub(crate) async fn close(&mut self) {
        self.node.close().await;
    }
}

async fn done<R: Request<Answer = Upid>>(client: &Client, request: &R) {
    let upid = client.call(request).await.unwrap();
    let options = WaitOptions { shortest: Duration::from_millis(20), ..WaitOptions::default() };
    client.wait(&upid, options, |_| ()).await.unwrap();
}
