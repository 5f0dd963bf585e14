//! The project's own client against every fault of the lab: each call ends as the table says, what it reports is what happened,
//! and a second try ends with one whole guest.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says why it stops")]

mod rig;

use std::collections::BTreeSet;

use plimsoll_lab::{Fault, Rule};
use plimsoll_pve::api::*;
use plimsoll_pve::property::Drive;
use plimsoll_pve::{Client, Error, Kind, Secret, TaskError, Upid, Upload, UploadSource, Vmid};
use rig::{PATIENCE, Rig, Trouble, config, container, done, ended, whole};

/// What a client wants of the node when the fault is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// A read that is asked again when it may succeed a moment later.
    Read,
    /// A change that answers at once: memory of container 100.
    Change,
    /// A task, from its request to its end: container 101 is made.
    Create,
    /// The end of a task that was accepted before the fault came: container 101 is made.
    Wait,
    /// A file for a storage.
    Upload,
    /// A task on a guest that is there: container 100 starts.
    Start,
    /// The address of container 100, which runs.
    Address,
    /// A file for machine 200, by its agent.
    Agent,
}

const USES: [Use; 8] =
    [Use::Read, Use::Change, Use::Create, Use::Wait, Use::Upload, Use::Start, Use::Address, Use::Agent];

/// How a call may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// As if there were no fault, by trying again where needed.
    Well,
    /// A typed refusal: nothing has happened.
    Refused(&'static str),
    /// The task failed with this meaning: nothing is left of it.
    Failed(&'static str),
    /// The task goes on; the client cannot follow it.
    Unfollowed,
    /// The client does not know, and says so; nothing has happened.
    UnknownAndNot,
    /// The client does not know, and says so; it has happened.
    UnknownAndDone,
    /// The node answers, and the guest has no address.
    NoAddress,
}
use End::*;

/// Whoever does not know whether it happened says so: changes, tasks and files in doubt; questions are asked again.
const NOT_DONE: [End; 8] =
    [Well, UnknownAndNot, UnknownAndNot, Well, UnknownAndNot, UnknownAndNot, Well, UnknownAndNot];
const DONE: [End; 8] =
    [Well, UnknownAndDone, UnknownAndDone, Well, UnknownAndDone, UnknownAndDone, Well, UnknownAndDone];

/// The same where the fault stays: questions come to nothing, tasks that run cannot be followed.
const fn stays(doubt: End, question: End) -> [End; 8] {
    [question, doubt, doubt, Unfollowed, doubt, doubt, question, doubt]
}

/// A refusal of everything; a task that runs is asked for again.
const fn refused(why: &'static str, wait: End) -> [End; 8] {
    let no = Refused(why);
    [no, no, no, wait, no, no, no, no]
}

/// Without a fault but for one use.
const fn only(used: Use, end: End) -> [End; 8] {
    let mut ends = [Well; 8];
    ends[used as usize] = end;
    ends
}

/// A task that fails, whether it is waited for from its request on or later.
const fn create(end: End) -> [End; 8] {
    let mut ends = only(Use::Create, end);
    ends[Use::Wait as usize] = end;
    ends
}

const NO_QUORUM: End = Refused("no quorum");

/// Faults, and how each use ends, in the order of [`USES`].
const TABLE: &[(&str, [End; 8])] = &[
    (r#"{"fault":"latency","milliseconds":30}"#, [Well; 8]),
    (r#"{"fault":"latency","milliseconds":60000,"times":1}"#, DONE),
    (r#"{"fault":"status","status":500,"times":1}"#, refused("other", Well)),
    (r#"{"fault":"status","status":500}"#, refused("other", Unfollowed)),
    (r#"{"fault":"status","status":502,"times":1}"#, NOT_DONE),
    (r#"{"fault":"status","status":503,"times":1}"#, NOT_DONE),
    (r#"{"fault":"status","status":503}"#, stays(UnknownAndNot, Refused("unavailable"))),
    (r#"{"fault":"status","status":595,"times":1}"#, NOT_DONE),
    (r#"{"fault":"status","status":596,"times":1}"#, NOT_DONE),
    (r#"{"fault":"status","status":596}"#, stays(UnknownAndNot, Refused("proxy"))),
    (r#"{"fault":"lost-before","times":1}"#, NOT_DONE),
    (r#"{"fault":"lost-before"}"#, stays(UnknownAndNot, Refused("lost"))),
    (r#"{"fault":"lost-after","times":1}"#, DONE),
    (r#"{"fault":"lost-after"}"#, stays(UnknownAndDone, Refused("lost"))),
    (r#"{"fault":"task","kind":"vzcreate","step":0,"message":"it broke"}"#, create(Failed("other"))),
    (r#"{"fault":"task","kind":"vzcreate","step":1,"message":"it broke"}"#, create(Failed("other"))),
    (r#"{"fault":"task","kind":"vzstart","message":"it broke"}"#, only(Use::Start, Failed("other"))),
    (r#"{"fault":"task","kind":"imgcopy","message":"it broke"}"#, only(Use::Upload, Failed("other"))),
    (r#"{"fault":"storage-full","storage":"local-lvm"}"#, create(Failed("other"))),
    (r#"{"fault":"storage-full","storage":"local"}"#, only(Use::Upload, Failed("other"))),
    (
        r#"{"fault":"lock","vmid":100,"lock":"backup"}"#,
        [Well, Refused("locked"), Well, Well, Well, Failed("locked"), Well, Well],
    ),
    // The agent is asked in spite of a lock.
    (r#"{"fault":"lock","vmid":200,"lock":"backup"}"#, [Well; 8]),
    (r#"{"fault":"no-quorum"}"#, [Well, NO_QUORUM, NO_QUORUM, Well, NO_QUORUM, NO_QUORUM, Well, NO_QUORUM]),
    (r#"{"fault":"agent-silent","vmid":200}"#, only(Use::Agent, Refused("agent"))),
    (r#"{"fault":"no-address","vmid":100}"#, only(Use::Address, NoAddress)),
    (r#"{"fault":"clock-skew","seconds":90000}"#, [Well; 8]),
    (r#"{"fault":"clock-skew","seconds":-90000}"#, [Well; 8]),
];

/// A node on which the guests of a use are there.
async fn prepared(used: Use) -> Rig {
    let rig = Rig::new().await;
    let client = rig.client();
    done(&client, &container(100)).await.unwrap();
    let (node, kind) = ("pve1".to_owned(), GuestKind::Lxc);
    match used {
        Use::Address => done(&client, &PowerOn { node, kind, vmid: Vmid(100) }).await.unwrap(),
        Use::Agent => {
            let create = QemuCreate {
                node: node.clone(),
                vmid: Vmid(200),
                name: Some("app200".into()),
                scsi: [(0, "local-lvm:2".parse::<Drive>().unwrap())].into(),
                agent: Some("enabled=1".into()),
                ..QemuCreate::default()
            };
            done(&client, &create).await.unwrap();
            done(&client, &PowerOn { node, kind: GuestKind::Qemu, vmid: Vmid(200) }).await.unwrap();
        }
        _ => {}
    }
    rig
}

async fn attempt(client: &Client, used: Use, task: Option<&Upid>) -> Result<(), Trouble> {
    let (node, kind, vmid) = ("pve1".to_owned(), GuestKind::Lxc, Vmid(100));
    match (used, task) {
        (Use::Read, _) => {
            let read = client.read(&config(100), 3).await?;
            assert_eq!(read.text("hostname").as_deref(), Some("app100"), "a wrong answer");
        }
        (Use::Change, _) => {
            client.call(&LxcUpdate { node, vmid, memory: Some(640), ..LxcUpdate::default() }).await?;
        }
        (Use::Wait, Some(upid)) => ended(client, upid).await?,
        (Use::Create | Use::Wait, _) => done(client, &container(101)).await?,
        (Use::Upload, _) => {
            let upload = Upload {
                node,
                storage: "local".into(),
                content: "iso".into(),
                filename: "seed.iso".into(),
                checksum: None,
                source: UploadSource::Bytes(vec![7; 300_000]),
                timeout: PATIENCE,
            };
            let upid = client.upload(&upload).await?;
            ended(client, &upid).await?;
        }
        (Use::Start, _) => done(client, &PowerOn { node, kind, vmid }).await?,
        (Use::Address, _) => {
            let cards = client.read(&GetInterfaces { node, vmid }, 3).await?.unwrap_or_default();
            let card = cards.into_iter().find(|card| card.name == "eth0");
            card.and_then(|card| card.inet).map(|_| ()).ok_or(Trouble::NoAddress)?;
        }
        (Use::Agent, _) => {
            let (file, content) = ("/etc/motd".to_owned(), Secret::new("hello"));
            client.call(&AgentFileWrite { node, vmid: Vmid(200), file, content, encode: None }).await?;
        }
    }
    Ok(())
}

/// Whether the node holds what a use wanted, whatever the client was told.
async fn holds(client: &Client, used: Use) -> bool {
    let node = "pve1".to_owned();
    match used {
        Use::Read | Use::Address => true,
        Use::Change => client.call(&config(100)).await.unwrap().number("memory") == Some(640),
        Use::Create | Use::Wait => match client.call(&config(101)).await {
            Ok(config) => config.text("hostname").as_deref() == Some("app101"),
            Err(error) => {
                assert_eq!(error.refusal().unwrap().kind, Kind::NotFound);
                false
            }
        },
        Use::Upload => {
            let held = GetContent { node, storage: "local".into(), content: Some("iso".into()), vmid: None };
            let held = client.call(&held).await.unwrap();
            held.iter().any(|one| one.volid == "local:iso/seed.iso" && one.size == Some(300_000))
        }
        Use::Start => {
            let status = GetStatus { node, kind: GuestKind::Lxc, vmid: Vmid(100) };
            client.call(&status).await.unwrap().status == Power::Running
        }
        Use::Agent => {
            let read = AgentFileRead { node, vmid: Vmid(200), file: "/etc/motd".into() };
            client.call(&read).await.is_ok_and(|file| file.content.expose() == "hello")
        }
    }
}

/// How an attempt ended, where `happened` is what became of it.
fn end_of(result: &Result<(), Trouble>, happened: bool) -> End {
    match result {
        Ok(()) => Well,
        Err(Trouble::NoAddress) => NoAddress,
        Err(Trouble::Call(error)) if error.outcome_unknown() => {
            if happened {
                UnknownAndDone
            } else {
                UnknownAndNot
            }
        }
        Err(Trouble::Call(Error::Refused(refusal))) => Refused(name(&refusal.kind)),
        Err(Trouble::Call(Error::Lost { .. })) => Refused("lost"),
        Err(Trouble::Call(error)) => panic!("{error}"),
        Err(Trouble::Task(error)) => match &**error {
            TaskError::Failed { kind, .. } => Failed(name(kind)),
            TaskError::Unreachable { .. } => Unfollowed,
            error => panic!("{error}"),
        },
    }
}

fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Locked(_) => "locked",
        Kind::NoQuorum => "no quorum",
        Kind::Agent => "agent",
        Kind::Unavailable => "unavailable",
        Kind::ProxyLost => "proxy",
        Kind::Other => "other",
        kind => panic!("{kind:?}"),
    }
}

/// One cell of the table.
async fn case(fault: &'static str, used: Use) -> End {
    let about = format!("{fault} and {used:?}");
    let rig = prepared(used).await;
    let client = rig.client();
    // Release and ticket are there: the fault meets the call itself.
    client.version().await.unwrap();
    client.call(&config(100)).await.unwrap();
    let task = match used {
        Use::Wait => Some(client.call(&container(101)).await.unwrap()),
        _ => None,
    };
    rig.lab.add_fault(serde_json::from_str::<Rule>(fault).unwrap());
    let result = attempt(&client, used, task.as_ref()).await;
    rig.lab.clear_faults();
    rig.settled().await;

    let sober = rig.client();
    let happened = holds(&sober, used).await;
    let end = end_of(&result, happened);
    match end {
        Well => assert!(happened, "{about}: a wrong success"),
        Refused(_) | Failed(_) => {
            let reads = matches!(used, Use::Read | Use::Address);
            assert!(reads || !happened, "{about}: {result:?}, and it has happened");
        }
        _ => {}
    }
    // What a careful caller does next: look, and ask again where nothing has happened.
    if end != Well && !happened {
        attempt(&sober, used, None).await.unwrap_or_else(|error| panic!("{about}, again: {error:?}"));
    }
    assert!(holds(&sober, used).await, "{about}: the second try");
    let wanted: &[u32] = match used {
        Use::Create | Use::Wait => &[100, 101],
        Use::Agent => &[100, 200],
        _ => &[100],
    };
    assert_eq!(whole(&sober).await, wanted, "{about}");
    rig.server.stop().await;
    end
}

/// Its name in the table; a new kind of fault does not compile until it has one.
fn word(fault: &Fault) -> &'static str {
    match fault {
        Fault::Latency { .. } => "latency",
        Fault::Status { .. } => "status",
        Fault::LostBefore => "lost-before",
        Fault::LostAfter => "lost-after",
        Fault::Task { .. } => "task",
        Fault::StorageFull { .. } => "storage-full",
        Fault::Lock { .. } => "lock",
        Fault::NoQuorum => "no-quorum",
        Fault::AgentSilent { .. } => "agent-silent",
        Fault::NoAddress { .. } => "no-address",
        Fault::ClockSkew { .. } => "clock-skew",
    }
}

#[test]
fn every_kind_of_fault_is_in_the_table() {
    let words: BTreeSet<&str> =
        TABLE.iter().map(|(fault, _)| word(&serde_json::from_str::<Rule>(fault).unwrap().fault)).collect();
    assert_eq!(words.len(), 11, "{words:?}");
}

#[tokio::test]
async fn every_fault_meets_every_use_of_the_client() {
    let mut wrong = Vec::new();
    for (fault, ends) in TABLE {
        // Cells know nothing of each other: a row waits once for the slowest.
        let mut cells = Vec::from_iter(USES.map(|used| tokio::spawn(case(fault, used))));
        for ((used, wanted), cell) in USES.into_iter().zip(ends).zip(cells.drain(..)) {
            let end = cell.await.unwrap();
            if end != *wanted {
                wrong.push(format!("{fault} and {used:?}: {end:?} instead of {wanted:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_login_that_goes_wrong_leaves_no_doubt_about_the_call() {
    for fault in [
        r#"{"fault":"lost-before","path":"/access/ticket","times":1}"#,
        r#"{"fault":"lost-after","path":"/access/ticket","times":1}"#,
        r#"{"fault":"status","status":503,"path":"/access/ticket","times":1}"#,
        r#"{"fault":"status","status":596,"path":"/access/ticket","times":1}"#,
    ] {
        let rig = prepared(Use::Create).await;
        let client = rig.client();
        rig.lab.add_fault(serde_json::from_str::<Rule>(fault).unwrap());
        let error = client.call(&container(101)).await.unwrap_err();
        assert!(!error.outcome_unknown(), "{fault}: nothing of the call was sent: {error}");
        assert!(error.is_transient(), "{fault}: {error}");
        done(&client, &container(101)).await.unwrap();
        assert_eq!(whole(&rig.client()).await, [100, 101], "{fault}");
    }
}
