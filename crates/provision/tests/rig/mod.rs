//! A node of the lab with a client, and a guest that is wanted.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::sync::Arc;

use plimsoll_config::{Address, Bytes, Network, NewGuest};
use plimsoll_lab::{Certificate, Lab, Options, Server};
use plimsoll_provision::{
    Access, Opening, ProvisionError, Runner, Step, Wanted, observe, plan, template_digest,
};
use plimsoll_pve::api::{GetGuests, GuestKind, MakeTemplate, QemuCreate};
use plimsoll_pve::{Client, Config, Credentials, Trust, Vmid, WaitOptions};

pub(crate) struct Rig {
    pub(crate) lab: Arc<Lab>,
    pub(crate) client: Client,
    pub(crate) sockets: tempfile::TempDir,
    _server: Server,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let lab = Arc::new(Lab::new(Options { pace: 5, ..Options::default() }));
        let certificate = Certificate::make().unwrap();
        let server =
            Server::start(Arc::clone(&lab), "127.0.0.1:0".parse().unwrap(), certificate).await.unwrap();
        let token = lab.issue_token("lab", "secret");
        let credentials = Credentials::Token(token.expose().parse().unwrap());
        let trust = Trust::Pinned(server.certificate.fingerprint);
        let client = Client::new(Config::new(server.address.to_string(), credentials, trust)).unwrap();
        Self { lab, client, sockets: tempfile::tempdir().unwrap(), _server: server }
    }

    /// A finished template for machines that are wanted so. Its inside is nothing that a simulated guest has.
    pub(crate) async fn template(&self, wanted: &Wanted) -> Vmid {
        let state = observe(&self.client, wanted).await.unwrap();
        let digest = template_digest(wanted, &state).unwrap();
        let mark =
            format!(r#"`plimsoll:{{"app":".template","target":"{digest}","disk":4,"is_sealed":true}}`"#);
        let (node, vmid, kind) = (wanted.node.clone(), state.next.unwrap(), GuestKind::Qemu);
        let request = QemuCreate {
            node: node.clone(),
            vmid,
            name: Some(format!("plimsoll-template-{digest}")),
            description: Some(mark),
            tags: Some("plimsoll".to_owned()),
            scsi: [(0, "local-lvm:4".parse().unwrap())].into(),
            nets: [(0, "virtio=BC:24:11:00:00:07,bridge=vmbr0".parse().unwrap())].into(),
            ipconfig: [(0, "ip=10.99.0.77/16,gw=10.99.0.1".parse().unwrap())].into(),
            ide: [(2, "none,media=cdrom".parse().unwrap())].into(),
            ..QemuCreate::default()
        };
        let made = self.client.call(&request).await.unwrap();
        self.client.wait(&made, WaitOptions::default(), |_| {}).await.unwrap();
        let made = self.client.call(&MakeTemplate { node, kind, vmid }).await.unwrap().unwrap();
        self.client.wait(&made, WaitOptions::default(), |_| {}).await.unwrap();
        vmid
    }

    /// Runs until somebody would log in; what was done.
    pub(crate) async fn run(&self, wanted: &Wanted) -> Result<Vec<&'static str>, ProvisionError> {
        let mut done = Vec::new();
        loop {
            let state = observe(&self.client, wanted).await?;
            let todo = plan(wanted, &state)?;
            match todo.steps.first() {
                None | Some(Step::Prepare) => return Ok(done),
                Some(step) => done.push(step.name()),
            }
            let sockets = self.sockets.path().join("own");
            self.runner(wanted, &sockets.display().to_string()).once(&state).await?;
        }
    }

    /// A client that keeps its sockets somewhere; where it cannot, its first login fails at once.
    pub(crate) fn runner<'a>(&'a self, wanted: &'a Wanted, sockets: &str) -> Runner<'a> {
        let access = Access { sockets: sockets.into(), identity: None };
        Runner { client: &self.client, wanted, access, listener: Arc::new(|_| ()) }
    }

    pub(crate) async fn numbers(&self) -> Vec<u32> {
        let guests =
            self.client.call(&GetGuests { node: "pve1".into(), kind: GuestKind::Lxc }).await.unwrap();
        guests.iter().map(|guest| guest.vmid.0).collect()
    }
}

pub(crate) fn wanted(app: &str) -> Wanted {
    let guest = NewGuest {
        id: None,
        name: None,
        cores: 2,
        memory: Bytes(1 << 30),
        disk: Bytes(8 << 30),
        storage: "local-lvm".to_owned(),
        network: Network {
            bridge: "vmbr0".to_owned(),
            vlan: None,
            address: Address::Dhcp,
            gateway: None,
            dns: Vec::new(),
        },
        image: None,
        checksum: None,
        clone: None,
        user: "root".to_owned(),
        ssh_keys: Vec::new(),
    };
    Wanted {
        app: app.to_owned(),
        target: "production".to_owned(),
        kind: GuestKind::Lxc,
        guest,
        node: "pve1".to_owned(),
        pool: None,
        keys: vec![
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me".to_owned(),
        ],
        openings: vec![Opening::new("tcp", "8080")],
    }
}
