//! Backups, drills and snapshots on a node of the lab: with few privileges, and with a node that fails.

#![expect(clippy::unwrap_used, reason = "a test says why it stops")]

use std::sync::Arc;

use plimsoll_backup::{
    BackupError, Drill, Label, Line, Machine, Overwrite, SNAPSHOT, Shelf, Stored, leftovers, rehearse,
    superfluous,
};
use plimsoll_config::Keep;
use plimsoll_lab::{Certificate, Fault, Lab, Options, Rule, Server};
use plimsoll_pve::api::{
    CreatePool, CreateRole, CreateToken, CreateUser, GetGuests, GuestKind, LxcCreate, Power, PowerOn,
    QemuCreate, UpdateAcl,
};
use plimsoll_pve::property::{LxcNet, Mount};
use plimsoll_pve::{Client, Config, Credentials, Request, Secret, Token, Trust, Upid, Vmid, WaitOptions};

const TEMPLATE: &str = "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst";
/// What a pool's guests may be asked for.
const PRIVILEGES: [&str; 7] = [
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.PowerMgmt",
    "VM.Snapshot",
];

struct Rig {
    lab: Arc<Lab>,
    server: Server,
    root: Client,
}

impl Rig {
    /// A node with a container that runs, in the pool `apps`.
    async fn new() -> Self {
        let lab = Arc::new(Lab::new(Options { pace: 1, ..Options::default() }));
        let server = Server::start(lab.clone(), "127.0.0.1:0".parse().unwrap(), Certificate::make().unwrap());
        let server = server.await.unwrap();
        let credentials =
            Credentials::Password { user: "root@pam".into(), password: Secret::new("plimsoll") };
        let root = client(&server, credentials);
        root.call(&CreatePool { poolid: "apps".into(), comment: None }).await.unwrap();
        let create = LxcCreate {
            node: "pve1".into(),
            vmid: Vmid(107),
            ostemplate: TEMPLATE.into(),
            pool: Some("apps".into()),
            unprivileged: Some(true),
            rootfs: Some(Mount::allocate("local-lvm", 8)),
            nets: [(0, "name=eth0,bridge=vmbr0,ip=10.0.0.7/24,gw=10.0.0.1".parse::<LxcNet>().unwrap())]
                .into(),
            ..LxcCreate::default()
        };
        let rig = Self { lab, server, root };
        rig.done(&create).await;
        rig.done(&PowerOn { node: "pve1".into(), kind: GuestKind::Lxc, vmid: Vmid(107) }).await;
        rig
    }

    async fn done<R: Request<Answer = Upid>>(&self, request: &R) {
        let upid = self.root.call(request).await.unwrap();
        self.root.wait(&upid, WaitOptions::default(), |_| ()).await.unwrap();
    }

    /// A token that may do these things with guests of the pool and no more than it must elsewhere.
    async fn token(&self, privileges: &[&str]) -> Arc<Client> {
        let user = "deploy@pve";
        self.root.call(&CreateUser { userid: user.into(), ..CreateUser::default() }).await.unwrap();
        let made = CreateToken { userid: user.into(), tokenid: "ci".into(), ..CreateToken::default() };
        let made = self.root.call(&made).await.unwrap();
        let give = [
            ("Guests", privileges.join(","), "/pool/apps"),
            ("Space", "Datastore.AllocateSpace,Datastore.Audit".to_owned(), "/storage/local"),
            ("Space", String::new(), "/storage/local-lvm"),
            ("Card", "SDN.Use".to_owned(), "/sdn/zones/localnetwork/vmbr0"),
        ];
        for (role, privileges, path) in give {
            if !privileges.is_empty() {
                self.root.call(&CreateRole { roleid: role.into(), privs: Some(privileges) }).await.unwrap();
            }
            let acl = UpdateAcl { path: path.into(), roles: role.into(), ..UpdateAcl::default() };
            self.root.call(&UpdateAcl { users: Some(user.into()), ..acl.clone() }).await.unwrap();
            self.root.call(&UpdateAcl { tokens: Some(made.full.clone()), ..acl }).await.unwrap();
        }
        Arc::new(client(&self.server, Credentials::Token(Token { id: made.full, secret: made.value })))
    }

    async fn guests(&self) -> Vec<(u32, Power)> {
        let request = GetGuests { node: "pve1".into(), kind: GuestKind::Lxc };
        let guests = self.root.call(&request).await.unwrap();
        let mut found: Vec<_> = guests.into_iter().map(|guest| (guest.vmid.0, guest.status)).collect();
        found.sort_by_key(|(vmid, _)| *vmid);
        found
    }
}

fn client(server: &Server, credentials: Credentials) -> Client {
    let trust = Trust::Pinned(server.certificate.fingerprint);
    Client::new(Config::new(server.address.to_string(), credentials, trust)).unwrap()
}

fn silent() -> Line {
    Arc::new(|_| ())
}

fn label() -> Label {
    Label { app: "shop".into(), target: "lab".into(), why: "by hand".into() }
}

fn parts(client: &Arc<Client>) -> (Shelf, Machine) {
    let shelf = Shelf { client: client.clone(), node: "pve1".into(), storage: "local".into() };
    let machine = Machine {
        client: client.clone(),
        node: "pve1".into(),
        kind: GuestKind::Lxc,
        vmid: Vmid(107),
        line: silent(),
    };
    (shelf, machine)
}

fn over() -> Overwrite {
    Overwrite { storage: None, pool: Some("apps".into()) }
}

async fn drill(shelf: &Shelf, stored: &Stored) -> Result<GuestKind, BackupError> {
    let drill = Drill {
        stored: stored.clone(),
        kind: GuestKind::Lxc,
        over: over(),
        address: Some("10.0.0.9/24".into()),
        gateway: None,
        who: "ada@desk".into(),
    };
    rehearse(shelf, &drill, &silent(), |machine| async move {
        assert_eq!(machine.power().await?, Power::Running);
        let card = machine.config().await?.text("net0").unwrap_or_default();
        assert!(
            card.contains("10.0.0.9/24") && !card.contains("10.0.0.7") && !card.contains("gw="),
            "{card}"
        );
        Ok(machine.kind)
    })
    .await
    .map(|(_, kind)| kind)
}

/// Everything once.
async fn all(client: &Arc<Client>) -> Result<(), BackupError> {
    let (shelf, machine) = parts(client);
    let stored = shelf.take(&machine, &label(), false).await?;
    drill(&shelf, &stored).await?;
    machine.shut_down().await?;
    shelf.restore(&stored, &machine, &over()).await?;
    machine.start().await?;
    let name = format!("{SNAPSHOT}4");
    machine.snapshot(&name, "before release 4").await?;
    machine.roll_back(&name).await?;
    machine.forget(&name).await?;
    shelf.remove(&stored, &machine).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_it_takes_these_privileges_and_stops_clean_without_any_of_them() {
    let rig = Rig::new().await;
    all(&rig.token(&PRIVILEGES).await).await.unwrap();
    assert_eq!(rig.guests().await, [(107, Power::Running)]);
    for lacking in PRIVILEGES {
        let rig = Rig::new().await;
        let rest: Vec<&str> = PRIVILEGES.into_iter().filter(|one| *one != lacking).collect();
        assert!(all(&rig.token(&rest).await).await.is_err(), "{lacking} is not needed");
        let guests: Vec<u32> = rig.guests().await.into_iter().map(|(vmid, _)| vmid).collect();
        assert_eq!(guests, [107], "without {lacking}");
    }
}

/// Calls with what tells them apart.
const CALLS: [(&str, &str); 10] = [
    ("post", "/vzdump"),
    ("get", "/storage/local/content"),
    ("get", "/tasks"),
    ("get", "/vzdump/extractconfig"),
    ("post", "/nodes/pve1/lxc"),
    ("post", "/status/start"),
    ("post", "/status/shutdown"),
    ("post", "/snapshot"),
    ("post", "/rollback"),
    ("delete", "/nodes/pve1/lxc"),
];

fn once(fault: Fault, verb: &str, path: &str) -> Rule {
    Rule { fault, verb: Some(verb.into()), path: Some(path.into()), skip: 0, times: Some(1) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_once_at_any_call_costs_nothing() {
    for (verb, path) in CALLS {
        for fault in [Fault::LostAfter, Fault::Status { status: 596, message: "Connection timed out".into() }]
        {
            let rig = Rig::new().await;
            let client = rig.token(&PRIVILEGES).await;
            rig.lab.add_fault(once(fault.clone(), verb, path));
            let done = all(&client).await;
            let (shelf, machine) = parts(&client);
            // Whether a write happened that was answered by nothing is looked up; where it did not, the caller is told.
            if let Err(error) = &done {
                let unknown = matches!(error, BackupError::Api(error) if error.outcome_unknown());
                assert!(unknown && matches!(fault, Fault::Status { .. }), "{verb} {path} {fault:?}: {error}");
            }
            let left = leftovers(&client, "pve1", "ada@desk", &silent(), |_| false).await.unwrap();
            assert!(left.is_empty(), "{verb} {path} {fault:?}");
            assert_eq!(rig.guests().await.len(), 1, "{verb} {path} {fault:?}");
            assert!(shelf.list(Some(machine.vmid), "shop", "lab").await.unwrap().len() <= 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_fails_leaves_no_guest_of_a_drill() {
    for kind in ["vzdump", "vzrestore", "vzstart"] {
        let rig = Rig::new().await;
        let client = rig.token(&PRIVILEGES).await;
        let (shelf, machine) = parts(&client);
        let stored = shelf.take(&machine, &label(), false).await.unwrap();
        let fault = Fault::Task { kind: kind.into(), step: 0, message: "no space left on device".into() };
        rig.lab.add_fault(Rule { fault, verb: None, path: None, skip: 0, times: None });
        if kind == "vzdump" {
            assert!(shelf.take(&machine, &label(), false).await.is_err());
        } else {
            assert!(drill(&shelf, &stored).await.is_err(), "{kind}");
        }
        assert_eq!(rig.guests().await, [(107, Power::Running)], "{kind}");
        assert_eq!(shelf.list(Some(machine.vmid), "shop", "lab").await.unwrap(), [stored], "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_is_tried_without_cables_until_its_agent_answers() {
    let rig = Rig::new().await;
    let client = rig.token(&[&["VM.GuestAgent.Audit"], PRIVILEGES.as_slice()].concat()).await;
    let create = QemuCreate {
        node: "pve1".into(),
        vmid: Vmid(108),
        pool: Some("apps".into()),
        memory: Some("1024".into()),
        scsi: [(0, "local-lvm:4".parse().unwrap())].into(),
        nets: [(0, "virtio,bridge=vmbr0".parse().unwrap())].into(),
        agent: Some("enabled=1".into()),
        boot: Some("order=scsi0".into()),
        ..QemuCreate::default()
    };
    rig.done(&create).await;
    let (shelf, machine) = parts(&client);
    let machine = machine.other(GuestKind::Qemu, Vmid(108));
    let stored = shelf.take(&machine, &label(), false).await.unwrap();
    let drill = Drill {
        stored,
        kind: GuestKind::Qemu,
        over: over(),
        address: None,
        gateway: None,
        who: "ada@desk".into(),
    };
    let seen = rehearse(&shelf, &drill, &silent(), |machine| async move {
        Ok(machine.config().await?.text("net0").unwrap_or_default())
    })
    .await;
    let (_, card) = seen.unwrap();
    assert!(card.contains("link_down=1"), "{card}");
    let request = GetGuests { node: "pve1".into(), kind: GuestKind::Qemu };
    let left: Vec<u32> = rig.root.call(&request).await.unwrap().iter().map(|guest| guest.vmid.0).collect();
    assert_eq!(left, [108]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_our_own_backups_are_counted() {
    let rig = Rig::new().await;
    let client = rig.token(&PRIVILEGES).await;
    let (shelf, machine) = parts(&client);
    let mut made = Vec::new();
    for why in ["one", "two", "three"] {
        let label = Label { why: why.into(), ..label() };
        made.push(shelf.take(&machine, &label, why == "one").await.unwrap());
        rig.lab.advance(std::time::Duration::from_secs(86_400));
    }
    let other = Label { app: "other".into(), ..label() };
    shelf.take(&machine, &other, false).await.unwrap();
    let all = shelf.list(Some(machine.vmid), "shop", "lab").await.unwrap();
    made.reverse();
    assert_eq!(all, made, "the newest first, and none of the other app");
    let gone = superfluous(&all, &Keep { last: 1, ..Keep::default() });
    assert_eq!(gone, [&made[1]], "the oldest is protected");
}
