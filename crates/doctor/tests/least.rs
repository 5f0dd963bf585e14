//! The role that is computed is enough for the whole life of a guest, and none of its privileges can be left out: without
//! any one of them the work is refused before anything was changed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plimsoll_backup::{
    BackupError, Drill, Label, Machine, Overwrite, SNAPSHOT, Schedule, Shelf, arrange, rehearse,
};
use plimsoll_config::{Address, Bytes, Keep, Network, NewGuest};
use plimsoll_doctor::{
    Card, Download, Kind, Names, Needs, Templates, VerifyError, Work, lines, verify, verify_schedule,
};
use plimsoll_lab::{Certificate, Lab, Options, Release, Server};
use plimsoll_provision::{Access, Opening, Runner, Step, Wanted, observe, plan};
use plimsoll_pve::api::{
    AgentInterfaces, DeleteVolume, GetConfig, GetContent, GetStorageStatus, GuestKind, LxcClone,
    MakeTemplate, QemuClone, QemuUpdate,
};
use plimsoll_pve::property::QemuNet;
use plimsoll_pve::{Client, Config, Credentials, Secret, Trust, Vmid, WaitOptions};

struct Rig {
    lab: Arc<Lab>,
    server: Server,
}

impl Rig {
    /// A node that has no template, or has one.
    async fn new(work: &Work) -> Self {
        let release = if work.major == 8 { Release::V8 } else { Release::V9 };
        let lab = Arc::new(Lab::new(Options { release, pace: 2, ..Options::default() }));
        let certificate = Certificate::make().unwrap();
        let server =
            Server::start(Arc::clone(&lab), "127.0.0.1:0".parse().unwrap(), certificate).await.unwrap();
        let rig = Self { lab, server };
        if work.templates.as_ref().is_some_and(|templates| templates.download == Download::Index) {
            let root = rig
                .client(Credentials::Password { user: "root@pam".into(), password: Secret::new("plimsoll") });
            for template in rig.lab.templates() {
                let delete = DeleteVolume {
                    node: "pve1".into(),
                    storage: "local".into(),
                    volume: template,
                    delay: None,
                };
                root.call(&delete).await.unwrap();
            }
        }
        rig
    }

    fn client(&self, credentials: Credentials) -> Client {
        let trust = Trust::Pinned(self.server.certificate.fingerprint);
        Client::new(Config::new(self.server.address.to_string(), credentials, trust)).unwrap()
    }

    /// Runs the doctor's lines on the node; a client with the token that they make.
    fn token(&self, needs: &Needs) -> Arc<Client> {
        let mut token = String::new();
        for line in lines(needs, &Names::new("shop", "production"), &BTreeMap::new()) {
            let words: Vec<String> = split(&line);
            let said = self.lab.pveum(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
            if let Some(secret) = said.split_whitespace().next_back() {
                token = format!("plimsoll@pve!shop-production={secret}");
            }
        }
        Arc::new(self.client(Credentials::Token(token.parse().unwrap())))
    }

    /// What there is on the node, for before and after.
    fn state(&self) -> (usize, usize) {
        let summary = self.lab.summary();
        (summary.guests.len(), summary.tasks)
    }
}

/// The words of a line for a shell.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

fn wanted(work: &Work) -> Wanted {
    let kind = if work.kind == Kind::Vm { GuestKind::Qemu } else { GuestKind::Lxc };
    let guest = NewGuest {
        id: work.vmid,
        name: None,
        cores: 2,
        memory: Bytes(1 << 30),
        disk: Bytes(8 << 30),
        storage: work.disk.clone().unwrap(),
        network: Network {
            bridge: "vmbr0".to_owned(),
            vlan: work.card.as_ref().and_then(|card| card.vlan),
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
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me";
    Wanted {
        app: "shop".to_owned(),
        target: "production".to_owned(),
        kind,
        guest,
        node: work.node.clone(),
        pool: work.pool.clone(),
        keys: vec![key.to_owned()],
        openings: vec![Opening::new("tcp", "8080")],
    }
}

/// Runs the steps on the node until somebody would log in.
async fn make(client: &Client, wanted: &Wanted) -> Result<Vmid, String> {
    let sockets = std::env::temp_dir().join(format!("plimsoll-least-{}", std::process::id()));
    for _ in 0..30 {
        let state = observe(client, wanted).await.map_err(|error| error.to_string())?;
        let todo = plan(wanted, &state).map_err(|error| error.to_string())?;
        // A machine's address is the agent's business, below.
        match todo.steps.first() {
            None | Some(Step::Prepare | Step::Address | Step::Unseed) => {
                return todo.vmid.ok_or_else(|| "there is no guest".to_owned());
            }
            Some(_) => {}
        }
        let access = Access { sockets: sockets.clone(), identity: None };
        let runner = Runner { client, wanted, access, listener: Arc::new(|_| ()) };
        runner.once(&state).await.map_err(|error| error.to_string())?;
    }
    Err("it does not come to an end".to_owned())
}

/// The whole life of a guest as far as it is the node's work: made, grown, its firewall changed, kept as a snapshot, rolled
/// back, backed up.
async fn life(client: &Arc<Client>, work: &Work) -> Result<(), String> {
    let mut wanted = wanted(work);
    let vmid = make(client, &wanted).await?;
    let (node, kind) = (work.node.clone(), wanted.kind);
    wanted.guest.cores = 4;
    wanted.guest.memory = Bytes(2 << 30);
    wanted.guest.disk = Bytes(12 << 30);
    wanted.openings = vec![Opening::new("tcp", "9090")];
    make(client, &wanted).await?;
    let storage = wanted.guest.storage.clone();
    let error = |error: plimsoll_pve::Error| error.to_string();
    client.call(&GetStorageStatus { node: node.clone(), storage }).await.map_err(error)?;
    if work.agent {
        client.call(&AgentInterfaces { node: node.clone(), vmid }).await.map_err(error)?;
    }
    if work.kind == Kind::Vm {
        let empty = "none,media=cdrom".parse().unwrap();
        let ide = BTreeMap::from([(2, empty)]);
        client
            .call(&QemuUpdate { node: node.clone(), vmid, ide, ..QemuUpdate::default() })
            .await
            .map_err(error)?;
    }
    let machine = Machine { client: Arc::clone(client), node, kind, vmid, line: Arc::new(|_| ()) };
    let error = |error: BackupError| error.to_string();
    if work.snapshots {
        let name = format!("{SNAPSHOT}1");
        machine.can_snapshot().await.map_err(error)?;
        machine.snapshot(&name, "").await.map_err(error)?;
        machine.roll_back(&name).await.map_err(error)?;
        machine.forget(&name).await.map_err(error)?;
    }
    if let Some(storage) = &work.backups {
        let shelf = Shelf { client: Arc::clone(client), node: work.node.clone(), storage: storage.clone() };
        backups(&shelf, &machine, work).await.map_err(error)?;
    }
    if work.clones {
        machine.shut_down().await.map_err(error)?;
        cloned(&machine, work).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The guest turned into a template, and a clone of it.
async fn cloned(machine: &Machine, work: &Work) -> Result<(), plimsoll_pve::Error> {
    let (client, node, kind, vmid) = (&machine.client, machine.node.clone(), machine.kind, machine.vmid);
    let task = client.call(&MakeTemplate { node: node.clone(), kind, vmid }).await?;
    assert_eq!(task.is_some(), kind == GuestKind::Qemu);
    let config = GetConfig { node: node.clone(), kind, vmid, current: None, snapshot: None };
    while client.call(&config).await?.flag("template") != Some(true) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let (newid, pool) = (Vmid(170), work.pool.clone());
    if kind == GuestKind::Lxc {
        let request = LxcClone { node, vmid, newid, pool, ..LxcClone::default() };
        return client.call(&request).await.map(drop);
    }
    let request = QemuClone { node: node.clone(), vmid, newid, pool, ..QemuClone::default() };
    let upid = client.call(&request).await?;
    client.wait(&upid, WaitOptions::default(), |_| {}).await.unwrap();
    let storage = work.seeds.clone().unwrap();
    let seeds = GetContent { node: node.clone(), storage, content: Some("iso".to_owned()), vmid: None };
    let seed = client.call(&seeds).await?.remove(0).volid;
    let card = work.card.as_ref().unwrap();
    let mut net = QemuNet::new("virtio", &card.bridge);
    if let Some(vlan) = card.vlan {
        net.list_mut().set("tag", vlan.to_string());
    }
    let fit = QemuUpdate {
        node,
        vmid: newid,
        nets: [(0, net)].into(),
        ide: [(2, format!("{seed},media=cdrom").parse().unwrap())].into(),
        ..QemuUpdate::default()
    };
    client.call(&fit).await
}

/// A guest backed up, brought back in its place, tried beside it where there is a pool, and the backup taken away.
async fn backups(shelf: &Shelf, machine: &Machine, work: &Work) -> Result<(), BackupError> {
    let label = Label { app: "shop".to_owned(), target: "production".to_owned(), why: "a test".to_owned() };
    let stored = shelf.take(machine, &label, false).await?;
    machine.shut_down().await?;
    let over = Overwrite { storage: None, pool: work.pool.clone() };
    shelf.restore(&stored, machine, &over).await?;
    machine.start().await?;
    if work.pool.is_some() {
        let (kind, who) = (machine.kind, "ada@desk".to_owned());
        let drill = Drill { stored: stored.clone(), kind, over, address: None, gateway: None, who };
        rehearse(shelf, &drill, &machine.line, |_| async { Ok(()) }).await?;
    }
    shelf.remove(&stored, machine).await
}

fn container() -> Work {
    Work {
        kind: Kind::Lxc,
        creates: true,
        node: "pve1".to_owned(),
        vmid: None,
        pool: Some("apps".to_owned()),
        disk: Some("local-lvm".to_owned()),
        templates: Some(Templates { storage: "local".to_owned(), download: Download::Nothing }),
        seeds: None,
        agent: false,
        card: Some(Card { bridge: "vmbr0".to_owned(), vlan: None }),
        clones: false,
        firewall: true,
        snapshots: true,
        backups: None,
        schedule: false,
        major: 9,
    }
}

/// Kinds of guests, with and without a pool, a number, a VLAN, a download, backups; both releases.
fn works() -> Vec<(&'static str, Work)> {
    let index = Some(Templates { storage: "local".to_owned(), download: Download::Index });
    let machine = Work {
        kind: Kind::Vm,
        vmid: Some(105),
        pool: None,
        seeds: Some("local".to_owned()),
        agent: true,
        card: Some(Card { bridge: "vmbr0".to_owned(), vlan: Some(30) }),
        ..container()
    };
    vec![
        ("a container in a pool", container()),
        ("a container whose template is downloaded", Work { templates: index, ..container() }),
        (
            "a container with a number and backups",
            Work { vmid: Some(150), pool: None, backups: Some("local".to_owned()), ..container() },
        ),
        ("a container in a pool with backups", Work { backups: Some("local".to_owned()), ..container() }),
        ("a container that is cloned", Work { clones: true, ..container() }),
        ("a container in release 8", Work { major: 8, snapshots: false, ..container() }),
        ("a machine", machine.clone()),
        ("a machine in a pool", Work { vmid: None, pool: Some("apps".to_owned()), ..machine.clone() }),
        (
            "a machine that is cloned",
            Work { vmid: None, pool: Some("apps".to_owned()), clones: true, ..machine.clone() },
        ),
        ("a machine in release 8", Work { major: 8, backups: Some("local".to_owned()), ..machine }),
    ]
}

#[tokio::test]
async fn the_computed_role_is_enough_for_the_whole_life_of_a_guest() {
    for (name, work) in works() {
        let rig = Rig::new(&work).await;
        let client = rig.token(&Needs::of(&work));
        verify(&client, &work).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        life(&client, &work).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[tokio::test]
async fn without_any_one_privilege_nothing_is_changed() {
    for (name, work) in works() {
        let needs = Needs::of(&work);
        for left_out in &needs.privileges {
            let rig = Rig::new(&work).await;
            let mut rest = needs.clone();
            rest.privileges.remove(left_out);
            let client = rig.token(&rest);
            let before = rig.state();
            let Err(VerifyError::Missing(missing)) = verify(&client, &work).await else {
                panic!("{name} without {left_out:?} is not refused");
            };
            let missing: Vec<(String, &str)> =
                missing.into_iter().map(|one| (one.path, one.privilege)).collect();
            assert_eq!(missing, std::slice::from_ref(left_out), "{name}");
            assert_eq!(rig.state(), before, "{name} without {left_out:?}");
        }
    }
}

#[tokio::test]
async fn no_privilege_is_asked_for_that_nothing_needs() {
    let mut idle = BTreeSet::new();
    for (name, work) in works() {
        let needs = Needs::of(&work);
        for left_out in &needs.privileges {
            let rig = Rig::new(&work).await;
            let mut rest = needs.clone();
            rest.privileges.remove(left_out);
            if life(&rig.token(&rest), &work).await.is_ok() {
                idle.insert(format!("{name}: {} on {}", left_out.1, left_out.0));
            }
        }
    }
    assert!(idle.is_empty(), "{idle:#?}");
}

/// A job added, changed and taken away.
async fn jobs(client: &Client) -> Result<(), BackupError> {
    let keep = Keep { daily: 7, ..Keep::default() };
    let when =
        |when: &str| Schedule { vmid: Vmid(107), when: when.to_owned(), storage: "local".to_owned(), keep };
    for wanted in [Some(when("daily")), Some(when("02:30")), None] {
        arrange(client, "shop", "production", wanted.as_ref()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_backup_job_takes_what_is_computed_apart_and_a_deploy_goes_on_without_it() {
    for major in [8, 9] {
        let work = Work { backups: Some("local".to_owned()), schedule: true, major, ..container() };
        let own = Needs::of(&work);
        assert!(own.privileges.iter().all(|(path, _)| path != "/"), "the least role stays what it is");
        let needs = Needs::of_schedule(&work);
        for left_out in [None].into_iter().chain(needs.privileges.iter().map(Some)) {
            let rig = Rig::new(&work).await;
            let client = rig.token(&own);
            let mut rest = needs.clone();
            left_out.iter().for_each(|one| assert!(rest.privileges.remove(*one)));
            let names = Names::new("shop", "production").with_token("plimsoll@pve!shop-production");
            for line in lines(&rest, &names.apart("schedule"), &BTreeMap::new()) {
                rig.lab.pveum(&split(&line)).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
            verify(&client, &work).await.unwrap();
            let may = verify_schedule(&client, &work).await;
            let done = jobs(&client).await;
            match left_out {
                None => {
                    may.unwrap();
                    done.unwrap();
                }
                Some(left_out) => {
                    let Err(VerifyError::Missing(missing)) = may else {
                        panic!("{left_out:?} is not missed")
                    };
                    assert_eq!(
                        (missing[0].path.as_str(), missing[0].privilege),
                        (left_out.0.as_str(), left_out.1)
                    );
                    done.expect_err("it takes all of them");
                }
            }
        }
    }
}
