//! The backup job of a target on a node of the lab: added once, followed, taken away, also by a node that fails in between.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says why it stops")]

use std::sync::Arc;

use plimsoll_backup::{BackupError, JobChange, Schedule, arrange, backup_jobs, job_changes};
use plimsoll_config::Keep;
use plimsoll_lab::{Certificate, Fault, Lab, Options, Rule, Server};
use plimsoll_pve::api::{
    BackupJob, CreateBackupJob, CreateRole, CreateToken, CreateUser, DeleteGuest, GuestKind, LxcCreate,
    UpdateAcl,
};
use plimsoll_pve::property::Mount;
use plimsoll_pve::{Client, Config, Credentials, Secret, Token, Trust, Vmid, WaitOptions};

struct Rig {
    lab: Arc<Lab>,
    server: Server,
    root: Client,
}

impl Rig {
    async fn new() -> Self {
        let lab = Arc::new(Lab::new(Options { pace: 1, ..Options::default() }));
        let address = "127.0.0.1:0".parse().unwrap();
        let server = Server::start(lab.clone(), address, Certificate::make().unwrap()).await.unwrap();
        let credentials =
            Credentials::Password { user: "root@pam".into(), password: Secret::new("plimsoll") };
        let root = client(&server, credentials);
        Self { lab, server, root }
    }

    /// A token that has these privileges on `/` and, where it may fill it, on the storage.
    async fn token(&self, cluster: &str, storage: &str) -> Client {
        let user = "deploy@pve";
        self.root.call(&CreateUser { userid: user.into(), ..CreateUser::default() }).await.unwrap();
        let made = CreateToken { userid: user.into(), tokenid: "ci".into(), ..CreateToken::default() };
        let made = self.root.call(&made).await.unwrap();
        for (role, privileges, path) in [("Cluster", cluster, "/"), ("Fill", storage, "/storage/local")] {
            let role = CreateRole { roleid: role.into(), privs: Some(privileges.into()) };
            self.root.call(&role).await.unwrap();
            let acl = UpdateAcl {
                path: path.into(),
                roles: role.roleid,
                propagate: Some(false),
                ..UpdateAcl::default()
            };
            self.root.call(&UpdateAcl { users: Some(user.into()), ..acl.clone() }).await.unwrap();
            self.root.call(&UpdateAcl { tokens: Some(made.full.clone()), ..acl }).await.unwrap();
        }
        client(&self.server, Credentials::Token(Token { id: made.full, secret: made.value }))
    }

    async fn jobs(&self) -> Vec<BackupJob> {
        backup_jobs(&self.root).await.unwrap().unwrap()
    }
}

fn client(server: &Server, credentials: Credentials) -> Client {
    let trust = Trust::Pinned(server.certificate.fingerprint);
    Client::new(Config::new(server.address.to_string(), credentials, trust)).unwrap()
}

fn schedule() -> Schedule {
    Schedule {
        vmid: Vmid(107),
        when: "mon..fri 22:00".to_owned(),
        storage: "local".to_owned(),
        keep: Keep { daily: 7, weekly: 4, ..Keep::default() },
    }
}

async fn to(client: &Client, wanted: Option<&Schedule>) -> Result<Vec<JobChange>, BackupError> {
    arrange(client, "shop", "production", wanted).await
}

#[tokio::test]
async fn a_job_is_added_once_followed_and_taken_away() {
    let rig = Rig::new().await;
    let client = rig.token("Sys.Audit,Sys.Modify", "Datastore.Allocate").await;
    let people = CreateBackupJob {
        id: Some("nightly".into()),
        all: Some(true),
        schedule: Some("02:00".into()),
        storage: Some("local".into()),
        ..CreateBackupJob::default()
    };
    rig.root.call(&people).await.unwrap();
    let first = schedule();
    assert_eq!(to(&client, Some(&first)).await.unwrap(), [JobChange::Add(first.clone())]);
    assert_eq!(to(&client, Some(&first)).await.unwrap(), []);
    let jobs = rig.jobs().await;
    let own = jobs.iter().find(|job| job.id == "plimsoll-107").unwrap();
    assert_eq!((own.schedule.as_deref(), own.vmid.as_deref()), (Some("mon..fri 22:00"), Some("107")));
    assert_eq!(own.comment.as_deref(), Some("plimsoll shop/production: by schedule"));

    let other = Schedule { when: "daily".to_owned(), keep: Keep { last: 3, ..Keep::default() }, ..first };
    assert_eq!(to(&client, Some(&other)).await.unwrap(), [JobChange::Update(other.clone())]);
    assert_eq!(to(&client, Some(&other)).await.unwrap(), []);

    // The guest was made anew under another number.
    let moved = Schedule { vmid: Vmid(108), ..other };
    let done = to(&client, Some(&moved)).await.unwrap();
    assert_eq!(done, [JobChange::Add(moved), JobChange::Remove("plimsoll-107".to_owned())]);
    assert_eq!(to(&client, None).await.unwrap(), [JobChange::Remove("plimsoll-108".to_owned())]);
    let left: Vec<String> = rig.jobs().await.into_iter().map(|job| job.id).collect();
    assert_eq!(left, ["nightly"], "what people made stays");
}

#[tokio::test]
async fn without_any_one_privilege_there_is_no_job() {
    for (cluster, storage, sees) in [
        ("Sys.Modify", "Datastore.Allocate", false),
        ("Sys.Audit", "Datastore.Allocate", true),
        ("Sys.Audit,Sys.Modify", "Datastore.AllocateSpace", true),
    ] {
        let rig = Rig::new().await;
        let client = rig.token(cluster, storage).await;
        assert_eq!(backup_jobs(&client).await.unwrap().is_some(), sees, "{cluster}");
        assert!(to(&client, Some(&schedule())).await.is_err(), "{cluster}, {storage}");
        assert!(rig.jobs().await.is_empty(), "{cluster}, {storage}");
    }
}

#[tokio::test]
async fn a_node_that_fails_once_at_any_call_ends_with_the_same_job() {
    for (fault, verb) in [
        (Fault::LostBefore, "get"),
        (Fault::LostAfter, "get"),
        (Fault::LostBefore, "post"),
        (Fault::LostAfter, "post"),
        (Fault::Status { status: 503, message: "busy".to_owned() }, "post"),
        (Fault::LostBefore, "put"),
        (Fault::LostAfter, "put"),
        (Fault::LostBefore, "delete"),
        (Fault::LostAfter, "delete"),
    ] {
        let rig = Rig::new().await;
        let shown = format!("{fault:?} at {verb}");
        let path = Some("/cluster/backup".to_owned());
        rig.lab.add_fault(Rule { fault, verb: Some(verb.to_owned()), path, skip: 0, times: Some(1) });
        let first = schedule();
        to(&rig.root, Some(&first)).await.unwrap_or_else(|error| panic!("{shown}: {error}"));
        let other = Schedule { when: "daily".to_owned(), ..first };
        to(&rig.root, Some(&other)).await.unwrap_or_else(|error| panic!("{shown}: {error}"));
        let jobs = rig.jobs().await;
        assert_eq!((jobs.len(), jobs[0].schedule.as_deref()), (1, Some("daily")), "{shown}");
        assert_eq!(job_changes("shop", "production", Some(&other), &jobs), [], "{shown}");
        to(&rig.root, None).await.unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert!(rig.jobs().await.is_empty(), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_at_once_end_with_one_job() {
    for _ in 0..10 {
        let rig = Rig::new().await;
        let wanted = schedule();
        let (one, two) = tokio::join!(to(&rig.root, Some(&wanted)), to(&rig.root, Some(&wanted)));
        one.unwrap();
        two.unwrap();
        assert_eq!(rig.jobs().await.len(), 1);
    }
}

#[tokio::test]
async fn a_guest_that_goes_takes_its_job_along() {
    let rig = Rig::new().await;
    let create = LxcCreate {
        node: "pve1".into(),
        vmid: Vmid(107),
        ostemplate: rig.lab.templates().remove(0),
        unprivileged: Some(true),
        rootfs: Some(Mount::allocate("local-lvm", 8)),
        ..LxcCreate::default()
    };
    let upid = rig.root.call(&create).await.unwrap();
    rig.root.wait(&upid, WaitOptions::default(), |_| ()).await.unwrap();
    to(&rig.root, Some(&schedule())).await.unwrap();
    let delete = DeleteGuest {
        node: "pve1".into(),
        kind: GuestKind::Lxc,
        vmid: Vmid(107),
        purge: Some(true),
        destroy_unreferenced_disks: None,
    };
    let upid = rig.root.call(&delete).await.unwrap();
    rig.root.wait(&upid, WaitOptions::default(), |_| ()).await.unwrap();
    assert!(rig.jobs().await.is_empty());
}
