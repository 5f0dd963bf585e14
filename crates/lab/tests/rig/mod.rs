//! A node of the lab, clients of it, and what holds on it whatever they did.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![expect(clippy::unwrap_used, reason = "a test says why it stops")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_lab::{Certificate, Lab, Options, Server};
use plimsoll_pve::api::*;
use plimsoll_pve::property::{LxcNet, Mount};
use plimsoll_pve::{
    Client, Config, Credentials, Error, Request, Secret, TaskError, Trust, Upid, Vmid, WaitOptions,
};

const TEMPLATE: &str = "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst";
/// Longer than any answer of the lab takes, shorter than the latency that stands for a node that does not answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Rig {
    pub(crate) lab: Arc<Lab>,
    pub(crate) server: Server,
}

impl Rig {
    /// A node without guests.
    pub(crate) async fn new() -> Self {
        let lab = Arc::new(Lab::new(Options { pace: 5, ..Options::default() }));
        let address = "127.0.0.1:0".parse().unwrap();
        let server = Server::start(Arc::clone(&lab), address, Certificate::make().unwrap()).await.unwrap();
        Self { lab, server }
    }

    /// A client that has asked nothing yet.
    pub(crate) fn client(&self) -> Client {
        let credentials =
            Credentials::Password { user: "root@pam".into(), password: Secret::new("plimsoll") };
        let trust = Trust::Pinned(self.server.certificate.fingerprint);
        let config = Config::new(self.server.address.to_string(), credentials, trust);
        Client::new(Config { timeout: PATIENCE, ..config }).unwrap()
    }

    /// Until no task runs any more.
    pub(crate) async fn settled(&self) {
        while self.lab.logs().iter().any(|(_, exit, _)| exit.is_none()) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

pub(crate) fn container(vmid: u32) -> LxcCreate {
    LxcCreate {
        node: "pve1".into(),
        vmid: Vmid(vmid),
        ostemplate: TEMPLATE.into(),
        hostname: Some(format!("app{vmid}")),
        unprivileged: Some(true),
        memory: Some(1024),
        rootfs: Some(Mount::allocate("local-lvm", 2)),
        nets: [(0, "name=eth0,bridge=vmbr0,ip=dhcp".parse::<LxcNet>().unwrap())].into(),
        ..LxcCreate::default()
    }
}

pub(crate) fn config(vmid: u32) -> GetConfig {
    GetConfig { node: "pve1".into(), kind: GuestKind::Lxc, vmid: Vmid(vmid), current: None, snapshot: None }
}

/// Why something did not come to its end.
#[derive(Debug)]
pub(crate) enum Trouble {
    Call(Error),
    Task(Box<TaskError>),
    NoAddress,
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

pub(crate) async fn done<R: Request<Answer = Upid>>(client: &Client, request: &R) -> Result<(), Trouble> {
    let upid = client.call(request).await?;
    ended(client, &upid).await
}

pub(crate) async fn ended(client: &Client, upid: &Upid) -> Result<(), Trouble> {
    let options = WaitOptions { shortest: Duration::from_millis(5), errors: 3, ..WaitOptions::default() };
    client.wait(upid, options, |_| ()).await.map(|_| ()).map_err(Trouble::Task)
}

/// Guests by number; every volume belongs to one of them, and no guest is there twice.
pub(crate) async fn whole(client: &Client) -> Vec<u32> {
    let node = "pve1".to_owned();
    let (mut numbers, mut names, mut used) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for kind in [GuestKind::Lxc, GuestKind::Qemu] {
        for guest in client.call(&GetGuests { node: node.clone(), kind }).await.unwrap() {
            numbers.push(guest.vmid.0);
            assert!(names.insert(guest.name.clone()), "{:?} is there twice", guest.name);
            let read = GetConfig { kind, ..config(guest.vmid.0) };
            let read = client.call(&read).await.unwrap();
            assert_eq!(read.text("lock"), None, "a lock outlives its fault");
            let disk = read.text(if kind == GuestKind::Lxc { "rootfs" } else { "scsi0" }).unwrap();
            assert!(used.insert(disk.split(',').next().unwrap().to_owned()), "{disk} belongs to two guests");
        }
    }
    let held = GetContent { node, storage: "local-lvm".into(), content: None, vmid: None };
    let held: BTreeSet<String> =
        client.call(&held).await.unwrap().into_iter().map(|volume| volume.volid).collect();
    assert_eq!(held, used, "volumes that are there are those of guests");
    numbers
}
