//! Three clients over HTTPS that know nothing of each other: whatever they do at once, the node stays whole, nobody overwrites what
//! somebody else wrote, and each is told what happened.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says why it stops")]

mod rig;

use plimsoll_lab::{Fault, Rule};
use plimsoll_pve::api::*;
use plimsoll_pve::{Client, Error, Kind, TaskError, Vmid};
use proptest::prelude::*;
use rig::{Rig, Trouble, config, container, done, whole};

/// The guest that everybody counts in; nobody deletes it.
const LEDGER: u32 = 100;

/// What a client does.
#[derive(Clone, Copy, Debug)]
enum Act {
    Create(u32),
    Clone(u32, u32),
    Start(u32),
    Stop(u32),
    Snapshot(u32),
    Rollback(u32),
    DeleteSnapshot(u32),
    Delete(u32),
    /// Reads the number in the description and writes the next, if nobody wrote meanwhile.
    Count,
}

fn act() -> impl Strategy<Value = Act> {
    let guest = || 101..104_u32;
    prop_oneof![
        2 => guest().prop_map(Act::Create),
        1 => (guest(), guest()).prop_map(|(from, to)| Act::Clone(from, to)),
        2 => guest().prop_map(Act::Start),
        1 => guest().prop_map(Act::Stop),
        1 => guest().prop_map(Act::Snapshot),
        1 => guest().prop_map(Act::Rollback),
        1 => guest().prop_map(Act::DeleteSnapshot),
        1 => guest().prop_map(Act::Delete),
        4 => Just(Act::Count),
    ]
}

async fn perform(client: &Client, act: Act) -> Result<(), Trouble> {
    let (node, kind) = ("pve1".to_owned(), GuestKind::Lxc);
    let snapname = "before".to_owned();
    match act {
        Act::Create(number) => done(client, &container(number)).await,
        Act::Clone(from, to) => {
            let request = LxcClone {
                node,
                vmid: Vmid(from),
                newid: Vmid(to),
                hostname: Some(format!("app{to}")),
                description: None,
                full: Some(true),
                storage: None,
                snapname: None,
                pool: None,
                target: None,
            };
            done(client, &request).await
        }
        Act::Start(number) => done(client, &PowerOn { node, kind, vmid: Vmid(number) }).await,
        Act::Stop(number) => done(client, &PowerOff { node, kind, vmid: Vmid(number) }).await,
        Act::Snapshot(number) => {
            let vmid = Vmid(number);
            done(client, &CreateSnapshot { node, kind, vmid, snapname, description: None }).await
        }
        Act::Rollback(number) => {
            done(client, &Rollback { node, kind, vmid: Vmid(number), snapname, start: None }).await
        }
        Act::DeleteSnapshot(number) => {
            done(client, &DeleteSnapshot { node, kind, vmid: Vmid(number), snapname, force: None }).await
        }
        Act::Delete(number) => {
            let (vmid, purge) = (Vmid(number), Some(true));
            done(client, &DeleteGuest { node, kind, vmid, purge, destroy_unreferenced_disks: None }).await
        }
        Act::Count => {
            let read = client.call(&config(LEDGER)).await?;
            let next = counted(read.text("description").as_deref()) + 1;
            let update = LxcUpdate {
                node,
                vmid: Vmid(LEDGER),
                description: Some(next.to_string()),
                digest: read.digest().map(ToOwned::to_owned),
                ..LxcUpdate::default()
            };
            Ok(client.call(&update).await?)
        }
    }
}

fn counted(description: Option<&str>) -> u32 {
    description.unwrap_or_default().trim().parse().unwrap_or_default()
}

/// What came of the acts of one client.
#[derive(Debug, Default)]
struct Told {
    /// Numbers that were written, as far as the client knows.
    written: u32,
    /// Numbers of which it does not know.
    doubtful: u32,
}

async fn life(client: Client, acts: Vec<Act>) -> Told {
    let mut told = Told::default();
    for act in acts {
        let result = perform(&client, act).await;
        let counts = matches!(act, Act::Count);
        match result {
            Ok(()) => told.written += u32::from(counts),
            Err(Trouble::Call(error)) if error.outcome_unknown() => told.doubtful += u32::from(counts),
            Err(Trouble::Call(Error::Refused(refusal))) => assert!(
                matches!(
                    refusal.kind,
                    Kind::Exists
                        | Kind::NotFound
                        | Kind::Changed
                        | Kind::Locked(_)
                        | Kind::LockTimeout(_)
                        | Kind::AlreadyRunning
                        | Kind::NotRunning
                        | Kind::Other
                ),
                "{act:?}: {refusal:?}"
            ),
            Err(Trouble::Call(Error::Lost { .. })) => {}
            Err(Trouble::Task(error)) => {
                let is_told = matches!(*error, TaskError::Failed { .. } | TaskError::Unreachable { .. });
                assert!(is_told, "{act:?}: {error}");
            }
            Err(error) => panic!("{act:?}: {error:?}"),
        }
    }
    told
}

async fn interleaved(acts: [Vec<Act>; 3], faults: Vec<Fault>) -> Result<(), TestCaseError> {
    let rig = Rig::new().await;
    done(&rig.client(), &container(LEDGER)).await.unwrap();
    for fault in faults {
        rig.lab.add_fault(Rule { fault, verb: Some("put".into()), path: None, skip: 0, times: Some(1) });
    }
    let lives = acts.map(|acts| tokio::spawn(life(rig.client(), acts)));
    let (mut written, mut doubtful) = (0, 0);
    for life in lives {
        let told = life.await.unwrap();
        written += told.written;
        doubtful += told.doubtful;
    }
    rig.lab.clear_faults();
    rig.settled().await;
    let client = rig.client();
    let numbers = whole(&client).await;
    prop_assert!(numbers.contains(&LEDGER) && numbers.len() <= 4, "{:?}", numbers);
    let count = counted(client.call(&config(LEDGER)).await.unwrap().text("description").as_deref());
    prop_assert!(
        (written..=written + doubtful).contains(&count),
        "{written} were written for sure, {doubtful} perhaps, and {count} are there"
    );
    rig.server.stop().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn three_clients_at_once_leave_a_whole_node(
        one in prop::collection::vec(act(), 1..10),
        two in prop::collection::vec(act(), 1..10),
        three in prop::collection::vec(act(), 1..10),
        before in 0..2_usize,
        after in 0..2_usize,
    ) {
        let faults = std::iter::repeat_n(Fault::LostBefore, before)
            .chain(std::iter::repeat_n(Fault::LostAfter, after))
            .collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(interleaved([one, two, three], faults))?;
    }
}
